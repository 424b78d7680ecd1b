// One fixed-point step of the variational refinement: freeze the robust weights at the current flow (u, v), then relax
//   (a11 + sum w) u + a12 v = c1 + sum w u_neighbour,     a12 u + (a22 + sum w) v = c2 + sum w v_neighbour
// by red-black successive over-relaxation.   terms: (10, height, width), see variational_terms.
// base_uv: (2, height, width), where the terms were linearised.   flow_uv: (2, height, width), the unknown, updated.
// After Brox et al. 2004, High Accuracy Optical Flow Estimation Based on a Theory for Warping.

// smooth(y, x) = alpha / 2 * term 9 / sqrt(|grad u|^2 + |grad v|^2 + eps^2), forward differences, 0 across the last edge.
extern "C" __global__ void variational_solve_smooth(const float* __restrict__ terms, const float* __restrict__ flow_uv,
                                                    float* __restrict__ smooth, const int height, const int width,
                                                    const float alpha) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const float* u = flow_uv;
  const float* v = flow_uv + height * width;
  const int i = y * width + x, right = y * width + min(x + 1, width - 1), below = min(y + 1, height - 1) * width + x;
  const float ux = u[right] - u[i], uy = u[below] - u[i], vx = v[right] - v[i], vy = v[below] - v[i];
  const float squares = fmaf(vy, vy, fmaf(vx, vx, fmaf(uy, uy, fmaf(ux, ux, EPSILON2))));
  smooth[i] = 0.5f * alpha * terms[9 * height * width + i] / sqrtf(squares);
}

// system: (7, height, width): weight to the right, weight downwards, c1, c2, a12, 1 / diagonal of u, 1 / diagonal of v.
extern "C" __global__ void variational_solve_system(const float* __restrict__ terms, const float* __restrict__ base_uv,
                                                    const float* __restrict__ flow_uv,
                                                    const float* __restrict__ smooth, float* __restrict__ system,
                                                    const int height, const int width, const float delta,
                                                    const float gamma) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float u0 = base_uv[i], v0 = base_uv[plane + i];
  const float du = flow_uv[i] - u0, dv = flow_uv[plane + i] - v0;
  const float bx = terms[i], by = terms[plane + i], bz = terms[2 * plane + i];
  const float g11 = terms[3 * plane + i], g12 = terms[4 * plane + i], g22 = terms[5 * plane + i];
  const float g13 = terms[6 * plane + i], g23 = terms[7 * plane + i], g33 = terms[8 * plane + i];
  const float residual = fmaf(by, dv, fmaf(bx, du, bz));
  const float along_u = fmaf(g12, dv, fmaf(g11, du, g13)), along_v = fmaf(g22, dv, fmaf(g12, du, g23));
  const float squares = fmaf(along_v + g23, dv, fmaf(along_u + g13, du, g33));
  const float brightness = delta / sqrtf(fmaf(residual, residual, EPSILON2));
  const float gradient = gamma / sqrtf(fmaxf(squares, 0.0f) + EPSILON2);
  const float a11 = fmaf(gradient, g11, brightness * bx * bx);
  const float a12 = fmaf(gradient, g12, brightness * bx * by);
  const float a22 = fmaf(gradient, g22, brightness * by * by);
  const float b1 = fmaf(gradient, g13, brightness * bx * bz);
  const float b2 = fmaf(gradient, g23, brightness * by * bz);
  const float right = x + 1 < width ? smooth[i] + smooth[i + 1] : 0.0f;
  const float left = x > 0 ? smooth[i] + smooth[i - 1] : 0.0f;
  const float down = y + 1 < height ? smooth[i] + smooth[i + width] : 0.0f;
  const float up = y > 0 ? smooth[i] + smooth[i - width] : 0.0f;
  // The small number keeps a pixel without data and without neighbours (a 1x1 image) finite.
  const float weights = (right + left) + (down + up) + 1e-9f;
  system[i] = right;
  system[plane + i] = down;
  system[2 * plane + i] = fmaf(a12, v0, a11 * u0) - b1;
  system[3 * plane + i] = fmaf(a22, v0, a12 * u0) - b2;
  system[4 * plane + i] = a12;
  system[5 * plane + i] = 1.0f / (a11 + weights);
  system[6 * plane + i] = 1.0f / (a22 + weights);
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
