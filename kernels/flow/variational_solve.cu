// One fixed-point step of the variational refinement: freeze the robust weights at the flow `frozen_uv`, then relax
//   (a11 + sum s) u + a12 v = c1 + sum s u_neighbour,     a12 u + (a22 + sum s) v = c2 + sum s v_neighbour
// by red-black successive over-relaxation: see variational_solve.py.
// images: (2, height + 4, width + 4), see variational_images.   All flows are (2, height, width): base_uv is that of the
// warp, start_uv where the relaxation starts, relaxed_uv where it ends, an array of its own.
// One block relaxes a tile of TILE x TILE pixels, `sweeps` times, without leaving shared memory; one thread has two pixels
// side by side in two rows, their equations in registers. A half-sweep spoils a ring at the edge of the tile, because its
// neighbours are not there: after all of them the inner TILE - 4 sweeps pixels are right, with the bits that sweeps over
// the whole image have, and are written. Tiles begin at even pixels, so that colours are those of the image.
// After Brox et al. 2004, High Accuracy Optical Flow Estimation Based on a Theory for Warping.
#include "inverse_root.cuh"

#define PAIRS (TILE / 2)
#define ROWS 2  // of each thread

// smooth(y, x) = alpha / 2 edge / sqrt(|grad u|^2 + |grad v|^2 + eps^2), edge = 1 / (1 + EDGE |grad mean|^2).
// Forward differences of the flow, 0 across the last row and column.
__device__ __forceinline__ float smoothness(const float* __restrict__ images, const float* __restrict__ flow_uv,
                                            const int x, const int y, const int height, const int width,
                                            const float alpha) {
  const float* u = flow_uv;
  const float* v = flow_uv + height * width;
  const int i = y * width + x, right = y * width + min(x + 1, width - 1), below = min(y + 1, height - 1) * width + x;
  const float ux = u[right] - u[i], uy = u[below] - u[i], vx = v[right] - v[i], vy = v[below] - v[i];
  const int pitch = width + 4;
  const float* mean = images + (y + 2) * pitch + x + 2;
  const float ix = (mean[1] - mean[-1]) * 0.5f, iy = (mean[pitch] - mean[-pitch]) * 0.5f;
  const float edge = inverse_root(fmaf(EDGE, fmaf(iy, iy, ix * ix), 1.0f));
  const float squares = fmaf(vy, vy, fmaf(vx, vx, fmaf(uy, uy, fmaf(ux, ux, EPSILON2))));
  return 0.5f * alpha * (edge * edge) * inverse_root(squares);
}

struct Equations {
  float c1, c2, a12, inverse_u, inverse_v;  // the last two: 1 / diagonal
};

// weights: sum of the weights to the four neighbours.
__device__ __forceinline__ Equations equations(const float* __restrict__ images, const float* __restrict__ base_uv,
                                               const float* __restrict__ frozen_uv, const int x, const int y,
                                               const int height, const int width, const float delta,
                                               const float gamma, const float weights) {
  const int plane = height * width, i = y * width + x, pitch = width + 4;
  const float u0 = base_uv[i], v0 = base_uv[plane + i];
  const float du = frozen_uv[i] - u0, dv = frozen_uv[plane + i] - v0;
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

  const float diagonal_u = a11 + weights, diagonal_v = a22 + weights;
  const float inverse = 1.0f / (diagonal_u * diagonal_v);
  Equations result;
  result.c1 = fmaf(a12, v0, a11 * u0) - b1;
  result.c2 = fmaf(a22, v0, a12 * u0) - b2;
  result.a12 = a12;
  result.inverse_u = diagonal_v * inverse;
  result.inverse_v = diagonal_u * inverse;
  return result;
}

extern "C" __global__ void __launch_bounds__(PAIRS * TILE / ROWS)
    variational_solve(const float* __restrict__ images, const float* __restrict__ base_uv,
                      const float* __restrict__ frozen_uv, const float* __restrict__ start_uv,
                      float* __restrict__ relaxed_uv, const int height, const int width, const int sweeps,
                      const float alpha, const float delta, const float gamma, const float omega) {
  // By colour, row, pair: the 32 pixels of one colour that a warp relaxes lie side by side, and so do their neighbours.
  __shared__ float2 flow[2][TILE][PAIRS];
  __shared__ float smooth[2][TILE][PAIRS];
  const int pair = threadIdx.x, plane = height * width, halo = 2 * sweeps, inner = TILE - 2 * halo;
  const int left_x = blockIdx.x * inner - halo, top_y = blockIdx.y * inner - halo;

#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = threadIdx.y + r * (TILE / ROWS), y = top_y + row;
#pragma unroll
    for (int odd = 0; odd < 2; ++odd) {
      const int x = left_x + 2 * pair + odd;
      if (x >= 0 && x < width && y >= 0 && y < height) {
        const int i = y * width + x, colour = (row + odd) & 1;
        flow[colour][row][pair] = make_float2(start_uv[i], start_uv[plane + i]);
        smooth[colour][row][pair] = smoothness(images, frozen_uv, x, y, height, width, alpha);
      }
    }
  }
  __syncthreads();

  Equations system[ROWS][2];  // by row of the thread, colour
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = threadIdx.y + r * (TILE / ROWS), y = top_y + row;
#pragma unroll
    for (int odd = 0; odd < 2; ++odd) {
      const int x = left_x + 2 * pair + odd, colour = (row + odd) & 1, other = 1 - colour;
      Equations here = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
      if (x >= 0 && x < width && y >= 0 && y < height) {
        const float own = smooth[colour][row][pair];
        const int left_pair = pair - 1 + odd, right_pair = pair + odd;
        const float right = x + 1 < width && right_pair < PAIRS ? own + smooth[other][row][right_pair] : 0.0f;
        const float left = x > 0 && left_pair >= 0 ? own + smooth[other][row][left_pair] : 0.0f;
        const float down = y + 1 < height && row + 1 < TILE ? own + smooth[other][row + 1][pair] : 0.0f;
        const float up = y > 0 && row > 0 ? own + smooth[other][row - 1][pair] : 0.0f;
        const float weights = (right + left) + (down + up);
        here = equations(images, base_uv, frozen_uv, x, y, height, width, delta, gamma, weights);
      }
      system[r][odd] = here;
    }
    if (row & 1) {  // in odd rows the even pixel is of colour 1
      const Equations even = system[r][0];
      system[r][0] = system[r][1];
      system[r][1] = even;
    }
  }

  for (int sweep = 0; sweep < sweeps; ++sweep) {
#pragma unroll
    for (int colour = 0; colour < 2; ++colour) {
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
        const int row = threadIdx.y + r * (TILE / ROWS), y = top_y + row;
        const int odd = (row + colour) & 1, x = left_x + 2 * pair + odd;
        if (x < 0 || x >= width || y < 0 || y >= height) continue;
        const int other = 1 - colour, left_pair = pair - 1 + odd, right_pair = pair + odd;
        const Equations here = system[r][colour];
        const float own = smooth[colour][row][pair];
        float sum_u = here.c1, sum_v = here.c2;
        if (x > 0 && left_pair >= 0) {
          const float weight = own + smooth[other][row][left_pair];
          const float2 there = flow[other][row][left_pair];
          sum_u = fmaf(weight, there.x, sum_u);
          sum_v = fmaf(weight, there.y, sum_v);
        }
        if (x + 1 < width && right_pair < PAIRS) {
          const float weight = own + smooth[other][row][right_pair];
          const float2 there = flow[other][row][right_pair];
          sum_u = fmaf(weight, there.x, sum_u);
          sum_v = fmaf(weight, there.y, sum_v);
        }
        if (y > 0 && row > 0) {
          const float weight = own + smooth[other][row - 1][pair];
          const float2 there = flow[other][row - 1][pair];
          sum_u = fmaf(weight, there.x, sum_u);
          sum_v = fmaf(weight, there.y, sum_v);
        }
        if (y + 1 < height && row + 1 < TILE) {
          const float weight = own + smooth[other][row + 1][pair];
          const float2 there = flow[other][row + 1][pair];
          sum_u = fmaf(weight, there.x, sum_u);
          sum_v = fmaf(weight, there.y, sum_v);
        }
        float2 value = flow[colour][row][pair];
        const float to_u = fmaf(-here.a12, value.y, sum_u) * here.inverse_u;
        value.x = fmaf(omega, to_u - value.x, value.x);
        const float to_v = fmaf(-here.a12, value.x, sum_v) * here.inverse_v;
        value.y = fmaf(omega, to_v - value.y, value.y);
        flow[colour][row][pair] = value;
      }
      __syncthreads();
    }
  }

#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = threadIdx.y + r * (TILE / ROWS), y = top_y + row;
#pragma unroll
    for (int odd = 0; odd < 2; ++odd) {
      const int column = 2 * pair + odd, x = left_x + column;
      if (row < halo || row >= TILE - halo || column < halo || column >= TILE - halo || x >= width || y >= height) {
        continue;
      }
      const float2 value = flow[(row + odd) & 1][row][pair];
      relaxed_uv[y * width + x] = value.x;
      relaxed_uv[plane + y * width + x] = value.y;
    }
  }
}
