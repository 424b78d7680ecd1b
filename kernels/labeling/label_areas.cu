// areas(k) = number of pixels with label k; labels beyond the table are not counted.   One thread per CHUNK pixels of a row.
// labels: (height, width) int32.   areas: (size) int32, zero.
#define CHUNK 32  // the same word stands in the .py file

extern "C" __global__ void label_areas(const int* __restrict__ labels, int* __restrict__ areas, const int height,
                                       const int width, const int size) {
  const int first = (blockIdx.x * blockDim.x + threadIdx.x) * CHUNK;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (first >= width || y >= height) return;
  const int* const row = labels + y * width;
  const int end = min(first + CHUNK, width);
  int label = row[first], begin = first;
  for (int x = first + 1; x <= end; ++x) {
    if (x < end && row[x] == label) continue;
    if (label >= 0 && label < size) atomicAdd(&areas[label], x - begin);
    if (x < end) label = row[x];
    begin = x;
  }
}
