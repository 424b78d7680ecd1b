// start(row, column) = 2 coarse(centre of the patch / 2), bilinear: where the search of each patch begins.
// coarse_uv: (2, coarse_height, coarse_width) float32, pixels of the coarse level.   start: (rows, columns, 2) float32.
// One thread per patch.
#include "common.cuh"
#include "patch_grid.cuh"

extern "C" __global__ void patch_start(const float* __restrict__ coarse_uv, float* __restrict__ start,
                                       const int coarse_height, const int coarse_width, const int height,
                                       const int width, const int stride) {
  const int columns = patch_count(width, stride);
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= patch_count(height, stride)) return;
  // The centre of fine pixels corner .. corner + 7 is fine corner + 3.5, coarse corner / 2 + 1.5.
  const float x = fminf(patch_corner(column, stride, width) * 0.5f + 1.5f, coarse_width - 1.0f);
  const float y = fminf(patch_corner(row, stride, height) * 0.5f + 1.5f, coarse_height - 1.0f);
  const int x0 = (int)x, x1 = min(x0 + 1, coarse_width - 1);
  const int y0 = (int)y, y1 = min(y0 + 1, coarse_height - 1);
  const float fx = x - x0, fy = y - y0;
  float value[2];
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const float* plane = coarse_uv + c * coarse_height * coarse_width;
    const float top = plane[y0 * coarse_width + x0] * (1.0f - fx) + plane[y0 * coarse_width + x1] * fx;
    const float bottom = plane[y1 * coarse_width + x0] * (1.0f - fx) + plane[y1 * coarse_width + x1] * fx;
    value[c] = 2.0f * (top * (1.0f - fy) + bottom * fy);
  }
  ((float2*)start)[row * columns + column] = make_float2(value[0], value[1]);
}
