// distance(y, x) = sum over c of weights(c) * the least range of planes(c) on a path to the frame's border.
// planes, high, low: (channels, height, width) float32.   weights: (channels) float32.   distance: (height, width).
// high and low: largest and smallest value on the best path known; high - low is its cost, infinite before the first.
// Sweeps over lines that do not look at each other: right, left, down, up; the same bits in any order of the lines.
#define TILE 32

// What the path of the pixel before becomes when it goes on to a pixel of this value; better ones are taken.
__device__ __forceinline__ void barrier_distance_step(const float value, const float before_high,
                                                      const float before_low, float& high, float& low) {
  const float top = fmaxf(before_high, value), bottom = fminf(before_low, value);
  if (top - bottom < high - low) {
    high = top;
    low = bottom;
  }
}

// Paths of no length on the border, none elsewhere.   One thread per pixel of each channel.
extern "C" __global__ void barrier_distance_start(const float* __restrict__ planes, float* __restrict__ high,
                                                  float* __restrict__ low, const int height, const int width,
                                                  const int rows, const int border) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= rows) return;
  const int i = row * width + x, y = row % height;
  const bool seed = x < border || y < border || x >= width - border || y >= height - border;
  high[i] = seed ? planes[i] : __int_as_float(0x7f800000);
  low[i] = seed ? planes[i] : __int_as_float(0xff800000);
}

// To the right, then to the left.   One block of TILE threads per TILE rows, one thread per row; tiles of TILE columns
// go through shared memory, so that neighbouring threads read neighbouring columns.
extern "C" __global__ void barrier_distance_rows(const float* __restrict__ planes, float* __restrict__ high,
                                                 float* __restrict__ low, const int width, const int rows) {
  __shared__ float values[TILE][TILE + 1], highs[TILE][TILE + 1], lows[TILE][TILE + 1];
  const int lane = threadIdx.x, first_row = blockIdx.x * TILE, tiles = (width + TILE - 1) / TILE;
  const int rows_here = min(TILE, rows - first_row);
  for (int direction = 0; direction < 2; ++direction) {
    float before_high = __int_as_float(0x7f800000), before_low = __int_as_float(0xff800000);
    for (int k = 0; k < tiles; ++k) {
      const int first = (direction == 0 ? k : tiles - 1 - k) * TILE;
      const int columns_here = min(TILE, width - first);
      for (int r = 0; r < rows_here; ++r) {
        if (lane >= columns_here) continue;
        const int i = (first_row + r) * width + first + lane;
        values[r][lane] = planes[i];
        highs[r][lane] = high[i];
        lows[r][lane] = low[i];
      }
      __syncthreads();
      if (lane < rows_here) {
        for (int j = 0; j < columns_here; ++j) {
          const int x = direction == 0 ? j : columns_here - 1 - j;
          barrier_distance_step(values[lane][x], before_high, before_low, highs[lane][x], lows[lane][x]);
          before_high = highs[lane][x];
          before_low = lows[lane][x];
        }
      }
      __syncthreads();
      for (int r = 0; r < rows_here; ++r) {
        if (lane >= columns_here) continue;
        const int i = (first_row + r) * width + first + lane;
        high[i] = highs[r][lane];
        low[i] = lows[r][lane];
      }
      __syncthreads();
    }
  }
}

// Downwards, then upwards.   One thread per column of each channel.
extern "C" __global__ void barrier_distance_columns(const float* __restrict__ planes, float* __restrict__ high,
                                                    float* __restrict__ low, const int height, const int width,
                                                    const int channels) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int c = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || c >= channels) return;
  for (int direction = 0; direction < 2; ++direction) {
    float before_high = __int_as_float(0x7f800000), before_low = __int_as_float(0xff800000);
    for (int k = 0; k < height; ++k) {
      const int i = (c * height + (direction == 0 ? k : height - 1 - k)) * width + x;
      float own_high = high[i], own_low = low[i];
      barrier_distance_step(planes[i], before_high, before_low, own_high, own_low);
      high[i] = before_high = own_high;
      low[i] = before_low = own_low;
    }
  }
}

// One thread per pixel.
extern "C" __global__ void barrier_distance(const float* __restrict__ high, const float* __restrict__ low,
                                            const float* __restrict__ weights, float* __restrict__ distance,
                                            const int pixels, const int channels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  float sum = 0.0f;
  for (int c = 0; c < channels; ++c) sum += (high[c * pixels + i] - low[c * pixels + i]) * weights[c];
  distance[i] = sum;
}
