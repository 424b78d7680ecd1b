// Groups of components of two frames that touch, by union-find on their numbers.
// before, now: (height, width) int32, 0 background.   parent: (n + m) int32: p - 1 for component p before, n + c - 1 now.
#include "union_find.cuh"

// Every component is a tree.   One thread per component.
extern "C" __global__ void join_labels_start(int* __restrict__ parent, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) parent[i] = i;
}

// One thread per pixel. A pixel whose left neighbour sees the same pair leaves it to that one.
extern "C" __global__ void join_labels(const int* __restrict__ before, const int* __restrict__ now, int* parent,
                                       const int height, const int width, const int count_before,
                                       const int connectivity) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int label = now[y * width + x];
  if (label == 0) return;
  const bool left = x > 0 && now[y * width + x - 1] == label;
  for (int dy = -1; dy <= 1; ++dy) {
    if (y + dy < 0 || y + dy >= height || (dy != 0 && connectivity <= 6)) continue;
    const int reach = connectivity > (dy == 0 ? 6 : 18);
    const int* const row = before + (y + dy) * width;
    for (int k = max(x - reach, 0); k <= min(x + reach, width - 1); ++k) {
      const int found = row[k];
      if (found > 0 && !(left && k > 0 && row[k - 1] == found))
        join_roots(parent, found - 1, count_before + label - 1);
    }
  }
}

// Follows every component to its root.   One thread per component.
extern "C" __global__ void join_labels_end(int* parent, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) parent[i] = find_root(parent, i);  // others may still walk through here: any value on the way serves
}
