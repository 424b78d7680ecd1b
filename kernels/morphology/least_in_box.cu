// least(y, x) = min over -before <= d <= after of values(y, x + d), then the same along columns.   One thread per pixel.
// values, least: (height, width) VALUE.   flip: bits turned before and after, so that the largest is found.
// outside: what counts beyond the image, turned already.   ends: 1 the first pass, 2 the last, 3 both.
#include "ordered.cuh"

// Doubles the windows of a line of `count` numbers, `stride` apart, from 1 to the largest power of two within `window`.
// Two copies change roles. Returns the one that was written last; all threads of the block must call it.
__device__ __forceinline__ const VALUE* doubled(VALUE* from, VALUE* to, const int count, const int window,
                                                const int stride, const int first, const int step, const int column,
                                                int* reach) {
  int width = 1;
  while (2 * width <= window) {
    for (int k = first; k < count - width; k += step) {
      const VALUE a = from[k * stride + column], b = from[(k + width) * stride + column];
      to[k * stride + column] = a < b ? a : b;
    }
    __syncthreads();
    VALUE* const other = from;
    from = to;
    to = other;
    width *= 2;
  }
  *reach = width;
  return from;
}

__device__ __forceinline__ VALUE read(const VALUE* __restrict__ values, const int i, const int flip, const int ends) {
  return (VALUE)(ends & 1 ? ordered(values[i]) ^ flip : values[i]);
}

__device__ __forceinline__ void write(VALUE* __restrict__ least, const int i, const VALUE a, const VALUE b,
                                      const int flip, const int ends) {
  const VALUE lower = a < b ? a : b;
  least[i] = ends & 2 ? (VALUE)ordered((VALUE)(lower ^ flip)) : lower;
}

// Along a row: blockDim.x pixels of it a block. Shared: two copies of blockDim.x + before + after numbers.
extern "C" __global__ void least_in_box(const VALUE* __restrict__ values, VALUE* __restrict__ least, const int height,
                                        const int width, const int before, const int after, const int flip,
                                        const int outside, const int ends) {
  extern __shared__ VALUE line[];
  const int y = blockIdx.y, first = blockIdx.x * blockDim.x;
  const int window = before + after + 1, count = blockDim.x + window - 1;
  for (int k = threadIdx.x; k < count; k += blockDim.x) {
    const int x = first - before + k;
    line[k] = x >= 0 && x < width ? read(values, y * width + x, flip, ends) : (VALUE)outside;
  }
  __syncthreads();
  int reach;
  const VALUE* found = doubled(line, line + count, count, window, 1, threadIdx.x, blockDim.x, 0, &reach);
  const int x = first + threadIdx.x;
  if (x >= width || y >= height) return;
  write(least, y * width + x, found[threadIdx.x], found[threadIdx.x + window - reach], flip, ends);
}

// Along columns: 32 x 32 pixels a block of 32 x 8 threads. Shared: two copies of (32 + before + after) x 32 numbers.
extern "C" __global__ void least_in_box_columns(const VALUE* __restrict__ values, VALUE* __restrict__ least,
                                                const int height, const int width, const int before, const int after,
                                                const int flip, const int outside, const int ends) {
  extern __shared__ VALUE line[];
  const int x = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * 32;
  const int window = before + after + 1, count = 32 + window - 1;
  for (int k = threadIdx.y; k < count; k += blockDim.y) {
    const int y = first - before + k;
    const bool inside = x < width && y >= 0 && y < height;
    line[k * 32 + threadIdx.x] = inside ? read(values, y * width + x, flip, ends) : (VALUE)outside;
  }
  __syncthreads();
  int reach;
  const VALUE* found =
      doubled(line, line + count * 32, count, window, 32, threadIdx.y, blockDim.y, threadIdx.x, &reach);
  if (x >= width) return;
  for (int k = threadIdx.y; k < 32 && first + k < height; k += blockDim.y) {
    const int i = k * 32 + threadIdx.x;
    write(least, (first + k) * width + x, found[i], found[i + (window - reach) * 32], flip, ends);
  }
}
