// TV-L1 by primal-dual steps: see tv_l1_solve.py for the formulas.   One thread per pixel in both functions.
// terms: (6, height, width): factors of u, v and light, constant, smoothness, 1 / squared length of the factors.
// flow_uvw, going_uvw: (3, height, width): u and v in pixels, light; and where they go.
// dual: (6, height, width): of u to the right, u down, v likewise, light likewise; 0 where there is no such neighbour.
#include "inverse_root.cuh"

// Reads the flow of the neighbours, writes the dual vector of its own pixel.
extern "C" __global__ void tv_l1_solve_dual(const float* __restrict__ terms, const float* __restrict__ going_uvw,
                                            float* dual, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  const int right = x + 1 < width ? i + 1 : i, down = y + 1 < height ? i + width : i;
  float p[3], q[3];
  for (int k = 0; k < 3; ++k) {
    const float* going = going_uvw + k * plane;
    p[k] = fmaf(SIGMA, going[right] - going[i], dual[2 * k * plane + i]);
    q[k] = fmaf(SIGMA, going[down] - going[i], dual[(2 * k + 1) * plane + i]);
  }
  const float smooth = terms[4 * plane + i];
  const float squares = fmaf(q[1], q[1], fmaf(p[1], p[1], fmaf(q[0], q[0], fmaf(p[0], p[0], FEW))));
  const float squares_w = fmaf(q[2], q[2], fmaf(p[2], p[2], FEW));
  const float length = smooth * inverse_root(squares), length_w = smooth * inverse_root(squares_w);
  const float cut = length < STRETCH ? length : STRETCH, cut_w = length_w < STRETCH ? length_w : STRETCH;
  for (int k = 0; k < 3; ++k) {
    dual[2 * k * plane + i] = p[k] * (k < 2 ? cut : cut_w);
    dual[(2 * k + 1) * plane + i] = q[k] * (k < 2 ? cut : cut_w);
  }
}

// Reads the dual vectors of the neighbours, writes the flow of its own pixel. limit: tau times the data weight.
extern "C" __global__ void tv_l1_solve(const float* __restrict__ terms, const float* __restrict__ dual,
                                       float* flow_uvw, float* going_uvw, const int height, const int width,
                                       const float limit) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  float before[3], to[3];
  for (int k = 0; k < 3; ++k) {
    const float* p = dual + 2 * k * plane;
    const float* q = p + plane;
    const float pull = (p[i] - (x ? p[i - 1] : 0.0f)) + (q[i] - (y ? q[i - width] : 0.0f));
    before[k] = flow_uvw[k * plane + i];
    to[k] = fmaf(TAU, pull, before[k]);
  }
  const float a = terms[i], b = terms[plane + i], c = terms[2 * plane + i];
  const float residual = fmaf(c, to[2], fmaf(b, to[1], fmaf(a, to[0], terms[3 * plane + i])));
  const float whole = residual * terms[5 * plane + i];
  const float small = whole < limit ? whole : limit;
  const float step = small > -limit ? small : -limit;
  to[0] = to[0] - a * step;
  to[1] = to[1] - b * step;
  to[2] = to[2] - c * step;
  for (int k = 0; k < 3; ++k) {
    flow_uvw[k * plane + i] = to[k];
    going_uvw[k * plane + i] = 2.0f * to[k] - before[k];
  }
}
