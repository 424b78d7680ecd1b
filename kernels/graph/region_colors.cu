// Sums of the colours of every region, and their histograms; integer atomics, any order.   One thread per pixel.
// labels: (height, width) int32, 0 to count - 1 are counted.   levels: (height, width, 4) int16.   offsets: (3) int32.
// sums: (count, 7) uint64: pixels, three sums, three sums of squares.   histogram: (count, 3, bins) int32.
extern "C" __global__ void region_colors(const int* __restrict__ labels, const short* __restrict__ levels,
                                         const int* __restrict__ offsets, unsigned long long* sums, int* histogram,
                                         const int height, const int width, const int count, const int bins,
                                         const int shift) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, label = labels[i];
  if (label < 0 || label >= count) return;
  unsigned long long* own = sums + 7 * (long long)label;
  atomicAdd(&own[0], 1ull);
  for (int c = 0; c < 3; ++c) {
    const long long value = levels[4 * i + c];
    atomicAdd(&own[1 + c], (unsigned long long)value);
    atomicAdd(&own[4 + c], (unsigned long long)(value * value));
    if (bins > 0) {
      const int bin = min(max(((int)value + offsets[c]) >> shift, 0), bins - 1);
      atomicAdd(&histogram[(3 * (long long)label + c) * bins + bin], 1);
    }
  }
}
