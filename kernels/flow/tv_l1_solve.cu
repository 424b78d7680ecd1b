// TV-L1 by primal-dual steps: see tv_l1_solve.py for the formulas.   One thread per pixel in both functions.
// terms: (5, height, width): direction x and y, distance, data weight, smoothness weight.
// flow_uv, going_uv: (2, height, width), pixels: the flow, and where it goes.
// dual: (4, height, width): of u to the right, u down, v to the right, v down; 0 where there is no such neighbour.
#include "inverse_root.cuh"

// Reads the flow of the neighbours, writes the dual vector of its own pixel.
extern "C" __global__ void tv_l1_solve_dual(const float* __restrict__ terms, const float* __restrict__ going_uv,
                                            float* dual, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const int right = x + 1 < width ? i + 1 : i, down = y + 1 < height ? i + width : i;
  const float u = going_uv[i], v = going_uv[plane + i];
  const float p0 = fmaf(SIGMA, going_uv[right] - u, dual[i]);
  const float p1 = fmaf(SIGMA, going_uv[down] - u, dual[plane + i]);
  const float p2 = fmaf(SIGMA, going_uv[plane + right] - v, dual[2 * plane + i]);
  const float p3 = fmaf(SIGMA, going_uv[plane + down] - v, dual[3 * plane + i]);
  const float squares = fmaf(p3, p3, fmaf(p2, p2, fmaf(p1, p1, fmaf(p0, p0, FEW))));
  const float length = terms[4 * plane + i] * inverse_root(squares);
  const float cut = length < STRETCH ? length : STRETCH;
  dual[i] = p0 * cut;
  dual[plane + i] = p1 * cut;
  dual[2 * plane + i] = p2 * cut;
  dual[3 * plane + i] = p3 * cut;
}

// Reads the dual vectors of the neighbours, writes the flow of its own pixel.
extern "C" __global__ void tv_l1_solve(const float* __restrict__ terms, const float* __restrict__ dual, float* flow_uv,
                                       float* going_uv, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const float* p0 = dual;
  const float* p1 = dual + plane;
  const float* p2 = dual + 2 * plane;
  const float* p3 = dual + 3 * plane;
  const float divergence_u = (p0[i] - (x ? p0[i - 1] : 0.0f)) + (p1[i] - (y ? p1[i - width] : 0.0f));
  const float divergence_v = (p2[i] - (x ? p2[i - 1] : 0.0f)) + (p3[i] - (y ? p3[i - width] : 0.0f));
  const float u = flow_uv[i], v = flow_uv[plane + i];
  float to_u = fmaf(TAU, divergence_u, u), to_v = fmaf(TAU, divergence_v, v);
  const float nx = terms[i], ny = terms[plane + i];
  const float distance = fmaf(ny, to_v, fmaf(nx, to_u, terms[2 * plane + i]));
  const float limit = terms[3 * plane + i] * TAU;
  const float small = distance < limit ? distance : limit;
  const float step = small > 0.0f - limit ? small : 0.0f - limit;
  to_u = to_u - nx * step;
  to_v = to_v - ny * step;
  flow_uv[i] = to_u;
  flow_uv[plane + i] = to_v;
  going_uv[i] = 2.0f * to_u - u;
  going_uv[plane + i] = 2.0f * to_v - v;
}
