// Connected components of a volume by union-find; label_components.cu numbers the roots.
// volume: (length, height, width) VALUE, 0 outside.   parent: the same, int32, linear index of a voxel on the way to the
// root, which is the first voxel of its component; -1 outside.   by_value: only voxels of one value are joined.
#define FULL_WARP 0xffffffffu
#include "union_find.cuh"

__device__ __forceinline__ bool together(const VALUE a, const VALUE b, const int by_value) {
  return by_value ? a == b : b != 0;
}

// Start: a voxel points to the first voxel of its run inside the 32 voxels of its warp.   One thread per voxel.
// The block must be 32 wide, so that a warp is a piece of one row; rows of all frames follow each other.
extern "C" __global__ void label_volume(const VALUE* __restrict__ volume, int* __restrict__ parent, const int length,
                                        const int height, const int width, const int by_value) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int i = y * width + x;
  const bool exists = x < width && y < length * height;
  const bool inside = exists && volume[i] != 0;
  const bool goes_on = inside && threadIdx.x > 0 && together(volume[i], volume[i - 1], by_value);
  const unsigned int starts = ~__ballot_sync(FULL_WARP, goes_on);
  if (!exists) return;
  const int lane = threadIdx.x & 31;
  // The highest start up to this lane; lane 0 always is one.
  const int run_start = 31 - __clz(starts & (0xffffffffu >> (31 - lane)));
  parent[i] = inside ? i - lane + run_start : -1;
}

// Joins voxel i with the three that touch it in another row that begins `away` before.   reach: 1 where corners touch.
// A link that follows from a neighbour's link is left out.
__device__ __forceinline__ void join_row(const VALUE* __restrict__ volume, int* parent, const int i, const int away,
                                         const int x, const int width, const int reach, const bool left,
                                         const bool right, const int by_value) {
  const VALUE value = volume[i];
  const int other = i - away;
  const bool before = x > 0 && together(value, volume[other - 1], by_value);
  if (together(value, volume[other], by_value)) {
    if (!(left && before)) join_roots(parent, i, other);
    return;
  }
  if (!reach) return;
  if (before && !left) join_roots(parent, i, other - 1);
  if (x + 1 < width && !right && together(value, volume[other + 1], by_value)) join_roots(parent, i, other + 1);
}

// Joins a voxel with its neighbours in rows before its own and, across the border of two warps, to the left.
// One thread per voxel.
extern "C" __global__ void label_volume_merge(const VALUE* __restrict__ volume, int* parent, const int length,
                                              const int height, const int width, const int connectivity,
                                              const int by_value) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= length * height) return;
  const int i = row * width + x, y = row % height;
  if (volume[i] == 0) return;
  const bool left = x > 0 && together(volume[i], volume[i - 1], by_value);
  const bool right = x + 1 < width && together(volume[i], volume[i + 1], by_value);
  if (left && (threadIdx.x & 31) == 0) join_roots(parent, i, i - 1);
  const int corners = connectivity > 6;
  if (y > 0) join_row(volume, parent, i, width, x, width, corners, left, right, by_value);
  if (row < height) return;
  const int frame = height * width;
  join_row(volume, parent, i, frame, x, width, corners, left, right, by_value);
  if (!corners) return;
  const int reach = connectivity > 18;
  if (y > 0) join_row(volume, parent, i, frame + width, x, width, reach, left, right, by_value);
  if (y + 1 < height) join_row(volume, parent, i, frame - width, x, width, reach, left, right, by_value);
}
