// For each pair (query frame, reference frame): the two reference cells nearest to every query cell.
// descriptors: (frames, 24, cells) float32.   pairs: (count, 2) int32.   One thread per (pair, query cell).
// nearest: (count, cells, 2) int32.   distances: (count, cells, 2) float32, squared; infinite where there is no cell.
// A cell is not its own neighbour. Equal distances: the lower number wins, as in the CPU half.

extern "C" __global__ void nearest_cells(const float* __restrict__ descriptors, const int* __restrict__ pairs,
                                         int* __restrict__ nearest, float* __restrict__ distances, const int cells) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const int pair = blockIdx.y;
  const int query_frame = pairs[2 * pair], reference_frame = pairs[2 * pair + 1];
  const float* __restrict__ query = descriptors + (long long)query_frame * 24 * cells;
  const float* __restrict__ reference = descriptors + (long long)reference_frame * 24 * cells;

  // Every thread of a block walks the same reference cells: a tile of 64 is brought to shared memory once for all.
  __shared__ float tile[24][64];
  float own[24];
  for (int k = 0; k < 24; ++k) own[k] = i < cells ? query[k * cells + i] : 0.0f;
  const float infinity = __int_as_float(0x7f800000);  // NVRTC knows no INFINITY
  float best = infinity, second = infinity;
  int best_cell = 0, second_cell = 0;
  for (int first = 0; first < cells; first += 64) {
    __syncthreads();
    for (int n = threadIdx.x; n < 24 * 64; n += blockDim.x) {
      const int j = first + (n & 63);
      tile[n >> 6][n & 63] = j < cells ? reference[(n >> 6) * cells + j] : 0.0f;
    }
    __syncthreads();
    const int end = min(64, cells - first);
    for (int n = 0; n < end; ++n) {
      float distance = 0.0f;
      for (int k = 0; k < 24; ++k) {
        const float difference = own[k] - tile[k][n];
        distance = fmaf(difference, difference, distance);
      }
      const int j = first + n;
      if (query_frame == reference_frame && i == j) continue;
      if (distance < best) {
        second = best;
        second_cell = best_cell;
        best = distance;
        best_cell = j;
      } else if (distance < second) {
        second = distance;
        second_cell = j;
      }
    }
  }
  if (i >= cells) return;
  const long long out = ((long long)pair * cells + i) * 2;
  nearest[out] = best_cell;
  nearest[out + 1] = second_cell;
  distances[out] = best;
  distances[out + 1] = second;
}
