// Dynamic time warping over the costs, read from (first_row, first_column) on and around the edge: pairs of the way
// from the last to the first pair with the least sum of costs, the first pair costing nothing; steps go on by one in
// one or both outlines.   One block: the threads share each diagonal, on which nothing depends on anything else.
// costs: (rows, columns) float32.   sums: float64 and steps: uint8, (rows, columns) scratch.
// pairs: (rows + columns - 1, 2) int32, from the end to the begin, -1 behind it.

extern "C" __global__ void match_outlines(const float* __restrict__ costs, double* __restrict__ sums,
                                          unsigned char* __restrict__ steps, int* __restrict__ pairs,
                                          const int first_row, const int first_column, const int rows,
                                          const int columns) {
  for (int k = threadIdx.x; k < 2 * (rows + columns - 1); k += blockDim.x) pairs[k] = -1;
  for (int diagonal = 0; diagonal < rows + columns - 1; ++diagonal) {
    const int low = max(0, diagonal - columns + 1), high = min(diagonal, rows - 1);
    for (int i = low + threadIdx.x; i <= high; i += blockDim.x) {
      const int j = diagonal - i;
      double best = 0.0, cost = 0.0;
      unsigned char choice = 0;
      if (diagonal > 0) {
        cost = costs[(i + first_row) % rows * columns + (j + first_column) % columns];
        best = 1e300;
        if (i > 0 && j > 0) best = sums[(i - 1) * columns + j - 1];
        if (i > 0 && sums[(i - 1) * columns + j] < best) best = sums[(i - 1) * columns + j], choice = 1;
        if (j > 0 && sums[i * columns + j - 1] < best) best = sums[i * columns + j - 1], choice = 2;
      }
      sums[i * columns + j] = best + cost;
      steps[i * columns + j] = choice;
    }
    __syncthreads();
  }
  if (threadIdx.x != 0) return;
  int i = rows - 1, j = columns - 1;
  for (int count = 0;; ++count) {
    pairs[2 * count] = (i + first_row) % rows;
    pairs[2 * count + 1] = (j + first_column) % columns;
    if (i == 0 && j == 0) break;
    const unsigned char choice = steps[i * columns + j];
    i -= choice != 2;
    j -= choice != 1;
  }
}
