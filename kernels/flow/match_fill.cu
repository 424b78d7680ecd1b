// One round of filling: each seed takes the flow of the neighbour over which a known seed is nearer.
// image: (rows, columns) float32 in [0, 1].   flow_uv, filled_uv: (2, rows, columns) float32.   distance, nearer:
// (rows, columns) int32, 0 where the flow is known.   One thread per seed.
__device__ __forceinline__ int grey_level(const float value) {
  return (int)(fminf(fmaxf(value, 0.0f), 1.0f) * 255.0f + 0.5f);
}

extern "C" __global__ void match_fill(const float* __restrict__ image, const float* __restrict__ flow_uv,
                                      const int* __restrict__ distance, float* __restrict__ filled_uv,
                                      int* __restrict__ nearer, const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column, plane = rows * columns;
  int best = distance[seed], from = seed;
  if (best > 0) {
    const int grey = grey_level(image[seed]);
    for (int side = 0; side < 4; ++side) {
      const int other_row = row + (side == 3) - (side == 2), other_column = column + (side == 1) - (side == 0);
      if (other_row < 0 || other_row >= rows || other_column < 0 || other_column >= columns) continue;
      const int other = other_row * columns + other_column;
      const int way = distance[other] + STEP + abs(grey - grey_level(image[other]));
      if (way < best) {
        best = way;
        from = other;
      }
    }
  }
  nearer[seed] = best;
  filled_uv[seed] = flow_uv[from];
  filled_uv[plane + seed] = flow_uv[plane + from];
}
