// Unknown seeds continue the flow of the nearest known one: rounds that look for it, then a plane around it.
// image: (rows, columns) float32 in [0, 1].   flow_uv, filled_uv: (2, rows, columns) float32.   distance: (rows,
// columns) int32, 0 where the flow is known.   source: (rows, columns) int32, the seed that the flow comes from.
// One thread per seed.
__device__ __forceinline__ int grey_level(const float value) {
  return (int)(fminf(fmaxf(value, 0.0f), 1.0f) * 255.0f + 0.5f);
}

extern "C" __global__ void match_fill_start(const int* __restrict__ distance, int* __restrict__ after,
                                            int* __restrict__ source, const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column;
  after[seed] = distance[seed];
  source[seed] = seed;
}

extern "C" __global__ void match_fill_round(const float* __restrict__ image, const int* __restrict__ before,
                                            const int* __restrict__ before_source, int* __restrict__ after,
                                            int* __restrict__ after_source, const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column;
  int best = before[seed], source = before_source[seed];
  if (best > 0) {
    const int grey = grey_level(image[seed]);
    for (int side = 0; side < 4; ++side) {
      const int other_row = row + (side == 3) - (side == 2), other_column = column + (side == 1) - (side == 0);
      if (other_row < 0 || other_row >= rows || other_column < 0 || other_column >= columns) continue;
      const int other = other_row * columns + other_column;
      const int way = before[other] + STEP + abs(grey - grey_level(image[other]));
      if (way < best) {
        best = way;
        source = before_source[other];
      }
    }
  }
  after[seed] = best;
  after_source[seed] = source;
}

extern "C" __global__ void match_fill(const float* __restrict__ flow_uv, const int* __restrict__ distance,
                                      const int* __restrict__ source, float* __restrict__ filled_uv, const int rows,
                                      const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int seed = row * columns + column, plane = rows * columns, from = source[seed];
  const int from_row = from / columns, from_column = from % columns;
  const float u = flow_uv[from], v = flow_uv[plane + from];
  filled_uv[seed] = u;
  filled_uv[plane + seed] = v;
  if (distance[seed] == 0 || distance[from] > 0) return;

  float count = 0.0f, sum_x = 0.0f, sum_y = 0.0f, sum_u = 0.0f, sum_v = 0.0f;
  float xx = 0.0f, xy = 0.0f, yy = 0.0f, xu = 0.0f, yu = 0.0f, xv = 0.0f, yv = 0.0f;
  for (int other_row = max(0, from_row - REACH); other_row < min(rows, from_row + REACH + 1); ++other_row) {
    for (int other_column = max(0, from_column - REACH); other_column < min(columns, from_column + REACH + 1);
         ++other_column) {
      const int other = other_row * columns + other_column;
      if (distance[other] > 0) continue;
      const float x = other_column - from_column, y = other_row - from_row;
      const float du = flow_uv[other] - u, dv = flow_uv[plane + other] - v;
      const float bound = ALIKE + SLOPE * (fabsf(x) + fabsf(y));
      if (fabsf(du) > bound || fabsf(dv) > bound) continue;
      count += 1.0f;
      sum_x += x;
      sum_y += y;
      sum_u += du;
      sum_v += dv;
      xx += x * x;
      xy += x * y;
      yy += y * y;
      xu += x * du;
      yu += y * du;
      xv += x * dv;
      yv += y * dv;
    }
  }
  const float mean_x = sum_x / count, mean_y = sum_y / count, mean_u = sum_u / count, mean_v = sum_v / count;
  const float a = xx - sum_x * mean_x + RIDGE * count, b = xy - sum_x * mean_y, c = yy - sum_y * mean_y + RIDGE * count;
  const float scale = 1.0f / (a * c - b * b);
  const float along_x = (float)(column - from_column) - mean_x, along_y = (float)(row - from_row) - mean_y;
  const float pu = xu - sum_x * mean_u, qu = yu - sum_y * mean_u, pv = xv - sum_x * mean_v, qv = yv - sum_y * mean_v;
  const float u_x = (c * pu - b * qu) * scale, u_y = (a * qu - b * pu) * scale;
  const float v_x = (c * pv - b * qv) * scale, v_y = (a * qv - b * pv) * scale;
  filled_uv[seed] = u + (mean_u + (u_x * along_x + u_y * along_y));
  filled_uv[plane + seed] = v + (mean_v + (v_x * along_x + v_y * along_y));
}
