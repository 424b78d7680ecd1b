// Connected components by union-find: every pixel points towards the smallest linear index it is connected to, so the
// root of a component is its first pixel in raster order; roots are then numbered by a prefix sum.
// mask: (height, width) uint8, non-zero inside.   parent: (height, width) int32, linear index, -1 outside the mask.
#define TILE 1024  // threads a block in the numbering passes; the same word stands in the .py file
#define FULL_WARP 0xffffffffu

#include "union_find.cuh"

// Start: a pixel points to the first pixel of its run inside the 32 pixels of its warp.   One thread per pixel.
// The block must be 32 wide, so that a warp is a piece of one row.
extern "C" __global__ void label_components(const unsigned char* __restrict__ mask, int* __restrict__ parent,
                                            const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int i = y * width + x;
  const bool inside = x < width && y < height && mask[i] != 0;
  const unsigned int row = __ballot_sync(FULL_WARP, inside);
  if (x >= width || y >= height) return;
  const int lane = threadIdx.x & 31;
  // Highest unset bit below this lane: the run begins one to the right of it.
  const unsigned int gaps = ~row & ((1u << lane) - 1u);
  const int run_start = 32 - __clz(gaps);
  parent[i] = inside ? i - lane + run_start : -1;
}

// Joins a pixel with its neighbours above and, across the border of two warps, to the left.   One thread per pixel.
// A link that follows from a neighbour's link is left out.
extern "C" __global__ void label_components_merge(const unsigned char* __restrict__ mask, int* parent, const int height,
                                                  const int width, const int eight) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  if (mask[i] == 0) return;
  const bool left = x > 0 && mask[i - 1] != 0;
  if (left && (threadIdx.x & 31) == 0) join_roots(parent, i, i - 1);
  if (y == 0) return;
  const bool up = mask[i - width] != 0;
  const bool up_left = x > 0 && mask[i - width - 1] != 0;
  if (up) {
    if (!(left && up_left)) join_roots(parent, i, i - width);
    return;
  }
  if (!eight) return;
  if (up_left && !left) join_roots(parent, i, i - width - 1);
  const bool right = x + 1 < width && mask[i + 1] != 0;
  const bool up_right = x + 1 < width && mask[i - width + 1] != 0;
  if (up_right && !right) join_roots(parent, i, i - width + 1);
}

// Inclusive prefix sum over the TILE threads of a block; all threads must call it.
__device__ __forceinline__ int block_prefix_sum(int value) {
  __shared__ int warp_sums[TILE / 32];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  for (int step = 1; step < 32; step *= 2) {
    const int other = __shfl_up_sync(FULL_WARP, value, step);
    if (lane >= step) value += other;
  }
  __syncthreads();  // the sums of an earlier call have been read
  if (lane == 31) warp_sums[warp] = value;
  __syncthreads();
  int before = 0;
  for (int w = 0; w < warp; ++w) before += warp_sums[w];
  return before + value;
}

// Follows every pixel to its root and counts the roots of each tile.   One thread per pixel, TILE threads a block.
extern "C" __global__ void label_components_count(int* parent, int* __restrict__ tile_counts, const int pixels) {
  const int i = blockIdx.x * TILE + threadIdx.x;
  int is_root = 0;
  if (i < pixels && parent[i] >= 0) {
    const int root = find_root(parent, i);
    is_root = root == i;
    parent[i] = root;  // other threads may still walk through here: any value on the way to the root serves them
  }
  const int roots = block_prefix_sum(is_root);
  if (threadIdx.x == TILE - 1) tile_counts[blockIdx.x] = roots;
}

// Turns the counts of the tiles into the number of roots before each tile.   One block.
extern "C" __global__ void label_components_scan(int* __restrict__ tile_counts, int* __restrict__ count,
                                                 const int tiles) {
  __shared__ int total;
  int before = 0;
  for (int first = 0; first < tiles; first += TILE) {
    const int tile = first + threadIdx.x;
    const int own = tile < tiles ? tile_counts[tile] : 0;
    const int sum = block_prefix_sum(own);
    if (tile < tiles) tile_counts[tile] = before + sum - own;
    if (threadIdx.x == TILE - 1) total = sum;
    __syncthreads();
    before += total;
    __syncthreads();
  }
  if (threadIdx.x == 0) count[0] = before;
}

// Gives each root its number.   One thread per pixel, TILE threads a block.
extern "C" __global__ void label_components_number(const int* __restrict__ parent, const int* __restrict__ tile_counts,
                                                   int* __restrict__ numbers, const int pixels) {
  const int i = blockIdx.x * TILE + threadIdx.x;
  const int is_root = i < pixels && parent[i] == i;
  const int rank = block_prefix_sum(is_root);
  if (is_root) numbers[i] = tile_counts[blockIdx.x] + rank;
}

// labels(i) = number of the root of i, 0 outside the mask.   One thread per pixel.
extern "C" __global__ void label_components_write(const int* __restrict__ parent, const int* __restrict__ numbers,
                                                  int* __restrict__ labels, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  labels[i] = parent[i] < 0 ? 0 : numbers[parent[i]];
}
