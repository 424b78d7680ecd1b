// flow(y, x) = factor * coarse((y + 0.5) / factor - 0.5, (x + 0.5) / factor - 0.5), bilinear, clamped at the edges.
// coarse_uv: (2, coarse_height, coarse_width) float32.   factor: 1, 2, 4, ...
// flow: u of pixel i at step * i, v at step * i + to_v: (height, width, 2) or (2, height, width) float32.   One thread per output pixel.
#include "common.cuh"

extern "C" __global__ void flow_upsample(const float* __restrict__ coarse_uv, float* __restrict__ flow,
                                         const int coarse_height, const int coarse_width, const int height,
                                         const int width, const int factor, const int step, const int to_v) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const float scale = 1.0f / factor;
  const float coarse_x = clamp_float((x + 0.5f) * scale - 0.5f, 0.0f, coarse_width - 1.0f);
  const float coarse_y = clamp_float((y + 0.5f) * scale - 0.5f, 0.0f, coarse_height - 1.0f);
  const int x0 = (int)coarse_x, x1 = min(x0 + 1, coarse_width - 1);
  const int y0 = (int)coarse_y, y1 = min(y0 + 1, coarse_height - 1);
  const float fx = coarse_x - x0, fy = coarse_y - y0;
  float value[2];
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const float* plane = coarse_uv + c * coarse_height * coarse_width;
    // Rows first, then columns, as on the CPU.
    const float left = fmaf(fy, plane[y1 * coarse_width + x0], (1.0f - fy) * plane[y0 * coarse_width + x0]);
    const float right = fmaf(fy, plane[y1 * coarse_width + x1], (1.0f - fy) * plane[y0 * coarse_width + x1]);
    value[c] = factor * fmaf(fx, right, (1.0f - fx) * left);
  }
  if (step == 2) {
    ((float2*)flow)[y * width + x] = make_float2(value[0], value[1]);  // whole sectors
  } else {
    flow[y * width + x] = value[0];
    flow[y * width + x + to_v] = value[1];
  }
}
