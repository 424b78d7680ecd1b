// means(c, y, x) = mean of planes(c) over [y - r, y + r] x [x - r, x + r], without what lies beyond the edges.
// planes, columns, means: (channels, height, width) float32; rows = channels * height.   One thread per pixel.

// columns(c, y, x) = sum of planes(c, y - r .. y + r, x)
extern "C" __global__ void box_mean_columns(const float* __restrict__ planes, float* __restrict__ columns,
                                            const int height, const int width, const int rows, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= rows) return;
  const int y = row % height;
  const int first = row - y + max(y - radius, 0), last = row - y + min(y + radius, height - 1);
  float sum = planes[first * width + x];
  for (int other = first + 1; other <= last; ++other) sum += planes[other * width + x];
  columns[row * width + x] = sum;
}

extern "C" __global__ void box_mean(const float* __restrict__ columns, float* __restrict__ means, const int height,
                                    const int width, const int rows, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= rows) return;
  const int y = row % height;
  const int down = min(y + radius, height - 1) - max(y - radius, 0) + 1;
  const int first = max(x - radius, 0), last = min(x + radius, width - 1);
  float sum = columns[row * width + first];
  for (int other = first + 1; other <= last; ++other) sum += columns[row * width + other];
  means[row * width + x] = sum / ((float)(last - first + 1) * (float)down);
}
