// counts(label, bin) += 256 for each pixel, divided between the four bins around the place of its motion.
// One thread per pixel that is looked at, every second one along both axes; integer atomics.
// labels: (height, width) int32.   flow_xy: (height, width, 2) float32.   reference_xy: (2) float32.
// counts: (n, 49) int32, zero.
extern "C" __global__ void node_motion(const int* __restrict__ labels, const float* __restrict__ flow_xy,
                                       const float* __restrict__ reference_xy, int* counts, const int height,
                                       const int width) {
  const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
  const int y = 2 * (blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float u = flow_xy[2 * i] - reference_xy[0], v = flow_xy[2 * i + 1] - reference_xy[1];
  if (!(fabsf(u) <= 1e6f && fabsf(v) <= 1e6f)) return;  // NaN fails too
  const float share = 3.0f / (sqrtf(u * u + v * v) + 4.0f);
  const int across = (int)((3.0f + u * share) * 16.0f + 0.5f), down = (int)((3.0f + v * share) * 16.0f + 0.5f);
  const int column = min(across >> 4, 5), row = min(down >> 4, 5);
  const int right = across - 16 * column, below = down - 16 * row;
  int* bins = counts + 49 * labels[i] + 7 * row + column;
  atomicAdd(&bins[0], (16 - right) * (16 - below));
  atomicAdd(&bins[1], right * (16 - below));
  atomicAdd(&bins[7], (16 - right) * below);
  atomicAdd(&bins[8], right * below);
}
