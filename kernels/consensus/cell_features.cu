// Means over cells: L, a, b, L*L, a*a, b*b, gradient magnitude of L in 8 orientation bins, and the seed.
// lab: (height, width, 3) float32, L in [0, 100].   seeds: (height, width) float32.   One thread per cell: it looks at
// the pixels of its place in the grid and of the eight around it.
// labels: (height, width) int32, row * columns + column.   features: (rows, columns, 15) float32, 0 for an empty cell.
// Lab is brought to about [-1, 1] with a and b doubled.
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

// First pixel y with y * cells / pixels >= cell.
__device__ int cell_features_begin(const int cell, const int cells, const int pixels) {
  return (int)(((long long)cell * pixels + cells - 1) / cells);
}

extern "C" __global__ void cell_features(const float* __restrict__ lab, const float* __restrict__ seeds,
                                         const int* __restrict__ labels, const float* __restrict__ directions,
                                         float* __restrict__ features, const int height, const int width,
                                         const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int own = row * columns + column;

  float sums[15];
  for (int k = 0; k < 15; ++k) sums[k] = 0.0f;
  int count = 0;
  const int begin_y = cell_features_begin(max(row - 1, 0), rows, height);
  const int end_y = cell_features_begin(min(row + 2, rows), rows, height);
  const int begin_x = cell_features_begin(max(column - 1, 0), columns, width);
  const int end_x = cell_features_begin(min(column + 2, columns), columns, width);
  for (int y = begin_y; y < end_y; ++y) {
    const int up = max(y - 1, 0), down = min(y + 1, height - 1);
    for (int x = begin_x; x < end_x; ++x) {
      const int i = y * width + x;
      if (labels[i] != own) continue;
      ++count;
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
      sums[14] += seeds[i];
    }
  }
  float* __restrict__ out = features + own * 15;
  for (int k = 0; k < 15; ++k) out[k] = sums[k] / (float)max(count, 1);
}
