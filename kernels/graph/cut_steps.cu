// `count` primal-dual steps of a cut, at most STEPS: see cut_steps.py for the formulas.
// A block is SIDE x SIDE threads, one per pixel; its outer STEPS pixels only serve the others, and are not written.
// weights: (4, height, width) float32: right, down, down and right, down and left, 0 without such a neighbour.
// unary: (height, width).   state, following: (6, height, width): dual numbers of the four pairs, where u goes, u.

extern "C" __global__ void cut_steps(const float* __restrict__ weights, const float* __restrict__ unary,
                                     const float* __restrict__ state, float* __restrict__ following, const int count,
                                     const int height, const int width) {
  __shared__ float going[SIDE][SIDE + 1];
  __shared__ float dual[4][SIDE][SIDE + 1];
  const int column = threadIdx.x, row = threadIdx.y;
  const int x = (int)blockIdx.x * (SIDE - 2 * STEPS) - STEPS + column;
  const int y = (int)blockIdx.y * (SIDE - 2 * STEPS) - STEPS + row;
  const bool inside = x >= 0 && y >= 0 && x < width && y < height;
  const size_t plane = (size_t)height * width, i = inside ? (size_t)y * width + x : 0;

  float weight[4], z[4], u = 0.0f, own = 0.0f, step = 0.0f;
  for (int k = 0; k < 4; ++k) {
    weight[k] = inside ? weights[k * plane + i] : 0.0f;
    z[k] = inside ? state[k * plane + i] : 0.0f;
  }
  going[row][column] = inside ? state[4 * plane + i] : 0.0f;
  if (inside) {
    u = state[5 * plane + i];
    own = unary[i];
    const float left = x > 0 ? weights[i - 1] : 0.0f;
    const float up = y > 0 ? weights[plane + i - width] : 0.0f;
    const float up_left = y > 0 && x > 0 ? weights[2 * plane + i - width - 1] : 0.0f;
    const float up_right = y > 0 && x + 1 < width ? weights[3 * plane + i - width + 1] : 0.0f;
    const float total = ((weight[0] + left) + (weight[1] + up)) + ((weight[2] + up_left) + (weight[3] + up_right));
    step = 1.0f / (total > 1e-9f ? total : 1e-9f);
  }
  // Beyond the block the nearest pixel stands in: wrong, but it spoils one more pixel per step, and only the border.
  const int before = column > 0 ? column - 1 : column, after = column + 1 < SIDE ? column + 1 : column;
  const int above = row > 0 ? row - 1 : row, below = row + 1 < SIDE ? row + 1 : row;

  for (int t = 0; t < count; ++t) {
    __syncthreads();
    const float here = going[row][column];
    const float there[4] = {going[row][after], going[below][column], going[below][after], going[below][before]};
    for (int k = 0; k < 4; ++k) {
      z[k] = fminf(fmaxf(z[k] + 0.5f * weight[k] * (there[k] - here), 0.0f - weight[k]), weight[k]);
      dual[k][row][column] = z[k];
    }
    __syncthreads();
    const float pull = ((z[0] - dual[0][row][before]) + (z[1] - dual[1][above][column])) +
                       ((z[2] - dual[2][above][before]) + (z[3] - dual[3][above][after]));
    const float v = fminf(fmaxf(u + step * (pull + own), 0.0f), 1.0f);
    going[row][column] = 2.0f * v - u;
    u = v;
  }
  if (!inside || column < STEPS || row < STEPS || column >= SIDE - STEPS || row >= SIDE - STEPS) return;
  for (int k = 0; k < 4; ++k) following[k * plane + i] = z[k];
  following[4 * plane + i] = going[row][column];
  following[5 * plane + i] = u;
}
