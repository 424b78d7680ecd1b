// kept = found where the patch's start lies inside image1, give or take OUTSIDE pixels; else start.
// start, found, kept: (rows, columns, 2) float32, pixels.   One thread per patch.
#include "patch_grid.cuh"

extern "C" __global__ void patch_inside(const float* __restrict__ start, const float* __restrict__ found,
                                        float* __restrict__ kept, const int rows, const int columns, const int height,
                                        const int width, const int stride) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int i = 2 * (row * columns + column);
  const float x = patch_corner(column, stride, width) + start[i], y = patch_corner(row, stride, height) + start[i + 1];
  const bool inside =
      x >= -OUTSIDE && y >= -OUTSIDE && x <= (float)(width - PATCH) + OUTSIDE && y <= (float)(height - PATCH) + OUTSIDE;
  kept[i] = inside ? found[i] : start[i];
  kept[i + 1] = inside ? found[i + 1] : start[i + 1];
}
