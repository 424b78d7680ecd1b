// Outline pixels of every region of a label map (label r + 1), by the way the outline runs; integer atomics, any order.
// counts(r): 2 or 3 sides and at most 2 corners; 0 sides and 2 corners or 1 and 3; 1 side and 1 or 2 corners.
// labels: (height, width) int32.   counts: (count, 3) uint64 zero.   One thread per pixel.

// Whether a pixel has a neighbour of another label, or lies at the edge of the picture.
__device__ __forceinline__ bool on_outline(const int* __restrict__ labels, const int y, const int x, const int height,
                                           const int width) {
  if (x == 0 || y == 0 || x == width - 1 || y == height - 1) return true;
  const int i = y * width + x, label = labels[i];
  return label != labels[i - 1] || label != labels[i + 1] || label != labels[i - width] || label != labels[i + width];
}

extern "C" __global__ void region_perimeter(const int* __restrict__ labels, unsigned long long* counts,
                                            const int height, const int width, const int count) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int label = labels[y * width + x];
  if (label <= 0 || label > count || !on_outline(labels, y, x, height, width)) return;
  int sides = 0, corners = 0;
  for (int v = max(y - 1, 0); v < min(y + 2, height); ++v)
    for (int u = max(x - 1, 0); u < min(x + 2, width); ++u) {
      if ((u == x && v == y) || labels[v * width + u] != label || !on_outline(labels, v, u, height, width)) continue;
      if (u != x && v != y)
        ++corners;
      else
        ++sides;
    }
  int kind = -1;
  if ((sides == 2 || sides == 3) && corners <= 2)
    kind = 0;
  else if ((sides == 0 && corners == 2) || (sides == 1 && corners == 3))
    kind = 1;
  else if (sides == 1 && (corners == 1 || corners == 2))
    kind = 2;
  if (kind >= 0) atomicAdd(&counts[3 * (long long)(label - 1) + kind], 1ull);
}
