// The equations of a random walker.   One thread per pixel.
// weights: (height, width, 2) uint16 to the right and below, 65535 where there is no edge.   table: (2048) float32.
// seeds: (height, width) int32: labels, 0 what is sought, negative outside.   sources: (count, height, width) float32.
#define WEIGHTS 2048

extern "C" __global__ void walker_system(const unsigned short* __restrict__ weights, const float* __restrict__ table,
                                         const int* __restrict__ seeds, float* __restrict__ right,
                                         float* __restrict__ down, float* __restrict__ ground,
                                         float* __restrict__ sources, const int first, const int count,
                                         const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  float to_right = 0.0f, below = 0.0f, total = 0.0f;
  for (int k = 0; k < count; ++k) sources[(k * height + y) * width + x] = 0.0f;
  for (int d = 0; d < 4 && seeds[i] == 0; ++d) {
    const int u = x + (d == 0) - (d == 2), v = y + (d == 1) - (d == 3);
    if (u < 0 || v < 0 || u >= width || v >= height || seeds[v * width + u] < 0) continue;
    const int weight = weights[2 * (min(y, v) * width + min(x, u)) + (d & 1)];
    if (weight >= WEIGHTS) continue;
    const float conductor = table[weight];
    const int label = seeds[v * width + u];
    if (label == 0) {
      if (d == 0) to_right = conductor;
      if (d == 1) below = conductor;
      continue;
    }
    total += conductor;
    if (first <= label && label < first + count) sources[((label - first) * height + y) * width + x] += conductor;
  }
  right[i] = to_right;
  down[i] = below;
  ground[i] = total;
}
