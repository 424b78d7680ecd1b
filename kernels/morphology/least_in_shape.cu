// least(y, x) = min over (dy, dx) in a shape of values(y + dy, x + dx).   One thread per pixel, blocks of 32 x 8.
// values, least: (height, width) VALUE.   windows: (n, 3) int32: dy, dx, level: 2^level pixels of a row.
// cells: (cell_count, 9) int32: dy and dx of the corner of 32 x 32 pixels of the shape; begin of the windows of each level.
#include "ordered.cuh"
#define CELL 32
#define LEVELS 6
#define BLOCK_X 32
#define BLOCK_Y 8
#define TILE_X (BLOCK_X + CELL - 1)
#define TILE_Y (BLOCK_Y + CELL - 1)

extern "C" __global__ void least_in_shape(const VALUE* __restrict__ values, const int* __restrict__ windows,
                                          const int* __restrict__ cells, VALUE* __restrict__ least, const int height,
                                          const int width, const int cell_count, const int flip, const int outside) {
  // The pixels that a cell covers, and their least in windows of 1, 2, 4, ... along the row: two copies change roles.
  __shared__ VALUE tile[2][TILE_Y * TILE_X];
  const int first_x = blockIdx.x * BLOCK_X, first_y = blockIdx.y * BLOCK_Y;
  const int thread = threadIdx.y * BLOCK_X + threadIdx.x;
  int lowest = 0x7fffffff;
  for (int c = 0; c < cell_count; ++c) {
    const int* const cell = cells + c * (3 + LEVELS);
    const int corner_y = cell[0], corner_x = cell[1], end = cell[2 + LEVELS];
    for (int k = thread; k < TILE_Y * TILE_X; k += BLOCK_X * BLOCK_Y) {
      const int y = first_y + corner_y + k / TILE_X, x = first_x + corner_x + k % TILE_X;
      const bool inside = x >= 0 && x < width && y >= 0 && y < height;
      tile[0][k] = inside ? (VALUE)(ordered(values[y * width + x]) ^ flip) : (VALUE)outside;
    }
    __syncthreads();
    int now = 0;
    for (int level = 0; level < LEVELS && cell[2 + level] < end; ++level) {
      for (int w = cell[2 + level]; w < cell[3 + level]; ++w) {
        const int dy = windows[3 * w] - corner_y, dx = windows[3 * w + 1] - corner_x;
        const int value = tile[now][(threadIdx.y + dy) * TILE_X + threadIdx.x + dx];
        lowest = value < lowest ? value : lowest;
      }
      if (cell[3 + level] < end) {
        for (int k = thread; k < TILE_Y * TILE_X - (1 << level); k += BLOCK_X * BLOCK_Y) {
          const VALUE a = tile[now][k], b = tile[now][k + (1 << level)];
          tile[1 - now][k] = a < b ? a : b;
        }
        now = 1 - now;
        __syncthreads();
      }
    }
    __syncthreads();  // read by all before the next cell is loaded
  }
  const int x = first_x + threadIdx.x, y = first_y + threadIdx.y;
  if (x < width && y < height) least[y * width + x] = (VALUE)ordered((VALUE)(lowest ^ flip));
}
