// hint = the match of the patch's seed where it is known and far from the start; else 0 near what stands still; else
// the start.   One thread per patch.
// start, hint: (rows, columns, 2) float32, pixels of the level.   known_uv: (2, seed_rows, seed_columns) float32, in
// pixels of level 3.   distance: (seed_rows, seed_columns) int32, 0 where it is known.   still: (same) bool.
#include "patch_grid.cuh"

extern "C" __global__ void match_hint(const float* __restrict__ start, const float* __restrict__ known_uv,
                                      const int* __restrict__ distance, const bool* __restrict__ still,
                                      float* __restrict__ hint, const int rows, const int columns,
                                      const int seed_rows, const int seed_columns, const int height, const int width,
                                      const int stride, const int level) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int x = patch_corner(column, stride, width) + PATCH / 2, y = patch_corner(row, stride, height) + PATCH / 2;
  const int seed_row = min((y << level) / SEED, seed_rows - 1);
  const int seed = seed_row * seed_columns + min((x << level) / SEED, seed_columns - 1);
  const int i = 2 * (row * columns + column);
  const float scale = (float)(SEED >> level), far = LOST * scale;
  float u = start[i], v = start[i + 1];
  const float match_u = scale * known_uv[seed], match_v = scale * known_uv[seed_rows * seed_columns + seed];
  if ((fabsf(match_u - u) > far || fabsf(match_v - v) > far) && distance[seed] == 0) {
    u = match_u;
    v = match_v;
  } else if (still[seed]) {
    u = 0.0f;
    v = 0.0f;
  }
  hint[i] = u;
  hint[i + 1] = v;
}
