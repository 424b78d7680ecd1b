// Errors of a flow against its truth, by class: sums of endpoint error and angle, counts, histogram of errors.
// One warp per row; each of its lanes takes every 32nd pixel, and the lanes are added in order: sums do not depend on
// which thread is first. Everything is computed in double. Integer atomics: the order does not matter.
// flow, truth: (height, width, 2) float32.   classes: (height, width) uint8; 0 and `count` or more do not count.
// lanes: (height, count, 2, 32) float64, zero.   counts: (count, 5) int32, zero: pixels, outliers, above 1 px, not finite,
// largest bin.   histogram: (count, bins + 1) int32, zero.   sums: (height, count, 2) float64.
#define LANES 32  // the same words stand in the .py file
#define UNKNOWN 1e9f
#define BINS_PER_PX 100.0
#define PI 3.14159265358979323846

// Arc tangent of y / x for y >= 0, not both 0. Below tan(pi / 8) the series ends within 5e-16 of its value.
__device__ double flow_errors_angle(const double y, const double x) {
  const double length = fabs(x), low = y < length ? y : length, high = y < length ? length : y;
  const bool steep = low > 0.41421356237309503 * high;
  const double t = (steep ? low - high : low) / (steep ? low + high : high);
  const double z = t * t;
  double p = -1.0 / 35.0;
  p = p * z + 1.0 / 33.0;
  p = p * z - 1.0 / 31.0;
  p = p * z + 1.0 / 29.0;
  p = p * z - 1.0 / 27.0;
  p = p * z + 1.0 / 25.0;
  p = p * z - 1.0 / 23.0;
  p = p * z + 1.0 / 21.0;
  p = p * z - 1.0 / 19.0;
  p = p * z + 1.0 / 17.0;
  p = p * z - 1.0 / 15.0;
  p = p * z + 1.0 / 13.0;
  p = p * z - 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z - 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z - 1.0 / 3.0;
  p = p * z + 1.0;
  double angle = t * p + (steep ? PI / 4.0 : 0.0);
  if (y >= length) angle = PI / 2.0 - angle;
  return x < 0.0 ? PI - angle : angle;
}

extern "C" __global__ void flow_errors(const float* __restrict__ flow, const float* __restrict__ truth,
                                       const unsigned char* __restrict__ classes, double* __restrict__ lanes,
                                       int* __restrict__ counts, int* __restrict__ histogram, const int height,
                                       const int width, const int count, const int bins) {
  const int y = blockIdx.x, lane = threadIdx.x;
  for (int x = lane; x < width; x += LANES) {
    const int i = y * width + x, number = classes[i];
    // Written so that NaN compares false.
    if (number == 0 || number >= count || !(fabsf(truth[2 * i]) < UNKNOWN && fabsf(truth[2 * i + 1]) < UNKNOWN)) continue;
    const double flow_x = flow[2 * i], flow_y = flow[2 * i + 1], true_x = truth[2 * i], true_y = truth[2 * i + 1];
    atomicAdd(&counts[5 * number], 1);
    if (!(flow_x - flow_x == 0.0 && flow_y - flow_y == 0.0)) {
      atomicAdd(&counts[5 * number + 3], 1);
      continue;
    }
    const double dx = flow_x - true_x, dy = flow_y - true_y;
    const double squared = dx * dx + dy * dy, error = sqrt(squared);
    const double area = flow_x * true_y - flow_y * true_x;
    const double angle = flow_errors_angle(sqrt(squared + area * area), flow_x * true_x + flow_y * true_y + 1.0);
    double* mine = lanes + ((size_t)y * count + number) * 2 * LANES + lane;
    mine[0] += error;
    mine[LANES] += angle * (180.0 / PI);
    if (error > 3.0 && error > 0.05 * sqrt(true_x * true_x + true_y * true_y)) atomicAdd(&counts[5 * number + 1], 1);
    if (error > 1.0) atomicAdd(&counts[5 * number + 2], 1);
    const double rounded_up = ceil(error * BINS_PER_PX);
    const int bin = rounded_up < bins ? (int)rounded_up : bins;
    atomicAdd(&histogram[(size_t)number * (bins + 1) + bin], 1);
    atomicMax(&counts[5 * number + 4], bin);
  }
}

// One thread per sum.
extern "C" __global__ void flow_errors_rows(const double* __restrict__ lanes, double* __restrict__ sums,
                                            const int total) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= total) return;
  double sum = 0.0;
  for (int lane = 0; lane < LANES; ++lane) sum += lanes[(size_t)i * LANES + lane];
  sums[i] = sum;
}
