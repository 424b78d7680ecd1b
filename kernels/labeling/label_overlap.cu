// counts(a, b) = number of pixels (x, y) with first(y, x) = a > 0 and second(y + dy(a), x + dx(a)) = b.
// One thread per CHUNK pixels of a row: equal neighbouring pairs are added together, so that large regions do not
// queue at one counter. Integer atomics: the order does not matter.
// first, second: (height, width) int32.   shifts_xy: (rows, 2) int32 pixels.   counts: (rows, columns) int32, zero.
#define CHUNK 32  // the same word stands in the .py file

extern "C" __global__ void label_overlap(const int* __restrict__ first, const int* __restrict__ second,
                                         const int* __restrict__ shifts_xy, int* __restrict__ counts, const int height,
                                         const int width, const int rows, const int columns) {
  const int begin = (blockIdx.x * blockDim.x + threadIdx.x) * CHUNK;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (begin >= width || y >= height) return;
  const int end = min(begin + CHUNK, width);

  int pair = -1, length = 0;
  for (int x = begin; x < end; ++x) {
    const int label = first[y * width + x];
    int found = -1;
    if (label > 0 && label < rows) {
      const int other_x = x + shifts_xy[2 * label], other_y = y + shifts_xy[2 * label + 1];
      if (other_x >= 0 && other_x < width && other_y >= 0 && other_y < height) found = second[other_y * width + other_x];
    }
    const int next = found >= 0 && found < columns ? label * columns + found : -1;
    if (next != pair) {
      if (pair >= 0) atomicAdd(&counts[pair], length);
      pair = next;
      length = 0;
    }
    ++length;
  }
  if (pair >= 0) atomicAdd(&counts[pair], length);
}
