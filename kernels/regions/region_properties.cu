// Per region r of a label map (label r + 1): moments(r) = {n, sum x, sum y, sum x^2, sum y^2, sum xy}, half-open box,
// sum of weights in units of 2^-20.   One thread per CHUNK pixels of a row; integer atomics, so the order cannot matter.
// labels: (height, width) int32.   weights: (height, width) float32, unread when weighted is 0.
// moments: (count, 6) uint64 zero.   boxes_xyxy: (count, 4) int32.   weight_sums: (count) uint64 zero.
#define CHUNK 32               // the same word stands in the .py file
#define SCALE 1048576.0f       // 2^20
#define MOST 1099511627776.0f  // 2^40

// Boxes that any pixel will enlarge.   One thread per region.
extern "C" __global__ void region_properties_start(int* __restrict__ boxes_xyxy, const int height, const int width,
                                                   const int count) {
  const int r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= count) return;
  boxes_xyxy[4 * r] = width;
  boxes_xyxy[4 * r + 1] = height;
  boxes_xyxy[4 * r + 2] = 0;
  boxes_xyxy[4 * r + 3] = 0;
}

extern "C" __global__ void region_properties(const int* __restrict__ labels, const float* __restrict__ weights,
                                             unsigned long long* __restrict__ moments, int* __restrict__ boxes_xyxy,
                                             unsigned long long* __restrict__ weight_sums, const int height,
                                             const int width, const int count, const int weighted) {
  const int begin_chunk = (blockIdx.x * blockDim.x + threadIdx.x) * CHUNK;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (begin_chunk >= width || y >= height) return;
  const int end_chunk = min(begin_chunk + CHUNK, width);

  int x = begin_chunk;
  while (x < end_chunk) {
    const int label = labels[y * width + x];
    if (label <= 0 || label > count) {
      ++x;
      continue;
    }
    const int begin = x;
    long long total = 0;
    while (x < end_chunk && labels[y * width + x] == label) {
      if (weighted) {
        // fmaxf and fminf return the bound when the weight is NaN: it counts as the least.
        const float scaled = fminf(fmaxf(weights[y * width + x] * SCALE, -MOST), MOST);
        total += (long long)floorf(scaled + 0.5f);
      }
      ++x;
    }
    const int r = label - 1;
    const long long n = x - begin, last = x - 1, first = begin, row = y;
    const long long sum_x = (first + last) * n / 2;
    const long long sum_xx = last * (last + 1) * (2 * last + 1) / 6 - (first - 1) * first * (2 * first - 1) / 6;
    unsigned long long* m = moments + 6 * r;
    atomicAdd(&m[0], (unsigned long long)n);
    atomicAdd(&m[1], (unsigned long long)sum_x);
    atomicAdd(&m[2], (unsigned long long)(n * row));
    atomicAdd(&m[3], (unsigned long long)sum_xx);
    atomicAdd(&m[4], (unsigned long long)(n * row * row));
    atomicAdd(&m[5], (unsigned long long)(sum_x * row));
    int* box = boxes_xyxy + 4 * r;
    atomicMin(&box[0], begin);
    atomicMin(&box[1], y);
    atomicMax(&box[2], x);
    atomicMax(&box[3], y + 1);
    if (weighted) atomicAdd(&weight_sums[r], (unsigned long long)total);
  }
}
