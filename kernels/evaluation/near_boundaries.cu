// near(y, x) = 1 where a motion boundary lies within reach: a pixel whose true flow differs from that of its right or
// lower neighbour by more than `step`. Three passes: boundaries; distance to the next one in the column; then the row,
// where a column d pixels away may have its boundary reach[d] pixels up or down.
// truth: (height, width, 2) float32.   boundary, near: (height, width) uint8.   gap: (height, width) int32.
// reach: (width of the disc + 1) / 2 int32.
#define UNKNOWN 1e9f  // the same words stand in the .py file
#define FAR 1000000000

__device__ bool near_boundaries_apart(const float* __restrict__ truth, const int i, const int j, const float step) {
  // Written so that NaN compares false: next to unknown truth there is no boundary.
  if (!(fabsf(truth[2 * i]) < UNKNOWN && fabsf(truth[2 * i + 1]) < UNKNOWN)) return false;
  if (!(fabsf(truth[2 * j]) < UNKNOWN && fabsf(truth[2 * j + 1]) < UNKNOWN)) return false;
  const double dx = truth[2 * j] - truth[2 * i], dy = truth[2 * j + 1] - truth[2 * i + 1];
  return (float)sqrt(dx * dx + dy * dy) > step;
}

// One thread per pixel.
extern "C" __global__ void near_boundaries(const float* __restrict__ truth, unsigned char* __restrict__ boundary,
                                           const float step, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  boundary[i] = (x + 1 < width && near_boundaries_apart(truth, i, i + 1, step)) ||
                (y + 1 < height && near_boundaries_apart(truth, i, i + width, step));
}

// One thread per column.
extern "C" __global__ void near_boundaries_gaps(const unsigned char* __restrict__ boundary, int* __restrict__ gap,
                                                const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  if (x >= width) return;
  int distance = FAR;
  for (int y = 0; y < height; ++y) {
    distance = boundary[y * width + x] ? 0 : min(distance + 1, FAR);
    gap[y * width + x] = distance;
  }
  for (int y = height - 2; y >= 0; --y) {
    distance = min(gap[(y + 1) * width + x] + 1, gap[y * width + x]);
    gap[y * width + x] = distance;
  }
}

// One thread per pixel.
extern "C" __global__ void near_boundaries_disc(const int* __restrict__ gap, const int* __restrict__ reach,
                                                unsigned char* __restrict__ near, const int height, const int width,
                                                const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  unsigned char found = 0;
  for (int d = max(-radius, -x); d <= min(radius, width - 1 - x) && !found; ++d)
    found = gap[y * width + x + d] <= reach[d < 0 ? -d : d];
  near[y * width + x] = found;
}
