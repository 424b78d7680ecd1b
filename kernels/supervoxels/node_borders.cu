// sums(pair of labels) += (1, contrast) for each side of a pixel where the label changes.   One thread per pixel.
// labels: (height, width) int32.   levels: (height, width, 4) int16.   pairs, sums, full: see pair_table.cuh.
#include "pair_table.cuh"

__device__ __forceinline__ int contrast_of(const short* one, const short* other) {
  const int i = one[0] - other[0], j = one[1] - other[1], k = one[2] - other[2];
  return (int)(sqrtf((float)(i * i + j * j + k * k)) + 0.5f);
}

extern "C" __global__ void node_borders(const int* __restrict__ labels, const short* __restrict__ levels,
                                        unsigned long long* pairs, int* sums, int* full, const int size,
                                        const int height, const int width, const long long count) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int label = labels[y * width + x];
  for (int side = 0; side < 2; ++side) {
    const int far_x = side == 0 ? x + 1 : x, far_y = side == 0 ? y : y + 1;
    if (far_x >= width || far_y >= height) continue;
    const int other = labels[far_y * width + far_x];
    if (other == label) continue;
    const int before = side == 0 ? y * width + max(x - 1, 0) : max(y - 1, 0) * width + x;
    const int behind = side == 0 ? y * width + min(x + 2, width - 1) : min(y + 2, height - 1) * width + x;
    const long long pair = (long long)min(label, other) * count + max(label, other);
    add_to_pair(pairs, sums, full, size, pair, 1, contrast_of(levels + 4 * before, levels + 4 * behind));
  }
}
