// How well a patch fits at a position: one warp per patch, thread t holds column t % 8 of rows t / 8 and t / 8 + 4.
// The sums are butterflies in a fixed order, the same as on the CPU: first the two rows of a thread, then rows 2 and 1
// apart, then columns 4, 2, 1 apart. Needs patch_grid.cuh.

__device__ __forceinline__ float patch_sum(float value) {
  for (int apart = 16; apart > 0; apart >>= 1) value += __shfl_xor_sync(0xffffffffu, value, apart);
  return value;
}

// Two sums at once, with the same bits and 6 shuffles instead of 10: the lower half of the warp goes on with the first,
// the upper half with the second.
struct Sums {
  float first, second;
};

__device__ __forceinline__ Sums patch_sums(const float first, const float second) {
  const bool upper = threadIdx.x & 16;
  float value = upper ? second : first;
  value += __shfl_xor_sync(0xffffffffu, upper ? first : second, 16);
  for (int apart = 8; apart > 0; apart >>= 1) value += __shfl_xor_sync(0xffffffffu, value, apart);
  const float other = __shfl_xor_sync(0xffffffffu, value, 16);
  Sums result;
  result.first = upper ? other : value;
  result.second = upper ? value : other;
  return result;
}

// residual of this thread's two pixels at corner position (x, y) in image1
struct Residuals {
  float first, second;
};

__device__ __forceinline__ float mix(const float* __restrict__ row, const float fx, const float rx) {
  return fmaf(fx, row[1], rx * row[0]);
}

__device__ __forceinline__ Residuals residuals(const float* __restrict__ padded1, const int pitch, float x, float y,
                                               const int thread, const float template0, const float template1) {
  x += (float)MARGIN;
  y += (float)MARGIN;
  const int x0 = (int)x, y0 = (int)y;
  const float fx = x - x0, fy = y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  const float* pixel = padded1 + (y0 + thread / 8) * pitch + x0 + thread % 8;
  Residuals result;
  result.first = fmaf(fy, mix(pixel + pitch, fx, rx), ry * mix(pixel, fx, rx)) - template0;
  pixel += 4 * pitch;
  result.second = fmaf(fy, mix(pixel + pitch, fx, rx), ry * mix(pixel, fx, rx)) - template1;
  return result;
}

__device__ __forceinline__ float cost(const Residuals r) {
  const Sums sums = patch_sums(r.first + r.second, fmaf(r.second, r.second, r.first * r.first));
  return sums.second - sums.first * sums.first * 0.015625f;
}

__device__ __forceinline__ float distance2(const float ax, const float ay, const float bx, const float by) {
  return (ax - bx) * (ax - bx) + (ay - by) * (ay - by);
}
