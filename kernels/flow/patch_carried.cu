// start(patch), or the motion seen there in the pair before if it fits clearly better: see patch_carried.py.
// padded0, padded1: image0 and image1 (height, width) float32 with MARGIN repeated pixels all around.
// start, chosen: (rows, columns, 2) float32, pixels.   carried: (cell_rows, cell_columns, 2) float32, pixels of level 0,
// NaN where there is none.
// One warp per patch, see patch_fit.cuh.
#include "common.cuh"
#include "patch_grid.cuh"
#include "patch_fit.cuh"

extern "C" __global__ void patch_carried(const float* __restrict__ padded0, const float* __restrict__ padded1,
                                         const float* __restrict__ start, const float* __restrict__ carried,
                                         float* __restrict__ chosen, const int height, const int width,
                                         const int cell_rows, const int cell_columns, const int stride,
                                         const int level) {
  const int columns = patch_count(width, stride);
  const int patch = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
  const int thread = threadIdx.x % 32;
  if (patch >= patch_count(height, stride) * columns) return;  // whole warps leave together
  const int corner_x = patch_corner(patch % columns, stride, width);
  const int corner_y = patch_corner(patch / columns, stride, height);
  const int cell_row = min(((corner_y + PATCH / 2) << level) / CELL, cell_rows - 1);
  const int cell_column = min(((corner_x + PATCH / 2) << level) / CELL, cell_columns - 1);
  const float scale = 1.0f / (float)(1 << level);
  const float u = scale * carried[2 * (cell_row * cell_columns + cell_column)];
  const float v = scale * carried[2 * (cell_row * cell_columns + cell_column) + 1];

  bool better = false;
  if (u == u) {
    const float low = -(float)PATCH, high_x = (float)width, high_y = (float)height;
    const float x = clamp_float(corner_x + start[2 * patch], low, high_x);
    const float y = clamp_float(corner_y + start[2 * patch + 1], low, high_y);
    const float other_x = clamp_float(corner_x + u, low, high_x), other_y = clamp_float(corner_y + v, low, high_y);
    if (distance2(x, y, other_x, other_y) >= NEAR) {
      const int pitch = width + 2 * MARGIN;
      const float* pixel0 = padded0 + (corner_y + MARGIN + thread / 8) * pitch + corner_x + MARGIN + thread % 8;
      const float template0 = pixel0[0], template1 = pixel0[4 * pitch];
      const float best = CARRIED * cost(residuals(padded1, pitch, x, y, thread, template0, template1));
      better = cost(residuals(padded1, pitch, other_x, other_y, thread, template0, template1)) < best;
    }
  }
  if (thread < 2) chosen[2 * patch + thread] = better ? (thread ? v : u) : start[2 * patch + thread];
}
