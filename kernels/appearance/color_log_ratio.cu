// ratio = table(bin of the colour).   One thread per pixel.
// lab: (count, 3) float32.   table: (4096) float32.   ratio: (count) float32.
#include "appearance/color_bins.cuh"

extern "C" __global__ void color_log_ratio(const float* __restrict__ lab, const float* __restrict__ table,
                                           float* __restrict__ ratio, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) ratio[i] = table[color_bin(lab + 3 * i)];
}
