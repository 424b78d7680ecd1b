// Move each superpixel as a whole into the next frame; where several arrive, the one with the nearest color stays.
// labels, carried: (height, width) int32.   levels: (height, width, 4) int16.   means, sides: (n, 3) float32.
// shifts_xy: (n, 2) int32.   others: (n) int32.   keys: (height, width), distance and label in 64 bits.

// One thread per pixel of the old frame.
extern "C" __global__ void carry_labels(const int* __restrict__ labels, const short* __restrict__ levels,
                                        const float* __restrict__ means, const int* __restrict__ shifts_xy,
                                        const float* __restrict__ sides, const int* __restrict__ others,
                                        unsigned long long* keys, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int own = labels[y * width + x];
  const int to_x = x + shifts_xy[2 * own], to_y = y + shifts_xy[2 * own + 1];
  if (to_x < 0 || to_y < 0 || to_x >= width || to_y >= height) return;
  const int to = to_y * width + to_x;
  const float d0 = (float)levels[4 * to] - means[3 * own], d1 = (float)levels[4 * to + 1] - means[3 * own + 1];
  const float d2 = (float)levels[4 * to + 2] - means[3 * own + 2];
  const float distance = d0 * d0 + d1 * d1 + d2 * d2;
  const bool beyond = sides[3 * own] * (float)x + sides[3 * own + 1] * (float)y > sides[3 * own + 2];
  const int label = beyond ? others[own] : own;
  // Distances are not negative: their bits are in the order of their values.
  atomicMin(&keys[to], (unsigned long long)(unsigned int)__float_as_int(distance) << 32 | (unsigned int)label);
}

// One thread per pixel of the new frame.
extern "C" __global__ void carry_labels_end(const unsigned long long* __restrict__ keys, int* __restrict__ carried,
                                            const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < pixels) carried[i] = keys[i] == ~0ull ? -1 : (int)(unsigned int)keys[i];
}
