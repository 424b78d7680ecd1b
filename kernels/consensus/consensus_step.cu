// One round of votes: next = (1 - restart) * mean of the neighbours' votes + restart * seed.
// A row is one of `places`, the frames that are asked for.
// votes, seeds: (frames, cells) float32.   next: (rows, cells) float32.   places: (rows) int32.
// edges: (frames, slots, cells, 2) int32, frame * cells + cell.
// weights: (rows, slots, cells, 2) float32, sum 1 or 0 per cell.
// links: (frames, 4, cells) float32: left, right, upper, lower.
// One thread per (row, cell).

extern "C" __global__ void consensus_step(const float* __restrict__ votes, const float* __restrict__ seeds,
                                          const int* __restrict__ edges, const float* __restrict__ weights,
                                          const float* __restrict__ links, const int* __restrict__ places,
                                          float* __restrict__ next, const int rows, const int slots,
                                          const int cells_y, const int cells_x, const float link_share,
                                          const float restart) {
  const int cells = cells_y * cells_x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * cells) return;
  const int row = i / cells, cell = i % cells, frame = places[row], at = frame * cells + cell;
  const int cx = cell % cells_x, cy = cell / cells_x;

  float similar = 0.0f;
  for (int s = 0; s < slots; ++s) {
    const long long e = (((long long)frame * slots + s) * cells + cell) * 2;
    const long long w = (((long long)row * slots + s) * cells + cell) * 2;
    similar += weights[w] * votes[edges[e]];
    similar += weights[w + 1] * votes[edges[e + 1]];
  }
  const float* __restrict__ own = links + (long long)frame * 4 * cells + cell;
  float beside = 0.0f;
  if (cx > 0) beside += own[0] * votes[at - 1];
  if (cx < cells_x - 1) beside += own[cells] * votes[at + 1];
  if (cy > 0) beside += own[2 * cells] * votes[at - cells_x];
  if (cy < cells_y - 1) beside += own[3 * cells] * votes[at + cells_x];
  const float mean = similar * (1.0f - link_share) + beside * link_share;
  next[i] = mean * (1.0f - restart) + seeds[at] * restart;
}
