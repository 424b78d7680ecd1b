// weights = exp(-distance / scale), divided by their sum over a cell's edges.   One thread per (frame, cell).
// The smallest distance is taken off first: a cell unlike all others would otherwise have only weights that underflow.
// distances, weights: (frames, slots, cells, 2) float32; an infinite distance is a missing edge of weight 0.
// scale: (1) float32.

extern "C" __global__ void consensus_weights(const float* __restrict__ distances, const float* __restrict__ scale,
                                             float* __restrict__ weights, const int frames, const int slots,
                                             const int cells) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= frames * cells) return;
  const int frame = i / cells, cell = i % cells;

  float least = 3e38f;
  for (int s = 0; s < slots; ++s)
    least = fminf(least, distances[(((long long)frame * slots + s) * cells + cell) * 2]);  // second is never nearer
  float sum = 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long e = (((long long)frame * slots + s) * cells + cell) * 2;
    for (int k = 0; k < 2; ++k) {
      const float weight = expf((least - distances[e + k]) / scale[0]);
      weights[e + k] = weight;
      sum += weight;
    }
  }
  const float share = sum > 0.0f ? 1.0f / sum : 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long e = (((long long)frame * slots + s) * cells + cell) * 2;
    weights[e] *= share;
    weights[e + 1] *= share;
  }
}
