// Means over square cells: L, a, b, L*L, a*a, b*b, gradient magnitude of L in 8 orientation bins, and the seed.
// lab: (height, width, 3) float32, L in [0, 100].   saliency: (height, width) float32.   One thread per cell.
// features: (cells_y, cells_x, 15) float32.   Lab is brought to about [-1, 1] with a and b doubled.
#include "common.cuh"

// Orientation of (gx, gy) modulo half a turn, in 8 bins, by the side of 7 directions: no arctangent, so that the CPU
// and every GPU agree on every pixel.
__device__ int cell_features_orientation(float gx, float gy, const float* __restrict__ directions) {
  if (gy < 0.0f || (gy == 0.0f && gx < 0.0f)) {
    gx = -gx;
    gy = -gy;
  }
  int bin = 0;
  for (int k = 0; k < 7; ++k) bin += directions[2 * k] * gy - directions[2 * k + 1] * gx >= 0.0f;
  return bin;
}

extern "C" __global__ void cell_features(const float* __restrict__ lab, const float* __restrict__ saliency,
                                         const float* __restrict__ directions, float* __restrict__ features,
                                         const int height, const int width, const int cell, const float full_seed) {
  const int cells_x = (width + cell - 1) / cell, cells_y = (height + cell - 1) / cell;
  const int cx = blockIdx.x * blockDim.x + threadIdx.x;
  const int cy = blockIdx.y * blockDim.y + threadIdx.y;
  if (cx >= cells_x || cy >= cells_y) return;

  float sums[15];
  for (int k = 0; k < 15; ++k) sums[k] = 0.0f;
  const int end_y = min((cy + 1) * cell, height), end_x = min((cx + 1) * cell, width);
  for (int y = cy * cell; y < end_y; ++y) {
    const int up = max(y - 1, 0), down = min(y + 1, height - 1);
    for (int x = cx * cell; x < end_x; ++x) {
      const int i = y * width + x;
      const float l = lab[3 * i] * 0.02f - 1.0f, a = lab[3 * i + 1] * 0.02f, b = lab[3 * i + 2] * 0.02f;
      sums[0] += l;
      sums[1] += a;
      sums[2] += b;
      sums[3] += l * l;
      sums[4] += a * a;
      sums[5] += b * b;
      const int left = max(x - 1, 0), right = min(x + 1, width - 1);
      const float gx = (lab[3 * (y * width + right)] - lab[3 * (y * width + left)]) * 0.01f;
      const float gy = (lab[3 * (down * width + x)] - lab[3 * (up * width + x)]) * 0.01f;
      sums[6 + cell_features_orientation(gx, gy, directions)] += sqrtf(gx * gx + gy * gy);
      sums[14] += fminf(saliency[i] / full_seed, 1.0f);
    }
  }
  const float count = (float)((end_y - cy * cell) * (end_x - cx * cell));
  float* __restrict__ out = features + (cy * cells_x + cx) * 15;
  for (int k = 0; k < 15; ++k) out[k] = sums[k] / count;
}
