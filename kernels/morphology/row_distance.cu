// squares(y, x) = min over x' of (x - x')^2 + gaps(y, x')^2, NONE without any.   One thread per pixel.
// gaps: (height, width) uint16, FAR for none.   squares, distance: (height, width) int32.
// Each pixel looks to both sides, one column farther each time, until its distance alone is too large. Neighbouring
// threads read neighbouring columns.
#define FAR 32767
#define NONE 2147483647

// Columns k to the left and right of x: the smaller gap. Beyond the row there is none.
__device__ __forceinline__ int nearer_gap(const unsigned short* __restrict__ row, const int x, const int k,
                                          const int width) {
  const int left = x >= k ? row[x - k] : FAR;
  const int right = x + k < width ? row[x + k] : FAR;
  return min(left, right);
}

// roots: (height, width) float32.   nearest_xy: (height, width, 2) int32, the leftmost, then uppermost of several.
// wanted: 1 squares, 2 roots, 4 nearest_xy; what is not wanted is not written.
extern "C" __global__ void row_distance(const unsigned short* __restrict__ gaps, int* __restrict__ squares,
                                        float* __restrict__ roots, int* __restrict__ nearest_xy, const int height,
                                        const int width, const int wanted) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const unsigned short* const row = gaps + y * width;
  const int own = row[x], most = max(x, width - 1 - x);
  int best = own < FAR ? own * own : NONE, source = own < FAR ? x : -1;
  for (int k = 1; k <= most && k * k <= best; ++k) {
    const int left = x >= k ? row[x - k] : FAR;
    if (left < FAR) {
      const int square = k * k + left * left;
      if (square <= best) {  // farther to the left: wins when equal
        best = square;
        source = x - k;
      }
    }
    const int right = x + k < width ? row[x + k] : FAR;
    if (right < FAR) {
      const int square = k * k + right * right;
      if (square < best) {
        best = square;
        source = x + k;
      }
    }
  }
  const int i = y * width + x;
  if (wanted & 1) squares[i] = best;
  // In double: a square above 2^24 is no float. Rounded twice, and still the nearest float to the root.
  if (wanted & 2) roots[i] = best == NONE ? __int_as_float(0x7f800000) : (float)sqrt((double)best);
  if (wanted & 4) {
    int row_of = -1;
    if (source >= 0) {
      const int gap = row[source];
      row_of = gap <= y && gaps[(y - gap) * width + source] == 0 ? y - gap : y + gap;
    }
    nearest_xy[2 * i] = source;
    nearest_xy[2 * i + 1] = row_of;
  }
}

// distance(y, x) = min over x' of |x - x'| + gaps(y, x').   One thread per pixel.
extern "C" __global__ void row_distance_taxicab(const unsigned short* __restrict__ gaps, int* __restrict__ distance,
                                                const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const unsigned short* const row = gaps + y * width;
  int best = row[x] < FAR ? row[x] : NONE;
  const int most = max(x, width - 1 - x);
  for (int k = 1; k <= most && k < best; ++k) {
    const int gap = nearer_gap(row, x, k, width);
    if (gap < FAR) best = min(best, k + gap);
  }
  distance[y * width + x] = best;
}

// distance(y, x) = min over x' of max(|x - x'|, gaps(y, x')).   One thread per pixel.
extern "C" __global__ void row_distance_chessboard(const unsigned short* __restrict__ gaps, int* __restrict__ distance,
                                                   const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const unsigned short* const row = gaps + y * width;
  int best = row[x] < FAR ? row[x] : NONE;
  const int most = max(x, width - 1 - x);
  for (int k = 1; k <= most && k < best; ++k) {
    const int gap = nearer_gap(row, x, k, width);
    if (gap < FAR) best = min(best, max(k, gap));
  }
  distance[y * width + x] = best;
}
