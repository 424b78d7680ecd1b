// One fixed-point step of the variational refinement: freeze the robust weights at the current flow (u, v), then relax
//   (a11 + sum s) u + a12 v = c1 + sum s u_neighbour,     a12 u + (a22 + sum s) v = c2 + sum s v_neighbour
// by red-black successive over-relaxation: see variational_solve.py.
// images: (2, height + 4, width + 4), see variational_images.   base_uv: (2, height, width), the flow of that warp.
// flow_uv: (2, height, width), the unknown, updated.
// After Brox et al. 2004, High Accuracy Optical Flow Estimation Based on a Theory for Warping.
#include "inverse_root.cuh"

// smooth(y, x) = alpha / 2 edge / sqrt(|grad u|^2 + |grad v|^2 + eps^2), edge = 1 / (1 + EDGE |grad mean|^2).
// Forward differences of the flow, 0 across the last row and column.   One thread per pixel.
extern "C" __global__ void variational_solve_smooth(const float* __restrict__ images, const float* __restrict__ flow_uv,
                                                    float* __restrict__ smooth, const int height, const int width,
                                                    const float alpha) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const float* u = flow_uv;
  const float* v = flow_uv + height * width;
  const int i = y * width + x, right = y * width + min(x + 1, width - 1), below = min(y + 1, height - 1) * width + x;
  const float ux = u[right] - u[i], uy = u[below] - u[i], vx = v[right] - v[i], vy = v[below] - v[i];
  const int pitch = width + 4;
  const float* mean = images + (y + 2) * pitch + x + 2;
  const float ix = (mean[1] - mean[-1]) * 0.5f, iy = (mean[pitch] - mean[-pitch]) * 0.5f;
  const float edge = inverse_root(fmaf(EDGE, fmaf(iy, iy, ix * ix), 1.0f));
  const float squares = fmaf(vy, vy, fmaf(vx, vx, fmaf(uy, uy, fmaf(ux, ux, EPSILON2))));
  smooth[i] = 0.5f * alpha * (edge * edge) * inverse_root(squares);
}

// system: (7, height, width): weight to the right, weight downwards, c1, c2, a12, 1 / diagonal of u, 1 / diagonal of v.
// One thread per pixel.
extern "C" __global__ void variational_solve(const float* __restrict__ images, const float* __restrict__ base_uv,
                                             const float* __restrict__ flow_uv, const float* __restrict__ smooth,
                                             float* __restrict__ system, const int height, const int width,
                                             const float delta, const float gamma) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x, pitch = width + 4;
  const float u0 = base_uv[i], v0 = base_uv[plane + i];
  const float du = flow_uv[i] - u0, dv = flow_uv[plane + i] - v0;
  const float to_x = x + u0, to_y = y + v0;
  const float inside = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f ? 1.0f : 0.0f;

  // Derivatives: of the mean in space, of the change in time.
  const float* mean = images + (y + 2) * pitch + x + 2;
  const float* change = mean + (height + 4) * pitch;
  const float ix = (mean[1] - mean[-1]) * 0.5f;
  const float iy = (mean[pitch] - mean[-pitch]) * 0.5f;
  const float twice = mean[0] + mean[0];
  const float ixx = (mean[2] - twice + mean[-2]) * 0.25f;
  const float iyy = (mean[2 * pitch] - twice + mean[-2 * pitch]) * 0.25f;
  const float ixy = ((mean[pitch + 1] - mean[pitch - 1]) - (mean[1 - pitch] - mean[-1 - pitch])) * 0.25f;
  const float iz = change[0];
  const float ixz = (change[1] - change[-1]) * 0.5f;
  const float iyz = (change[pitch] - change[-pitch]) * 0.5f;

  // Normalised residuals at the current flow, and their robust weights.
  float norm = inside * inverse_root(fmaf(iy, iy, fmaf(ix, ix, ZETA2)));
  const float bx = norm * ix, by = norm * iy, bz = norm * iz;
  norm = inside * inverse_root(fmaf(ixy, ixy, fmaf(ixx, ixx, ZETA2)));
  const float gxx = norm * ixx, gxy = norm * ixy, gxz = norm * ixz;
  norm = inside * inverse_root(fmaf(iyy, iyy, fmaf(ixy, ixy, ZETA2)));
  const float gyx = norm * ixy, gyy = norm * iyy, gyz = norm * iyz;
  const float residual = fmaf(by, dv, fmaf(bx, du, bz));
  const float residual_x = fmaf(gxy, dv, fmaf(gxx, du, gxz)), residual_y = fmaf(gyy, dv, fmaf(gyx, du, gyz));
  const float brightness = delta * inverse_root(fmaf(residual, residual, EPSILON2));
  const float squares = fmaf(residual_y, residual_y, fmaf(residual_x, residual_x, EPSILON2));
  const float gradient = gamma * inverse_root(squares);
  const float along_x = brightness * bx, along_y = brightness * by;
  const float xx = gradient * gxx, xy = gradient * gxy, yx = gradient * gyx, yy = gradient * gyy;
  // The small number holds a pixel without data and without neighbours where it is.
  const float a11 = fmaf(yx, gyx, fmaf(xx, gxx, along_x * bx)) + 1e-9f;
  const float a12 = fmaf(yx, gyy, fmaf(xx, gxy, along_x * by));
  const float a22 = fmaf(yy, gyy, fmaf(xy, gxy, along_y * by)) + 1e-9f;
  const float b1 = fmaf(yx, gyz, fmaf(xx, gxz, along_x * bz));
  const float b2 = fmaf(yy, gyz, fmaf(xy, gxz, along_y * bz));

  // Smoothness to the four neighbours.
  const float right = x + 1 < width ? smooth[i] + smooth[i + 1] : 0.0f;
  const float left = x > 0 ? smooth[i] + smooth[i - 1] : 0.0f;
  const float down = y + 1 < height ? smooth[i] + smooth[i + width] : 0.0f;
  const float up = y > 0 ? smooth[i] + smooth[i - width] : 0.0f;
  const float weights = (right + left) + (down + up);
  const float diagonal_u = a11 + weights, diagonal_v = a22 + weights;
  const float inverse = 1.0f / (diagonal_u * diagonal_v);
  system[i] = right;
  system[plane + i] = down;
  system[2 * plane + i] = fmaf(a12, v0, a11 * u0) - b1;
  system[3 * plane + i] = fmaf(a22, v0, a12 * u0) - b2;
  system[4 * plane + i] = a12;
  system[5 * plane + i] = diagonal_v * inverse;
  system[6 * plane + i] = diagonal_u * inverse;
}

// One half-sweep: pixels with (x + y) % 2 == colour, which read only pixels of the other colour.
extern "C" __global__ void variational_solve_relax(const float* __restrict__ system, float* flow_uv, const int height,
                                                   const int width, const int colour, const float omega) {
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x) + ((y + colour) & 1);
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float* right = system;
  const float* down = system + plane;
  float* u = flow_uv;
  float* v = flow_uv + plane;
  float sum_u = system[2 * plane + i], sum_v = system[3 * plane + i];
  if (x > 0) {
    sum_u = fmaf(right[i - 1], u[i - 1], sum_u);
    sum_v = fmaf(right[i - 1], v[i - 1], sum_v);
  }
  if (x + 1 < width) {
    sum_u = fmaf(right[i], u[i + 1], sum_u);
    sum_v = fmaf(right[i], v[i + 1], sum_v);
  }
  if (y > 0) {
    sum_u = fmaf(down[i - width], u[i - width], sum_u);
    sum_v = fmaf(down[i - width], v[i - width], sum_v);
  }
  if (y + 1 < height) {
    sum_u = fmaf(down[i], u[i + width], sum_u);
    sum_v = fmaf(down[i], v[i + width], sum_v);
  }
  const float a12 = system[4 * plane + i];
  const float to_u = fmaf(-a12, v[i], sum_u) * system[5 * plane + i];
  u[i] = fmaf(omega, to_u - u[i], u[i]);
  const float to_v = fmaf(-a12, u[i], sum_v) * system[6 * plane + i];
  v[i] = fmaf(omega, to_v - v[i], v[i]);
}
