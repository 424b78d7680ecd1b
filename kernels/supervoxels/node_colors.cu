// counts(label, bin) += up to 16 for each pixel and channel, divided between two bins; sums(label) of L, a, b, pixels.
// One thread per pixel; integer atomics, so the order does not matter.
// labels: (pixels) int32.   levels: (pixels, 4) int16, sixteenths.   counts: (n, 60) int32.   sums: (n, 4), zero.
#include "common.cuh"

extern "C" __global__ void node_colors(const int* __restrict__ labels, const short* __restrict__ levels, int* counts,
                                       unsigned long long* sums, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  const int label = labels[i];
  for (int c = 0; c < 3; ++c) {
    const int value = levels[4 * i + c];
    // A shift of a negative number rounds down, as Python does; L is never negative.
    const int place = clamp_int(c == 0 ? value * 16 / 80 - 8 : (value >> 3) + 152, 0, 16 * 19);
    const int bin = place >> 4, part = place & 15;
    atomicAdd(&counts[60 * label + 20 * c + bin], 16 - part);
    if (part > 0) atomicAdd(&counts[60 * label + 20 * c + bin + 1], part);
    atomicAdd(&sums[4 * (long long)label + c], (unsigned long long)(long long)value);
  }
  atomicAdd(&sums[4 * (long long)label + 3], 1ull);
}
