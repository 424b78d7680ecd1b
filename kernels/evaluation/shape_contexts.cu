// contexts(i, ring * SECTORS + sector) = number of points in that ring and direction around point i; ring 0 reaches
// from 1 to 2 mean distances of all pairs, ring 4 to 1/8; sector k from 30 k to 30 (k + 1) degrees.
// One thread per point.   points: (2, n) float64, x and y.   sums: (n,) float64.   contexts: (n, 60) int32, 0 before.
#define SECTORS 12  // the same words stand in the .py file
#define RINGS 5
#define TAN_30 0.5773502691896257
#define TAN_60 1.7320508075688772

extern "C" __global__ void shape_contexts_sums(const double* __restrict__ points, double* __restrict__ sums,
                                               const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  double total = 0.0;
  for (int j = 0; j < count; ++j) {
    const double dx = points[j] - points[i], dy = points[count + j] - points[count + i];
    total += sqrt(dx * dx + dy * dy);
  }
  sums[i] = total;
}

extern "C" __global__ void shape_contexts(const double* __restrict__ points, const double* __restrict__ sums,
                                          int* __restrict__ contexts, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  double total = 0.0;
  for (int j = 0; j < count; ++j) total += sums[j];
  const double mean = total / ((double)count * (double)count), square = mean * mean;
  const double x = points[i], y = points[count + i];
  for (int j = 0; j < count; ++j) {
    const double dx = points[j] - x, dy = points[count + j] - y, distance = dx * dx + dy * dy;
    if (distance >= 4.0 * square) continue;
    const int ring = (distance < square) + (distance < 0.25 * square) + (distance < 0.0625 * square) +
                     (distance < 0.015625 * square);
    int sector = 0;
    if (distance != 0.0) {
      double along = dx, across = dy;
      if (dx <= 0 && dy > 0) {
        sector = 3, along = dy, across = -dx;
      } else if (dx < 0 && dy <= 0) {
        sector = 6, along = -dx, across = -dy;
      } else if (dx >= 0 && dy < 0) {
        sector = 9, along = -dy, across = dx;
      }
      sector += (across >= along * TAN_30) + (across >= along * TAN_60);
    }
    ++contexts[i * RINGS * SECTORS + ring * SECTORS + sector];
  }
}
