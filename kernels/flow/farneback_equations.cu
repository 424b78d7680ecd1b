// Normal equations of A flow = (b0 - b1) / 2 + A flow_so_far, weighted by
// seen / (|A|^2 + floor^2) / sqrt(1 + (distance / robust)^2), distance = |b0 - b1| / 2 |A|.
// expansion0, expansion1: (5, height, width) float32: b1, b2, a11, a12, a22; the second one is read where flow_uv points.
// flow_uv: (2, height, width), pixels.   equations: (5, height, width): A A as xx, xy, yy, and A times the right side.
// One thread per pixel.
#include "common.cuh"

extern "C" __global__ void farneback_equations(const float* __restrict__ expansion0,
                                               const float* __restrict__ expansion1, const float* __restrict__ flow_uv,
                                               float* __restrict__ equations, const int height, const int width,
                                               const float floor2, const float inverse_robust2) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float u = flow_uv[i], v = flow_uv[plane + i], to_x = x + u, to_y = y + v;
  const bool seen = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f;
  const float at_x = clamp_float(to_x, 0.0f, width - 1.0f), at_y = clamp_float(to_y, 0.0f, height - 1.0f);
  const int x0 = (int)at_x, y0 = (int)at_y;
  const int from = y0 * width + x0, right = x0 < width - 1 ? 1 : 0, below = y0 < height - 1 ? width : 0;
  const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  float there[5];
  for (int c = 0; c < 5; ++c) {
    const float* values = expansion1 + c * plane + from;
    const float top = fmaf(fx, values[right], rx * values[0]);
    const float bottom = fmaf(fx, values[below + right], rx * values[below]);
    there[c] = fmaf(fy, bottom, ry * top);
  }
  float b1 = 0.5f * (expansion0[i] - there[0]), b2 = 0.5f * (expansion0[plane + i] - there[1]);
  const float a11 = 0.5f * (expansion0[2 * plane + i] + there[2]);
  const float a12 = 0.5f * (expansion0[3 * plane + i] + there[3]);
  const float a22 = 0.5f * (expansion0[4 * plane + i] + there[4]);
  const float cross = 2.0f * (a12 * a12);
  const float scale = 1.0f / (fmaf(a22, a22, fmaf(a11, a11, cross)) + floor2);
  const float distance2 = scale * fmaf(b2, b2, b1 * b1);
  const float weight = (seen ? 1.0f : 0.0f) * (scale / sqrtf(fmaf(distance2, inverse_robust2, 1.0f)));
  const float weight11 = weight * a11, weight12 = weight * a12, weight22 = weight * a22;
  equations[i] = fmaf(weight12, a12, weight11 * a11);
  equations[plane + i] = fmaf(weight12, a22, weight11 * a12);
  equations[2 * plane + i] = fmaf(weight22, a22, weight12 * a12);
  b1 = fmaf(a12, v, fmaf(a11, u, b1));
  b2 = fmaf(a22, v, fmaf(a12, u, b2));
  equations[3 * plane + i] = weight * fmaf(a12, b2, a11 * b1);
  equations[4 * plane + i] = weight * fmaf(a22, b2, a12 * b1);
}
