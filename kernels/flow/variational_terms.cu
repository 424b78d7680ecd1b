// What the variational refinement needs to know of two images around a flow: brightness and gradient constancy,
// linearised at the flow and divided by the gradients, so that strong edges do not outweigh weak ones.
//   mean = (image0 + warped1) / 2,  change = warped1 - image0, in grey levels (0 .. 255)
//   terms 0 1 2: (Ix, Iy, Iz) / sqrt(Ix^2 + Iy^2 + zeta^2)
//   terms 3 .. 8: g11 g12 g22 g13 g23 g33 of the sum over both rows r = (Ixx, Ixy, Ixz), (Ixy, Iyy, Iyz) of
//                 r r^T / (r1^2 + r2^2 + zeta^2)
//   term 9: 1 / (1 + EDGE (Ix^2 + Iy^2)), how much smoothness counts: motion changes at edges
// The data terms are zero where the flow leaves image1.   After Brox et al. 2004 and Zimmer et al. 2011 (the normalisation).
#include "common.cuh"

// image0: (height, width) float32.   padded1: image1 with MARGIN repeated pixels all around.   flow_uv: (2, height, width).
// mean, change: (height, width), grey levels.   One thread per pixel.
extern "C" __global__ void variational_terms_warp(const float* __restrict__ image0, const float* __restrict__ padded1,
                                                  const float* __restrict__ flow_uv, float* __restrict__ mean,
                                                  float* __restrict__ change, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float at_x = clamp_float(x + flow_uv[i], 0.0f, width - 1.0f);
  const float at_y = clamp_float(y + flow_uv[height * width + i], 0.0f, height - 1.0f);
  const int x0 = (int)at_x, y0 = (int)at_y, pitch = width + 2 * MARGIN;
  const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  const float* pixel = padded1 + (y0 + MARGIN) * pitch + x0 + MARGIN;
  const float top = fmaf(fx, pixel[1], rx * pixel[0]), bottom = fmaf(fx, pixel[pitch + 1], rx * pixel[pitch]);
  const float there = 255.0f * fmaf(fy, bottom, ry * top), here = 255.0f * image0[i];
  mean[i] = (here + there) * 0.5f;
  change[i] = there - here;
}

// terms: (10, height, width) float32.   One thread per pixel.
extern "C" __global__ void variational_terms(const float* __restrict__ mean, const float* __restrict__ change,
                                             const float* __restrict__ flow_uv, float* __restrict__ terms,
                                             const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float to_x = x + flow_uv[i], to_y = y + flow_uv[plane + i];
  const float inside = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f ? 1.0f : 0.0f;

  const int left = max(x - 1, 0), right = min(x + 1, width - 1), far_left = max(x - 2, 0), far_right = min(x + 2, width - 1);
  const int row = y * width, above = max(y - 1, 0) * width, below = min(y + 1, height - 1) * width;
  const int far_above = max(y - 2, 0) * width, far_below = min(y + 2, height - 1) * width;
  const float ix = (mean[row + right] - mean[row + left]) * 0.5f;
  const float iy = (mean[below + x] - mean[above + x]) * 0.5f;
  const float iz = change[i];
  const float twice = mean[i] + mean[i];
  const float ixx = (mean[row + far_right] - twice + mean[row + far_left]) * 0.25f;
  const float iyy = (mean[far_below + x] - twice + mean[far_above + x]) * 0.25f;
  const float ixy = ((mean[below + right] - mean[below + left]) - (mean[above + right] - mean[above + left])) * 0.25f;
  const float ixz = (change[row + right] - change[row + left]) * 0.5f;
  const float iyz = (change[below + x] - change[above + x]) * 0.5f;

  const float brightness = inside / sqrtf(fmaf(iy, iy, fmaf(ix, ix, ZETA2)));
  const float first = inside / fmaf(ixy, ixy, fmaf(ixx, ixx, ZETA2));
  const float second = inside / fmaf(iyy, iyy, fmaf(ixy, ixy, ZETA2));
  terms[i] = brightness * ix;
  terms[plane + i] = brightness * iy;
  terms[2 * plane + i] = brightness * iz;
  terms[3 * plane + i] = fmaf(second * ixy, ixy, first * ixx * ixx);
  terms[4 * plane + i] = fmaf(second * ixy, iyy, first * ixx * ixy);
  terms[5 * plane + i] = fmaf(second * iyy, iyy, first * ixy * ixy);
  terms[6 * plane + i] = fmaf(second * ixy, iyz, first * ixx * ixz);
  terms[7 * plane + i] = fmaf(second * iyy, iyz, first * ixy * ixz);
  terms[8 * plane + i] = fmaf(second * iyz, iyz, first * ixz * ixz);
  terms[9 * plane + i] = 1.0f / fmaf(EDGE, fmaf(iy, iy, ix * ix), 1.0f);
}
