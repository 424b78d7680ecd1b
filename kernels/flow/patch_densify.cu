// flow(x) = sum w_i u_i / sum w_i over the patches i that cover x, w_i = 1 / max(1 grey level, |image1(x + u_i) - image0(x)|).
// image0: (height, width) float32.   padded1: image1 with MARGIN repeated pixels all around.   patches: (rows, columns, 2).
// flow_uv: (2, height, width) float32, pixels.   One thread per pixel: it gathers, in the order in
// which the CPU goes through the patches (see patch_densify.py), so that the sums have the same bits. No atomics.
#include "common.cuh"
#include "patch_grid.cuh"

extern "C" __global__ void patch_densify(const float* __restrict__ image0, const float* __restrict__ padded1,
                                         const float* __restrict__ patches, float* __restrict__ flow_uv,
                                         const int height, const int width, const int stride) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int rows = patch_count(height, stride), columns = patch_count(width, stride);
  const int pitch = width + 2 * MARGIN;
  const float here = image0[y * width + x];
  const float low = -(float)PATCH, high_x = (float)width, high_y = (float)height;

  float total = 0.0f, sum_u = 0.0f, sum_v = 0.0f;
  const int phases = (PATCH + stride - 1) / stride;
  const int first_column = max(0, (x - PATCH + stride) / stride), offset = first_column % phases;
  const float2* found = (const float2*)patches;
  for (int row = max(0, (y - PATCH + stride) / stride); row < rows; ++row) {
    const int corner_y = patch_corner(row, stride, height);
    if (corner_y > y) break;
    for (int phase = 0; phase < phases; ++phase) {
      // The first column of this phase that can reach x; at the right edge, where the last column is moved in, a second.
      const int first = first_column + phase - offset + (phase < offset ? phases : 0);
      for (int column = first; column < columns; column += phases) {
        const int corner_x = patch_corner(column, stride, width);
        if (corner_x > x) break;
        const float2 patch = found[row * columns + column];
        const float u = patch.x, v = patch.y;
        // Position of the patch's corner, as in the search, so that all its pixels share one fraction.
        const float at_x = clamp_float(corner_x + u, low, high_x) + (float)MARGIN;
        const float at_y = clamp_float(corner_y + v, low, high_y) + (float)MARGIN;
        const int x0 = (int)at_x, y0 = (int)at_y;
        const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
        const float* pixel = padded1 + (y0 + y - corner_y) * pitch + x0 + x - corner_x;
        const float top = fmaf(fx, pixel[1], rx * pixel[0]), bottom = fmaf(fx, pixel[pitch + 1], rx * pixel[pitch]);
        const float difference = fmaf(fy, bottom, ry * top) - here;
        const float weight = 1.0f / fmaxf(fabsf(difference), GREY_LEVEL);
        total += weight;
        sum_u = fmaf(weight, u, sum_u);
        sum_v = fmaf(weight, v, sum_v);
      }
    }
  }
  const float scale = 1.0f / total;
  flow_uv[y * width + x] = sum_u * scale;
  flow_uv[(height + y) * width + x] = sum_v * scale;
}
