// occluded(x) = |wf(x) + wb(x + wf)|^2 >= 0.01 (|wf|^2 + |wb|^2) + 0.5, or x + wf lies outside; past it
// forward_xy, backward_xy: (height, width, 2) float32, pixels.   occluded: (height, width) bool.
// confidence: (height, width) float32 in [0, 1]: 1 for a perfect round trip, 1/16 at the bound, 0 where occluded.   One thread per pixel.
// After Sundaram, Brox, Keutzer 2010, Dense Point Trajectories by GPU-Accelerated Large Displacement Optical Flow, eq. 5.
#include "common.cuh"

extern "C" __global__ void forward_backward(const float* __restrict__ forward_xy, const float* __restrict__ backward_xy,
                                            bool* __restrict__ occluded, float* __restrict__ confidence,
                                            const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float2 forth = ((const float2*)forward_xy)[i];
  const float u = forth.x, v = forth.y;
  const float to_x = x + u, to_y = y + v;
  // Written so that a NaN flow is outside.
  const bool inside = to_x >= -0.5f && to_x <= width - 0.5f && to_y >= -0.5f && to_y <= height - 0.5f;
  const float at_x = clamp_float(to_x, 0.0f, width - 1.0f), at_y = clamp_float(to_y, 0.0f, height - 1.0f);
  const int x0 = (int)at_x, x1 = min(x0 + 1, width - 1);
  const int y0 = (int)at_y, y1 = min(y0 + 1, height - 1);
  const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  const float2* back_xy = (const float2*)backward_xy;
  const float2 a = back_xy[y0 * width + x0], b = back_xy[y0 * width + x1];
  const float2 c = back_xy[y1 * width + x0], d = back_xy[y1 * width + x1];
  const float back_u = fmaf(fy, fmaf(fx, d.x, rx * c.x), ry * fmaf(fx, b.x, rx * a.x));
  const float back_v = fmaf(fy, fmaf(fx, d.y, rx * c.y), ry * fmaf(fx, b.y, rx * a.y));
  const float du = u + back_u, dv = v + back_v;
  const float mismatch = fmaf(dv, dv, du * du);
  const float sizes = fmaf(back_v, back_v, fmaf(back_u, back_u, fmaf(v, v, u * u)));
  const float bound = fmaf(0.01f, sizes, 0.5f);
  const bool visible = inside && mismatch < bound;
  occluded[i] = !visible;
  // 1 / (1 + 3 r)^2 falls like exp(-r) from 1, to 1/16 at the bound, without a library's rounding.
  const float fall = 1.0f / (1.0f + 3.0f * (mismatch / bound));
  confidence[i] = visible ? fall * fall : 0.0f;
}
