// counts(y) = (boundary pixels in row y, those of them with a pixel of `other` within `radius`).
// One thread per pixel.   boundary, other: (height, width) uint8, 0 or 1.   counts: (height, 2) int32, zero before.

extern "C" __global__ void boundary_matches(const unsigned char* __restrict__ boundary,
                                            const unsigned char* __restrict__ other, int* __restrict__ counts,
                                            const int radius, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height || boundary[y * width + x] == 0) return;
  atomicAdd(&counts[2 * y], 1);
  // Boundaries are a few thousand pixels of half a million: looking around each is cheaper than a dilation of all.
  for (int dy = -radius; dy <= radius; ++dy) {
    if (y + dy < 0 || y + dy >= height) continue;
    int reach = radius;
    while (reach * reach + dy * dy > radius * radius) --reach;
    const int first = max(x - reach, 0), last = min(x + reach, width - 1);
    for (int column = first; column <= last; ++column) {
      if (other[(y + dy) * width + column] != 0) {
        atomicAdd(&counts[2 * y + 1], 1);
        return;
      }
    }
  }
}
