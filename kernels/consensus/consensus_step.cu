// One round of votes: next = (1 - restart) * mean of the neighbours' votes + restart * seed.
// votes, seeds, next: (frames, cells) float32.   edges: (frames, slots, cells, 2) int32, frame * cells + cell.
// weights: the same shape, float32, sum 1 or 0 per cell.   links: (frames, 4, cells) float32: left, right, upper, lower.
// One thread per (frame, cell).

extern "C" __global__ void consensus_step(const float* __restrict__ votes, const float* __restrict__ seeds,
                                          const int* __restrict__ edges, const float* __restrict__ weights,
                                          const float* __restrict__ links, float* __restrict__ next, const int frames,
                                          const int slots, const int cells_y, const int cells_x,
                                          const float link_share, const float restart) {
  const int cells = cells_y * cells_x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= frames * cells) return;
  const int frame = i / cells, cell = i % cells;
  const int cx = cell % cells_x, cy = cell / cells_x;

  float similar = 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long e = (((long long)frame * slots + s) * cells + cell) * 2;
    similar += weights[e] * votes[edges[e]];
    similar += weights[e + 1] * votes[edges[e + 1]];
  }
  const float* __restrict__ own = links + (long long)frame * 4 * cells + cell;
  float beside = 0.0f;
  if (cx > 0) beside += own[0] * votes[i - 1];
  if (cx < cells_x - 1) beside += own[cells] * votes[i + 1];
  if (cy > 0) beside += own[2 * cells] * votes[i - cells_x];
  if (cy < cells_y - 1) beside += own[3 * cells] * votes[i + cells_x];
  const float mean = similar * (1.0f - link_share) + beside * link_share;
  next[i] = mean * (1.0f - restart) + seeds[i] * restart;
}
