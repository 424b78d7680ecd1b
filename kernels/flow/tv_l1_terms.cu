// What TV-L1 asks of every pixel: see tv_l1_terms.py for the formulas.   One thread per pixel in both functions.
// image0: (height, width) float32 in [0, 1].   padded1: image1 with MARGIN repeated pixels all around.
// flow_uv: (2, height, width), pixels.   images: (2, height, width), mean and change in grey levels, 0 .. 255.
// terms: (6, height, width): factors of u, v and light, constant, smoothness, 1 / squared length of the factors.
#include "common.cuh"
#include "inverse_root.cuh"

__device__ __forceinline__ void cubic_weights(const float f, float* weights) {
  weights[0] = f * (f * (1.0f - 0.5f * f) - 0.5f);
  weights[1] = f * f * (1.5f * f - 2.5f) + 1.0f;
  weights[2] = f * (f * (2.0f - 1.5f * f) + 0.5f);
  weights[3] = f * f * (0.5f * f - 0.5f);
}

extern "C" __global__ void tv_l1_terms_images(const float* __restrict__ image0, const float* __restrict__ padded1,
                                              const float* __restrict__ flow_uv, float* __restrict__ images,
                                              const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, pitch = width + 2 * MARGIN;
  const float at_x = clamp_float(x + flow_uv[i], 0.0f, width - 1.0f);
  const float at_y = clamp_float(y + flow_uv[height * width + i], 0.0f, height - 1.0f);
  const int x0 = (int)at_x, y0 = (int)at_y;
  float across[4], down[4], columns[4];
  cubic_weights(at_x - x0, across);
  cubic_weights(at_y - y0, down);
  const float* corner = padded1 + (y0 + MARGIN - 1) * pitch + x0 + MARGIN - 1;
  for (int k = 0; k < 4; ++k) {
    float sum = down[0] * corner[k];
    sum = fmaf(down[1], corner[pitch + k], sum);
    sum = fmaf(down[2], corner[2 * pitch + k], sum);
    columns[k] = fmaf(down[3], corner[3 * pitch + k], sum) * across[k];
  }
  const float there = 255.0f * ((columns[0] + columns[2]) + (columns[1] + columns[3])), before = 255.0f * image0[i];
  images[i] = (before + there) * 0.5f;
  images[height * width + i] = there - before;
}

extern "C" __global__ void tv_l1_terms(const float* __restrict__ images, const float* __restrict__ flow_uv,
                                       float* __restrict__ terms, const int height, const int width,
                                       const float light, const float edge) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float u = flow_uv[i], v = flow_uv[plane + i];
  const float to_x = x + u, to_y = y + v;
  const float inside = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f ? 1.0f : 0.0f;
  const float* row = images + y * width;
  const int left = max(x - 1, 0), left2 = max(x - 2, 0), right = min(x + 1, width - 1), right2 = min(x + 2, width - 1);
  const float near = (float)(8.0 / 12.0), far = (float)(1.0 / 12.0);
  const float ix = near * (row[right] - row[left]) - far * (row[right2] - row[left2]);
  const float* column = images + x;
  const int up = max(y - 1, 0), up2 = max(y - 2, 0), down = min(y + 1, height - 1), down2 = min(y + 2, height - 1);
  const float iy = near * (column[down * width] - column[up * width]) - far * (column[down2 * width] - column[up2 * width]);
  const float squares = fmaf(iy, iy, ix * ix);
  const float norm = inside * inverse_root(squares + CONTRAST2);
  const float a = norm * ix, b = norm * iy, c = norm * light;
  terms[i] = a;
  terms[plane + i] = b;
  terms[2 * plane + i] = c;
  terms[3 * plane + i] = norm * images[plane + i] - fmaf(b, v, a * u);
  const float less = inverse_root(fmaf(edge, squares, 1.0f));
  terms[4 * plane + i] = less * less;
  const float length = inverse_root(fmaf(c, c, fmaf(b, b, fmaf(a, a, TINY))));
  terms[5 * plane + i] = length * length;
}
