// Half as many pixels along each side, and their conductors P' A P.   All arrays have a border of one zero.
// right, down, right_down, left_down, ground: (height + 2, width + 2) float32.   shares: (height + 2, width + 2, 4).
// coarse_...: the same for ((height + 1) / 2, (width + 1) / 2).   Kept are the pixels with odd y and x in the arrays.

__device__ __forceinline__ float no_less(const float value) { return value > 0.0f ? value : 0.0f; }

// Shares of the pixels between two kept ones; a kept one has itself.   One thread per fine pixel.
extern "C" __global__ void coarse_conductors_two(const float* __restrict__ right, const float* __restrict__ down,
                                                 const float* __restrict__ right_down,
                                                 const float* __restrict__ left_down,
                                                 const float* __restrict__ ground, float* __restrict__ shares,
                                                 const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x + 1;
  const int y = blockIdx.y * blockDim.y + threadIdx.y + 1;
  if (x > width || y > height) return;
  const int up = width + 2, i = y * up + x;
  float* own = shares + 4 * (long long)i;
  own[0] = own[1] = own[2] = own[3] = 0.0f;
  if ((y & 1) && (x & 1)) own[0] = 1.0f;
  if ((y & 1) == (x & 1)) return;
  const float right_up = no_less(left_down[i - up + 1]), left_up = no_less(right_down[i - up - 1]);
  const float right_below = no_less(right_down[i]), left_below = no_less(left_down[i]);
  float one, two;
  if (y & 1) {
    one = (no_less(right[i - 1]) + left_up) + left_below;
    two = (no_less(right[i]) + right_up) + right_below;
  } else {
    one = (no_less(down[i - up]) + left_up) + right_up;
    two = (no_less(down[i]) + left_below) + right_below;
  }
  const float total = (one + two) + no_less(ground[i]);
  if (!(total > 0.0f)) return;
  own[0] = one / total;
  own[1] = two / total;
}

// Shares of the pixels between four kept ones.   One thread per coarse pixel.
extern "C" __global__ void coarse_conductors_four(const float* __restrict__ right, const float* __restrict__ down,
                                                  const float* __restrict__ right_down,
                                                  const float* __restrict__ left_down,
                                                  const float* __restrict__ ground, float* shares, const int height,
                                                  const int width) {
  const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x) + 2;
  const int y = 2 * (blockIdx.y * blockDim.y + threadIdx.y) + 2;
  if (x > width || y > height) return;
  const int up = width + 2, i = y * up + x;
  const float above = no_less(down[i - up]), below = no_less(down[i]);
  const float before = no_less(right[i - 1]), after = no_less(right[i]);
  const float left_up = no_less(right_down[i - up - 1]), right_up = no_less(left_down[i - up + 1]);
  const float left_below = no_less(left_down[i]), right_below = no_less(right_down[i]);
  const float sides = (above + below) + (before + after);
  const float total = (sides + ((left_up + right_up) + (left_below + right_below))) + no_less(ground[i]);
  if (!(total > 0.0f)) return;
  const float *over = shares + 4 * (long long)(i - up), *under = shares + 4 * (long long)(i + up);
  const float *left = shares + 4 * (long long)(i - 1), *beyond = shares + 4 * (long long)(i + 1);
  float* own = shares + 4 * (long long)i;
  own[0] = ((left_up + above * over[0]) + before * left[0]) / total;
  own[1] = ((right_up + above * over[1]) + after * beyond[0]) / total;
  own[2] = ((left_below + below * under[0]) + before * left[1]) / total;
  own[3] = ((right_below + below * under[1]) + after * beyond[1]) / total;
}

// The share that the kept pixel i has in its neighbour (dy, dx).
__device__ __forceinline__ double part(const float* __restrict__ shares, const int i, const int up, const int dy,
                                       const int dx) {
  if (dy == 0 && dx == 0) return 1.0;
  const float* there = shares + 4 * (long long)(i + dy * up + dx);
  if (dy == 0) return there[dx > 0 ? 0 : 1];
  if (dx == 0) return there[dy > 0 ? 0 : 1];
  return there[(dy > 0 ? 0 : 2) + (dx > 0 ? 0 : 1)];
}

// One thread per coarse pixel.
extern "C" __global__ void coarse_conductors(
    const float* __restrict__ right, const float* __restrict__ down, const float* __restrict__ right_down,
    const float* __restrict__ left_down, const float* __restrict__ ground, const float* __restrict__ shares,
    float* __restrict__ coarse_right, float* __restrict__ coarse_down, float* __restrict__ coarse_right_down,
    float* __restrict__ coarse_left_down, float* __restrict__ coarse_ground, const int height, const int width) {
  const int coarse_height = (height + 1) / 2, coarse_width = (width + 1) / 2;
  const int column = blockIdx.x * blockDim.x + threadIdx.x + 1;
  const int row = blockIdx.y * blockDim.y + threadIdx.y + 1;
  if (column > coarse_width || row > coarse_height) return;
  const int up = width + 2, y0 = 2 * row - 1, x0 = 2 * column - 1, i0 = y0 * up + x0;

  double basis[7][7], flows[5][5];  // the shares of this pixel, which lies at (3, 3), and A of them
  for (int a = 0; a < 7; ++a)
    for (int b = 0; b < 7; ++b)
      basis[a][b] = abs(a - 3) <= 1 && abs(b - 3) <= 1 ? part(shares, i0, up, a - 3, b - 3) : 0.0;
  double to_ground = 0.0;
  for (int a = 0; a < 5; ++a)
    for (int b = 0; b < 5; ++b) {
      const int y = y0 + a - 2, x = x0 + b - 2, i = y * up + x;
      flows[a][b] = 0.0;
      if (y < 1 || x < 1 || y > height || x > width) continue;
      const double value = basis[a + 1][b + 1];
      const double sides =
          (right[i] * (value - basis[a + 1][b + 2]) + right[i - 1] * (value - basis[a + 1][b])) +
          (down[i] * (value - basis[a + 2][b + 1]) + down[i - up] * (value - basis[a][b + 1]));
      const double corners =
          (right_down[i] * (value - basis[a + 2][b + 2]) + right_down[i - up - 1] * (value - basis[a][b])) +
          (left_down[i] * (value - basis[a + 2][b]) + left_down[i - up + 1] * (value - basis[a][b + 2]));
      const double flow = (sides + corners) + ground[i] * value;
      flows[a][b] = flow;
      // What all kept pixels together make of potential 1 everywhere.
      const float* own = shares + 4 * (long long)i;
      const float whole = (own[0] + own[1]) + (own[2] + own[3]);
      to_ground += flow * (double)whole;
    }
  const int i = row * (coarse_width + 2) + column;
  coarse_ground[i] = (float)to_ground;
  for (int k = 0; k < 4; ++k) {
    const int across = k == 0 || k == 2 ? 1 : k == 1 ? 0 : -1, along = k == 0 ? 0 : 1;
    double total = 0.0;
    if (row + along <= coarse_height && column + across >= 1 && column + across <= coarse_width)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          const int a = 2 * along + dy + 2, b = 2 * across + dx + 2;
          if (a >= 0 && a < 5 && b >= 0 && b < 5)
            total += flows[a][b] * part(shares, i0 + 2 * along * up + 2 * across, up, dy, dx);
        }
    float* target = k == 0 ? coarse_right : k == 1 ? coarse_down : k == 2 ? coarse_right_down : coarse_left_down;
    target[i] = (float)-total;
  }
}
