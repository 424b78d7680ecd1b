// keep(i) = 1 for the points that a simplified closed chain keeps: first only points at least the tolerance from the
// last such one are looked at, then Douglas and Peucker.   One thread per chain: each step depends on the last one.
// points: (n, 2) int32.   starts: (outlines + 1) int32, index into points.   keep: (n,) uint8, 0 before.
// spans: (n + outlines, 2) int32 scratch.   limit: square of the tolerance.

__device__ inline double square_distance(const int* points, const int i, const int first, const int last) {
  const double ax = points[2 * first], ay = points[2 * first + 1];
  const double dx = points[2 * last] - ax, dy = points[2 * last + 1] - ay;
  const double px = points[2 * i] - ax, py = points[2 * i + 1] - ay;
  const double along = px * dx + py * dy, length = dx * dx + dy * dy;
  if (along <= 0.0) return px * px + py * py;
  if (along >= length) return (px - dx) * (px - dx) + (py - dy) * (py - dy);
  const double cross = px * dy - py * dx;
  return cross * cross / length;
}

extern "C" __global__ void simplify_outlines(const int* __restrict__ points, const int* __restrict__ starts,
                                             unsigned char* __restrict__ keep, int* __restrict__ spans,
                                             const double limit, const int outlines) {
  const int outline = blockIdx.x * blockDim.x + threadIdx.x;
  if (outline >= outlines) return;
  const int begin = starts[outline], end = starts[outline + 1];
  if (begin == end) return;
  int previous = begin;
  keep[begin] = 1;
  for (int i = begin + 1; i < end; ++i) {
    const double dx = (double)points[2 * i] - points[2 * previous];
    const double dy = (double)points[2 * i + 1] - points[2 * previous + 1];
    if (dx * dx + dy * dy >= limit) {
      keep[i] = 2;
      previous = i;
    }
  }
  const int floor = begin + outline;
  int top = floor + 1;
  spans[2 * floor] = begin;
  spans[2 * floor + 1] = end;
  while (top > floor) {
    --top;
    const int first = spans[2 * top], last = spans[2 * top + 1];
    const int closing = last == end ? begin : last;
    int farthest = -1;
    double square = limit;
    for (int i = first + 1; i < last; ++i) {
      if (keep[i] == 0) continue;
      const double distance = square_distance(points, i, first, closing);
      if (distance > square) {
        farthest = i;
        square = distance;
      }
    }
    if (farthest < 0) continue;
    keep[farthest] = 1;
    spans[2 * top] = first;
    spans[2 * top + 1] = farthest;
    spans[2 * top + 2] = farthest;
    spans[2 * top + 3] = last;
    top += 2;
  }
  for (int i = begin; i < end; ++i) keep[i] = keep[i] == 1;
}
