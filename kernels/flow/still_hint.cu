// hint = 0 where the seed at the patch's centre has a neighbour that stands still, else the patch's start.
// start, hint: (rows, columns, 2) float32, pixels of the level.   still: (seed_rows, seed_columns) bool.
// One thread per patch.
#include "patch_grid.cuh"

extern "C" __global__ void still_hint(const float* __restrict__ start, const bool* __restrict__ still,
                                      float* __restrict__ hint, const int rows, const int columns,
                                      const int seed_rows, const int seed_columns, const int height, const int width,
                                      const int stride, const int level) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int x = patch_corner(column, stride, width) + PATCH / 2, y = patch_corner(row, stride, height) + PATCH / 2;
  const int seed_row = min((y << level) / SEED, seed_rows - 1), seed_column = min((x << level) / SEED, seed_columns - 1);
  const bool stands = still[seed_row * seed_columns + seed_column];
  const int i = 2 * (row * columns + column);
  hint[i] = stands ? 0.0f : start[i];
  hint[i + 1] = stands ? 0.0f : start[i + 1];
}
