// lengths(k) = outline pixels of object k; near(k, j) = those of them with a pixel of object j of `other` within
// `radius`, for the j among partners(k).   One thread per pixel; integer atomics, so the order does not matter.
// outlines, other: (height, width) uint32, a bit per object.   partners: (OBJECTS,) uint32.
// lengths: (OBJECTS,) int32, near: (OBJECTS, OBJECTS) int32, both zero before.
#define OBJECTS 32  // the same word stands in the .py file

extern "C" __global__ void outline_matches(const unsigned int* __restrict__ outlines,
                                           const unsigned int* __restrict__ other,
                                           const unsigned int* __restrict__ partners, int* __restrict__ lengths,
                                           int* __restrict__ near, const int radius, const int height,
                                           const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const unsigned int bits = outlines[y * width + x];
  if (bits == 0) return;
  unsigned int wanted = 0;
  for (int k = 0; k < OBJECTS; ++k) {
    if ((bits >> k & 1u) == 0) continue;
    atomicAdd(&lengths[k], 1);
    wanted |= partners[k];
  }
  unsigned int found = 0;
  for (int dy = -radius; dy <= radius && (found & wanted) != wanted; ++dy) {
    if (y + dy < 0 || y + dy >= height) continue;
    int reach = radius;
    while (reach * reach + dy * dy > radius * radius) --reach;
    const int first = max(x - reach, 0), last = min(x + reach, width - 1);
    for (int column = first; column <= last; ++column) found |= other[(y + dy) * width + column];
  }
  found &= wanted;
  if (found == 0) return;
  for (int k = 0; k < OBJECTS; ++k) {
    if ((bits >> k & 1u) == 0) continue;
    // wanted holds the partners of all objects of this pixel; only its own count for each.
    const unsigned int own = found & partners[k];
    for (int j = 0; j < OBJECTS; ++j) {
      if (own >> j & 1u) atomicAdd(&near[k * OBJECTS + j], 1);
    }
  }
}
