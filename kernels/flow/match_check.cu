// Which matches can be trusted. Two passes, one thread per seed.
// forward, backward: (rows, columns, 3) int32: dx, dy in pixels of the level, cost.   prior_uv, prior_back_uv,
// flow_uv: (2, rows, columns) float32, pixels of level 3.   distance: (rows, columns) int32, 0 known, UNKNOWN not.

// returns(seed): the match leads to a seed whose own match leads back.
extern "C" __global__ void match_check_returning(const int* __restrict__ forward, const int* __restrict__ backward,
                                                 bool* __restrict__ returns, const int rows, const int columns,
                                                 const int height, const int width, const int level) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column, stride = SEED >> level;
  const int x = min(column * stride + stride / 2, width - 1), y = min(row * stride + stride / 2, height - 1);
  const int dx = forward[3 * seed], dy = forward[3 * seed + 1];
  const int to = min((y + dy) / stride, rows - 1) * columns + min((x + dx) / stride, columns - 1);
  returns[seed] = abs(dx + backward[3 * to]) <= BACK && abs(dy + backward[3 * to + 1]) <= BACK;
}

extern "C" __global__ void match_check(const int* __restrict__ forward, const bool* __restrict__ returns,
                                       const float* __restrict__ prior_uv, const float* __restrict__ prior_back_uv,
                                       float* __restrict__ flow_uv, int* __restrict__ distance, const int rows,
                                       const int columns, const int level, const int keep_prior) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column, plane = rows * columns;
  const int dx = forward[3 * seed], dy = forward[3 * seed + 1];
  int support = 0;
  if (returns[seed]) {
    for (int other_row = max(0, row - NEAR); other_row < min(rows, row + NEAR + 1); ++other_row) {
      for (int other_column = max(0, column - NEAR); other_column < min(columns, column + NEAR + 1); ++other_column) {
        const int other = other_row * columns + other_column;
        const float bound = ALIKE + SLOPE * (float)(abs(other_row - row) + abs(other_column - column));
        const float far_x = abs(forward[3 * other] - dx), far_y = abs(forward[3 * other + 1] - dy);
        support += returns[other] && far_x <= bound && far_y <= bound;
      }
    }
  }
  if (support > SUPPORT) {  // the seed agrees with itself
    const float scale = (float)(1 << level) / (float)SEED;
    flow_uv[seed] = scale * dx;
    flow_uv[plane + seed] = scale * dy;
    distance[seed] = 0;
    return;
  }
  const float u = prior_uv[seed], v = prior_uv[plane + seed];
  flow_uv[seed] = u;
  flow_uv[plane + seed] = v;
  const float to_x = column + u, to_y = row + v;
  bool known = keep_prior && to_x >= -0.5f && to_y >= -0.5f && to_x <= columns - 1 + 0.5f && to_y <= rows - 1 + 0.5f;
  if (known) {
    const int to = min((int)(to_y + 0.5f), rows - 1) * columns + min((int)(to_x + 0.5f), columns - 1);
    const float back_u = u + prior_back_uv[to], back_v = v + prior_back_uv[plane + to];
    known = back_u * back_u + back_v * back_v <= PRIOR_BACK2;
  }
  distance[seed] = known ? 0 : UNKNOWN;
}
