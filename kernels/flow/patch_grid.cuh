// Where the patches of dense inverse search lie: see patch_grid.py.
#define PATCH 8
#define MARGIN 16

__device__ __forceinline__ int patch_count(const int size, const int stride) {
  return (size - PATCH + stride - 1) / stride + 1;
}

__device__ __forceinline__ int patch_corner(const int number, const int stride, const int size) {
  return min(number * stride, size - PATCH);
}
