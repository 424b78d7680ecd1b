// Descriptor of each cell: its colour, the colour around it at two scales, its texture, orientation and place.
// features: (cells_y, cells_x, 15) float32 from cell_features.   near, far: (2 radius + 1) float32 Gaussian weights.
// descriptors: (24, cells) float32, channel-major so that a search reads rows; 22 used, 2 zero.
// links: (4, cells) float32, weights to the left, right, upper and lower cell, sum 1.   One thread per cell.
#include "common.cuh"

__device__ float cell_descriptors_similarity(const float* __restrict__ a, const float* __restrict__ b) {
  const float d0 = a[0] - b[0], d1 = a[1] - b[1], d2 = a[2] - b[2];
  return expf(-(d0 * d0 + d1 * d1 + d2 * d2) * 50.0f) + 1e-9f;
}

extern "C" __global__ void cell_descriptors(const float* __restrict__ features, const float* __restrict__ near,
                                            const float* __restrict__ far, float* __restrict__ descriptors,
                                            float* __restrict__ links, const int cells_y, const int cells_x,
                                            const int near_radius, const int far_radius) {
  const int cx = blockIdx.x * blockDim.x + threadIdx.x;
  const int cy = blockIdx.y * blockDim.y + threadIdx.y;
  if (cx >= cells_x || cy >= cells_y) return;
  const int cells = cells_y * cells_x, i = cy * cells_x + cx;
  const float* __restrict__ own = features + i * 15;

  float close[6], wide[3], orient[8];
  for (int k = 0; k < 6; ++k) close[k] = 0.0f;
  for (int k = 0; k < 3; ++k) wide[k] = 0.0f;
  for (int k = 0; k < 8; ++k) orient[k] = 0.0f;
  for (int dy = -far_radius; dy <= far_radius; ++dy) {
    const int y = clamp_int(cy + dy, 0, cells_y - 1);
    for (int dx = -far_radius; dx <= far_radius; ++dx) {
      const float* __restrict__ other = features + (y * cells_x + clamp_int(cx + dx, 0, cells_x - 1)) * 15;
      const float weight = far[dy + far_radius] * far[dx + far_radius];
      for (int k = 0; k < 3; ++k) wide[k] += weight * other[k];
      if (abs(dy) <= near_radius && abs(dx) <= near_radius) {
        const float tight = near[dy + near_radius] * near[dx + near_radius];
        for (int k = 0; k < 6; ++k) close[k] += tight * other[k];
        for (int k = 0; k < 8; ++k) orient[k] += tight * other[6 + k];
      }
    }
  }
  float total = 0.5f;
  for (int k = 0; k < 8; ++k) total += orient[k];
  for (int k = 0; k < 3; ++k) {
    descriptors[k * cells + i] = 2.0f * own[k];
    descriptors[(3 + k) * cells + i] = 2.0f * close[k];
    descriptors[(6 + k) * cells + i] = wide[k];
    descriptors[(9 + k) * cells + i] = 2.0f * sqrtf(fmaxf(close[3 + k] - close[k] * close[k], 0.0f));
  }
  for (int k = 0; k < 8; ++k) descriptors[(12 + k) * cells + i] = 0.5f * (orient[k] / total);
  descriptors[20 * cells + i] = (float)cx / cells_x - 0.5f;
  descriptors[21 * cells + i] = (float)cy / cells_y - 0.5f;
  descriptors[22 * cells + i] = 0.0f;
  descriptors[23 * cells + i] = 0.0f;

  const float left = cx > 0 ? cell_descriptors_similarity(own, own - 15) : 0.0f;
  const float right = cx < cells_x - 1 ? cell_descriptors_similarity(own, own + 15) : 0.0f;
  const float upper = cy > 0 ? cell_descriptors_similarity(own, own - 15 * cells_x) : 0.0f;
  const float lower = cy < cells_y - 1 ? cell_descriptors_similarity(own, own + 15 * cells_x) : 0.0f;
  const float sum = fmaxf(left + right + upper + lower, 1e-12f);
  links[i] = left / sum;
  links[cells + i] = right / sum;
  links[2 * cells + i] = upper / sum;
  links[3 * cells + i] = lower / sum;
}
