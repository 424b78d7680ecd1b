// medians(c, y, x) = median of the 2 radius + 1 planes(c, y, x + k) (along_x), or of planes(c, y + k, x); edges repeat.
// planes, medians: (channels, height, width) float32; rows = channels * height.   radius: 1, 2 or 3.
// One thread per pixel.
#include "common.cuh"

__device__ __forceinline__ float low_of(const float a, const float b) { return a < b ? a : b; }

__device__ __forceinline__ float high_of(const float a, const float b) { return a > b ? a : b; }

__device__ __forceinline__ float median3(const float a, const float b, const float c) {
  return high_of(low_of(a, b), low_of(high_of(a, b), c));
}

__device__ __forceinline__ float median5(const float a, const float b, const float c, const float d, const float e) {
  // Neither the least nor the greatest of four is the median of five.
  return median3(e, high_of(low_of(a, b), low_of(c, d)), low_of(high_of(a, b), high_of(c, d)));
}

extern "C" __global__ void separable_median(const float* __restrict__ planes, float* __restrict__ medians,
                                            const int height, const int width, const int rows, const int radius,
                                            const int along_x) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= rows) return;
  const int y = row % height, here = row * width + x;
  float v[7];
  for (int k = -radius; k <= radius; ++k)
    v[k + radius] = along_x ? planes[row * width + clamp_int(x + k, 0, width - 1)]
                            : planes[(row - y + clamp_int(y + k, 0, height - 1)) * width + x];
  if (radius == 1) {
    medians[here] = median3(v[0], v[1], v[2]);
  } else if (radius == 2) {
    medians[here] = median5(v[0], v[1], v[2], v[3], v[4]);
  } else {
    // Of five, least and greatest go: three are left for a median of five with the other two.
    const float a = low_of(v[0], v[1]), b = high_of(v[0], v[1]), c = low_of(v[2], v[3]), d = high_of(v[2], v[3]);
    const float middle = low_of(high_of(low_of(a, c), v[4]), high_of(b, d));
    medians[here] = median5(high_of(a, c), low_of(b, d), middle, v[5], v[6]);
  }
}
