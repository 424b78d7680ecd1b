// SLIC's clusters: every pixel joins the nearest of the nine centres of the grid's cells around it.
//   distance^2 = |color(p) - color(center)|^2 + position |p - center|^2
// levels: (height, width, 4) int16.   labels: (height, width) int32.   means: (n, 5) float32 L, a, b, x, y.
// sums: (n, 6) of L, a, b, x, y, pixels, 64 bits that wrap like signed ones.

// The cells of a grid.   One thread per pixel.
extern "C" __global__ void slic_clusters_start(int* __restrict__ labels, const int height, const int width,
                                               const int rows, const int columns) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  labels[y * width + x] = (int)((long long)y * rows / height) * columns + (int)((long long)x * columns / width);
}

// One thread per pixel.
extern "C" __global__ void slic_clusters_add(const short* __restrict__ levels, const int* __restrict__ labels,
                                             unsigned long long* sums, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const short* color = levels + 4 * (y * width + x);
  unsigned long long* sum = sums + 6 * (long long)labels[y * width + x];
  for (int k = 0; k < 3; ++k) atomicAdd(&sum[k], (unsigned long long)(long long)color[k]);
  atomicAdd(&sum[3], (unsigned long long)x);
  atomicAdd(&sum[4], (unsigned long long)y);
  atomicAdd(&sum[5], 1ull);
}

// Means of all clusters that have pixels; sums are zero again.   One thread per cluster.
extern "C" __global__ void slic_clusters_means(unsigned long long* __restrict__ sums, float* __restrict__ means,
                                               const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const long long pixels = (long long)sums[6 * i + 5];
  for (int k = 0; k < 5; ++k) {
    if (pixels > 0) means[5 * i + k] = (float)((double)(long long)sums[6 * i + k] / (double)pixels);
    sums[6 * i + k] = 0;
  }
  sums[6 * i + 5] = 0;
}

// One thread per pixel.
extern "C" __global__ void slic_clusters(const short* __restrict__ levels, const float* __restrict__ means,
                                         int* __restrict__ labels, const int height, const int width, const int rows,
                                         const int columns, const float position) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const short* color = levels + 4 * (y * width + x);
  const int cell_row = (int)((long long)y * rows / height), cell_column = (int)((long long)x * columns / width);
  float nearest = 3.0e38f;
  int best = 0;
  for (int row = max(0, cell_row - 1); row < min(rows, cell_row + 2); ++row) {
    for (int column = max(0, cell_column - 1); column < min(columns, cell_column + 2); ++column) {
      const float* mean = means + 5 * (row * columns + column);
      const float d0 = (float)color[0] - mean[0], d1 = (float)color[1] - mean[1], d2 = (float)color[2] - mean[2];
      const float dx = (float)x - mean[3], dy = (float)y - mean[4];
      const float distance = (d0 * d0 + d1 * d1 + d2 * d2) + position * (dx * dx + dy * dy);
      if (distance < nearest) {
        nearest = distance;
        best = row * columns + column;
      }
    }
  }
  labels[y * width + x] = best;
}
