// counts(0, bin) += round(255 max(2 w - 1, 0)), counts(1, bin) += round(255 max(1 - 2 w, 0)) for every pixel.
// Integer atomics, so the order does not matter. Sums stay below 2^31 up to 8.4 million pixels of one colour.
// lab: (count, 3) float32.   weight: (count) float32 in [0, 1].   counts: (2, 4096) int32, zero.
// One thread per pixel.
#include "appearance/color_bins.cuh"

extern "C" __global__ void color_histogram(const float* __restrict__ lab, const float* __restrict__ weight,
                                           int* __restrict__ counts, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float evidence = fminf(fmaxf(weight[i] + weight[i] - 1.0f, -1.0f), 1.0f);
  const int side = evidence > 0.0f ? 0 : 1;
  const int amount = (int)(fabsf(evidence) * 255.0f + 0.5f);
  if (amount > 0) atomicAdd(&counts[side * 4096 + color_bin(lab + 3 * i)], amount);
}
