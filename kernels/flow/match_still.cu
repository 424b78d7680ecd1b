// still(seed): a known seed at most NEAR rows and columns away does not move.   One thread per seed.
// flow_uv: (2, rows, columns) float32, pixels of level 3.   distance: (rows, columns) int32, 0 where the flow is known.
extern "C" __global__ void match_still(const float* __restrict__ flow_uv, const int* __restrict__ distance,
                                       bool* __restrict__ still, const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  bool found = false;
  for (int near_row = max(0, row - NEAR); near_row < min(rows, row + NEAR + 1); ++near_row) {
    for (int near_column = max(0, column - NEAR); near_column < min(columns, column + NEAR + 1); ++near_column) {
      const int seed = near_row * columns + near_column;
      const float u = fabsf(flow_uv[seed]), v = fabsf(flow_uv[rows * columns + seed]);
      found = found || (u <= STANDS && v <= STANDS && distance[seed] == 0);
    }
  }
  still[row * columns + column] = found;
}
