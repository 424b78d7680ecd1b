// One Jacobi iteration of Horn and Schunck, their eq. 12: u = mean u - Ix t, v = mean v - Iy t,
// t = Ix mean u + Iy mean v + It; the mean weighs sides 1/6 and corners 1/12.
// constraint: (3, height, width) float32: Ix, Iy, It, divided by sqrt(smoothness^2 + Ix^2 + Iy^2).
// flow, relaxed: (2, height, width), pixels.
// One thread per pixel.
#include "common.cuh"

__device__ __forceinline__ float horn_schunck_average(const float* __restrict__ values, const int left, const int x,
                                                      const int right, const int up, const int y, const int down) {
  const float column = values[up + x] + values[down + x];
  const float corners = (values[up + left] + values[down + left]) + (values[up + right] + values[down + right]);
  const float cross = (values[y + left] + values[y + right]) + column;
  return fmaf(1.0f / 6.0f, cross, (1.0f / 12.0f) * corners);
}

extern "C" __global__ void horn_schunck_relax(const float* __restrict__ constraint, const float* __restrict__ flow,
                                              float* __restrict__ relaxed, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const int left = max(x - 1, 0), right = min(x + 1, width - 1);
  const int up = max(y - 1, 0) * width, here = y * width, down = min(y + 1, height - 1) * width;
  const float average_u = horn_schunck_average(flow, left, x, right, up, here, down);
  const float average_v = horn_schunck_average(flow + plane, left, x, right, up, here, down);
  const float ix = constraint[i], iy = constraint[plane + i];
  const float t = fmaf(iy, average_v, fmaf(ix, average_u, constraint[2 * plane + i]));
  const float minus_t = 0.0f - t;
  relaxed[i] = fmaf(ix, minus_t, average_u);
  relaxed[plane + i] = fmaf(iy, minus_t, average_v);
}
