// Least squares in a window: G = sum of weight * (g11 g12; g12 g22), H = sum of weight * (h1, h2) over the window,
// (G + pull I) (u, v) = H + pull flow. Weights are products of one along x and one along y; outside there is nothing.
// equations: (5, height, width) float32: g11, g12, g22, h1, h2.   weights: (radius + 1,), from the middle outwards.
// flow_uv: (2, height, width), pixels.   solved: (3, height, width): u, v, the smaller eigenvalue of G.

// columns(c, y, x) = sum over k of weights(|k|) * equations(c, y + k, x).   One thread per pixel and plane.
extern "C" __global__ void window_flow_columns(const float* __restrict__ equations, const float* __restrict__ weights,
                                               float* __restrict__ columns, const int height, const int width,
                                               const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= 5 * height) return;
  const int y = row % height;
  float sum = 0.0f;
  for (int other = max(y - radius, 0); other <= min(y + radius, height - 1); ++other)
    sum = fmaf(weights[abs(other - y)], equations[(row - y + other) * width + x], sum);
  columns[row * width + x] = sum;
}

// One thread per pixel.
extern "C" __global__ void window_flow(const float* __restrict__ columns, const float* __restrict__ flow_uv,
                                       const float* __restrict__ weights, float* __restrict__ solved, const int height,
                                       const int width, const int radius, const float pull) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x;
  float sum[5] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  for (int other = max(x - radius, 0); other <= min(x + radius, width - 1); ++other)
    for (int c = 0; c < 5; ++c) sum[c] = fmaf(weights[abs(other - x)], columns[c * plane + y * width + other], sum[c]);
  const float difference = sum[0] - sum[2];
  const float root = sqrtf(fmaf(difference, difference, 4.0f * (sum[1] * sum[1])));
  solved[2 * plane + i] = 0.5f * ((sum[0] + sum[2]) - root);
  const float h1 = fmaf(pull, flow_uv[i], sum[3]), h2 = fmaf(pull, flow_uv[plane + i], sum[4]);
  const float g11 = sum[0] + pull, g12 = sum[1], g22 = sum[2] + pull;
  const float inverse = 1.0f / (g11 * g22 - g12 * g12);
  solved[i] = (g22 * h1 - g12 * h2) * inverse;
  solved[plane + i] = (g11 * h2 - g12 * h1) * inverse;
}
