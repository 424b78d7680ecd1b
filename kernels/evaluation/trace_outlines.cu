// Closed chains of corners along the cracks between the pixels of a mask and the rest, object on the right hand.
// Three launches: every run of upper edges follows its outline and gives up when it meets an earlier run; the numbers
// of corners are summed by rows; the leading runs walk again and write.
// mask: (height, width) uint8.   corners: (height, width) int32, corners of the outline that begins at a pixel, else 0.
// totals: (height + 1, 2) int32, corners and outlines before each row.
// points: (all corners, 2) int32, x and y of corners of pixels.   starts: (outlines + 1) int32, index into points.

__device__ inline bool inside(const unsigned char* mask, const int y, const int x, const int height, const int width) {
  return y >= 0 && y < height && x >= 0 && x < width && mask[y * width + x] != 0;
}

// Direction (0 east, 1 south, 2 west, 3 north) after the corner (x, y): right, straight on or left, in this order.
__device__ inline int turn(const unsigned char* mask, const int y, const int x, const int direction, const int height,
                           const int width) {
  const bool left = inside(mask, y - (direction == 0 || direction == 3), x - (direction >= 2), height, width);
  const bool right =
      inside(mask, y - (direction >= 2), x - (direction == 1 || direction == 2), height, width);
  if (!right) return (direction + 1) & 3;
  return left ? (direction + 3) & 3 : direction;
}

__device__ inline void walk(const unsigned char* mask, int& y, int& x, int& direction, const int height,
                            const int width) {
  int next = direction;
  while (next == direction) {
    x += (direction == 0) - (direction == 2);
    y += (direction == 1) - (direction == 3);
    next = turn(mask, y, x, direction, height, width);
  }
  direction = next;
}

extern "C" __global__ void trace_outlines_lead(const unsigned char* __restrict__ mask, int* __restrict__ corners,
                                               const int height, const int width) {
  const int first_x = blockIdx.x * blockDim.x + threadIdx.x;
  const int first_y = blockIdx.y * blockDim.y + threadIdx.y;
  if (first_x >= width || first_y >= height) return;
  const int i = first_y * width + first_x;
  int count = 0;
  const bool top = mask[i] != 0 && !inside(mask, first_y - 1, first_x, height, width);
  const bool goes_on = inside(mask, first_y, first_x - 1, height, width) &&
                       !inside(mask, first_y - 1, first_x - 1, height, width);
  if (top && !goes_on) {
    int y = first_y, x = first_x, direction = 0;
    do {
      ++count;
      walk(mask, y, x, direction, height, width);
      if (direction == 0 && y * width + x < i) {
        count = 0;
        break;
      }
    } while (y != first_y || x != first_x || direction != 0);
  }
  corners[i] = count;
}

extern "C" __global__ void trace_outlines_sum(const int* __restrict__ corners, int* __restrict__ totals,
                                              const int height, const int width) {
  for (int y = threadIdx.x; y < height; y += blockDim.x) {
    int points = 0, outlines = 0;
    for (int x = 0; x < width; ++x) {
      points += corners[y * width + x];
      outlines += corners[y * width + x] > 0;
    }
    totals[2 * y + 2] = points;
    totals[2 * y + 3] = outlines;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  totals[0] = 0;
  totals[1] = 0;
  for (int y = 0; y < height; ++y) {
    totals[2 * y + 2] += totals[2 * y];
    totals[2 * y + 3] += totals[2 * y + 1];
  }
}

// One thread per row.
extern "C" __global__ void trace_outlines(const unsigned char* __restrict__ mask, const int* __restrict__ corners,
                                          const int* __restrict__ totals, int* __restrict__ points,
                                          int* __restrict__ starts, const int height, const int width) {
  const int first_y = blockIdx.x * blockDim.x + threadIdx.x;
  if (first_y >= height) return;
  int point = totals[2 * first_y], outline = totals[2 * first_y + 1];
  for (int first_x = 0; first_x < width; ++first_x) {
    const int count = corners[first_y * width + first_x];
    if (count == 0) continue;
    starts[outline] = point;
    ++outline;
    int y = first_y, x = first_x, direction = 0;
    for (int k = 0; k < count; ++k) {
      points[2 * point] = x;
      points[2 * point + 1] = y;
      ++point;
      walk(mask, y, x, direction, height, width);
    }
  }
  if (first_y == height - 1) starts[outline] = point;
}
