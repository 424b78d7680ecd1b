// costs(i, j) = half the sum over the bins of (a - b)^2 / (a + b), a and b the contexts as shares of their sums.
// One thread per pair.   first: (rows, BINS), second: (columns, BINS) int32 counts.   costs: (rows, columns) float32.
#define BINS 60  // the same word stands in the .py file

extern "C" __global__ void context_costs(const int* __restrict__ first, const int* __restrict__ second,
                                         float* __restrict__ costs, const int rows, const int columns) {
  const int j = blockIdx.x * blockDim.x + threadIdx.x;
  const int i = blockIdx.y * blockDim.y + threadIdx.y;
  if (j >= columns || i >= rows) return;
  const int* a = first + i * BINS;
  const int* b = second + j * BINS;
  int a_sum = 0, b_sum = 0;
  for (int k = 0; k < BINS; ++k) {
    a_sum += a[k];
    b_sum += b[k];
  }
  const float a_total = (float)max(a_sum, 1), b_total = (float)max(b_sum, 1);
  float cost = 0.0f;
  for (int k = 0; k < BINS; ++k) {
    const float p = (float)a[k] / a_total, q = (float)b[k] / b_total;
    if (p == 0.0f) {
      cost += q;
    } else {
      cost += (p - q) * (p - q) / (p + q);
    }
  }
  costs[i * columns + j] = cost * 0.5f;
}
