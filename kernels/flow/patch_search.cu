// Inverse search: u(patch) such that image1(x + u) fits image0(x) on the patch's 8x8 pixels, up to a constant.
// padded0, padded1: image0 and image1 (height, width) float32 with MARGIN repeated pixels all around.
// start, hint, found: (rows, columns, 2) float32, pixels.   spread 0: search from start, or from hint where it fits much
// better; spread 1: search only where a neighbour's start fits better than the patch's own.
// One warp per patch, see patch_fit.cuh.
// After Kroeger et al. 2016, Fast Optical Flow using Dense Inverse Search.
#include "common.cuh"
#include "patch_grid.cuh"
#include "patch_fit.cuh"

extern "C" __global__ void patch_search(const float* __restrict__ padded0, const float* __restrict__ padded1,
                                        const float* __restrict__ start, const float* __restrict__ hint,
                                        float* __restrict__ found, const int height, const int width, const int stride,
                                        const int iterations, const int spread) {
  const int rows = patch_count(height, stride), columns = patch_count(width, stride);
  const int patch = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
  const int thread = threadIdx.x % 32;
  if (patch >= rows * columns) return;  // whole warps leave together
  const int row = patch / columns, column = patch % columns;
  const int corner_x = patch_corner(column, stride, width), corner_y = patch_corner(row, stride, height);
  const int pitch = width + 2 * MARGIN;
  const float* pixel0 = padded0 + (corner_y + MARGIN + thread / 8) * pitch + corner_x + MARGIN + thread % 8;
  const float* pixel1 = pixel0 + 4 * pitch;

  const float template0 = *pixel0, template1 = *pixel1;
  const float low = -(float)PATCH, high_x = (float)width, high_y = (float)height;
  float x = clamp_float(corner_x + start[2 * patch], low, high_x);
  float y = clamp_float(corner_y + start[2 * patch + 1], low, high_y);
  bool moved = !spread;
  float best = -1.0f;  // not computed yet
  for (int side = 0; side < (spread ? 4 : 1); ++side) {
    float other_x, other_y;
    if (spread) {
      const int other_row = row + (side == 3) - (side == 0), other_column = column + (side == 2) - (side == 1);
      if (other_row < 0 || other_row >= rows || other_column < 0 || other_column >= columns) continue;
      const int other = other_row * columns + other_column;
      other_x = corner_x + start[2 * other];
      other_y = corner_y + start[2 * other + 1];
    } else {
      other_x = corner_x + hint[2 * patch];
      other_y = corner_y + hint[2 * patch + 1];
    }
    other_x = clamp_float(other_x, low, high_x);
    other_y = clamp_float(other_y, low, high_y);
    if (distance2(x, y, other_x, other_y) < NEAR) continue;
    if (best < 0.0f) {
      best = cost(residuals(padded1, pitch, x, y, thread, template0, template1));
      if (!spread) best *= HINT;
    }
    const float other_cost = cost(residuals(padded1, pitch, other_x, other_y, thread, template0, template1));
    if (other_cost < best) {
      best = other_cost;
      x = other_x;
      y = other_y;
      moved = true;
    }
  }
  if (!moved) {
    if (thread < 2) found[2 * patch + thread] = start[2 * patch + thread];
    return;
  }

  const float gx0 = (pixel0[1] - pixel0[-1]) * 0.5f, gy0 = (pixel0[pitch] - pixel0[-pitch]) * 0.5f;
  const float gx1 = (pixel1[1] - pixel1[-1]) * 0.5f, gy1 = (pixel1[pitch] - pixel1[-pitch]) * 0.5f;
  const Sums means = patch_sums(gx0 + gx1, gy0 + gy1);
  const Sums squares = patch_sums(fmaf(gx1, gx1, gx0 * gx0), fmaf(gy1, gy1, gy0 * gy0));
  const float mean_x = means.first * 0.015625f, mean_y = means.second * 0.015625f;
  float a = squares.first - 64.0f * mean_x * mean_x;
  float b = patch_sum(fmaf(gx1, gy1, gx0 * gy0)) - 64.0f * mean_x * mean_y;
  float c = squares.second - 64.0f * mean_y * mean_y;
  const float strength = PULL * (a + c) + FLAT;
  a += strength;
  c += strength;
  const float scale = 1.0f / (a * c - b * b);
  a *= scale;
  b *= scale;
  c *= scale;
  const float pull_xx = strength * c, pull_xy = strength * b, pull_yy = strength * a;
  const float step_x0 = c * (gx0 - mean_x) - b * (gy0 - mean_y), step_x1 = c * (gx1 - mean_x) - b * (gy1 - mean_y);
  const float step_y0 = a * (gy0 - mean_y) - b * (gx0 - mean_x), step_y1 = a * (gy1 - mean_y) - b * (gx1 - mean_x);

  const float from_x = x, from_y = y;
  for (int i = 0; i < iterations; ++i) {
    const Residuals r = residuals(padded1, pitch, x, y, thread, template0, template1);
    const float off_x = x - from_x, off_y = y - from_y;
    const Sums sums =
        patch_sums(fmaf(r.second, step_x1, r.first * step_x0), fmaf(r.second, step_y1, r.first * step_y0));
    const float step_x = sums.first + (pull_xx * off_x - pull_xy * off_y);
    const float step_y = sums.second + (pull_yy * off_y - pull_xy * off_x);
    x = clamp_float(x - step_x, low, high_x);
    y = clamp_float(y - step_y, low, high_y);
    if (step_x * step_x + step_y * step_y < STILL) break;
  }
  if (distance2(x, y, from_x, from_y) > (float)(PATCH * PATCH)) {
    x = from_x;
    y = from_y;
  }
  if (thread == 0) {
    found[2 * patch] = x - corner_x;
    found[2 * patch + 1] = y - corner_y;
  }
}
