// sums(label before, label now) += 1 for each pixel that is looked at, followed along the flow.
// One thread per such pixel, every second one along both axes.
// before, now: (height, width) int32.   flow_xy: (height, width, 2) float32.   pairs, sums, full: see pair_table.cuh.
#include "pair_table.cuh"

extern "C" __global__ void node_links(const int* __restrict__ before, const int* __restrict__ now,
                                      const float* __restrict__ flow_xy, unsigned long long* pairs, int* sums,
                                      int* full, const int size, const int height, const int width,
                                      const long long count) {
  const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
  const int y = 2 * (blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float to_x = floorf((float)x + flow_xy[2 * i] + 0.5f), to_y = floorf((float)y + flow_xy[2 * i + 1] + 0.5f);
  if (!(to_x >= 0.0f && to_y >= 0.0f && to_x < (float)width && to_y < (float)height)) return;
  const long long pair = (long long)before[i] * count + now[(int)to_y * width + (int)to_x];
  add_to_pair(pairs, sums, full, size, pair, 1, 0);
}
