// weights = exp(-distance / scale), divided by their sum over a cell's edges.   One thread per (row, cell): a row is one of
// `places`, the frames that are asked for.
// The smallest distance is taken off first: a cell unlike all others would otherwise have only weights that underflow.
// distances: (frames, slots, cells, 2) float32; an infinite distance is a missing edge of weight 0.
// weights: (rows, slots, cells, 2) float32.   places: (rows) int32.
// scale: (1) float32.

extern "C" __global__ void consensus_weights(const float* __restrict__ distances, const int* __restrict__ places,
                                             const float* __restrict__ scale, float* __restrict__ weights,
                                             const int rows, const int slots, const int cells) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * cells) return;
  const int row = i / cells, cell = i % cells, frame = places[row];

  float least = 3e38f;
  for (int s = 0; s < slots; ++s)
    least = fminf(least, distances[(((long long)frame * slots + s) * cells + cell) * 2]);  // second is never nearer
  float sum = 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long from = (((long long)frame * slots + s) * cells + cell) * 2;
    const long long e = (((long long)row * slots + s) * cells + cell) * 2;
    for (int k = 0; k < 2; ++k) {
      const float weight = expf((least - distances[from + k]) / scale[0]);
      weights[e + k] = weight;
      sum += weight;
    }
  }
  const float share = sum > 0.0f ? 1.0f / sum : 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long e = (((long long)row * slots + s) * cells + cell) * 2;
    weights[e] *= share;
    weights[e + 1] *= share;
  }
}
