// Area, first pixel, label and preceding part of each connected part.
// parts: (height, width) int32, 1 ... n in raster order of first pixels.   table: (n, 4) int32.

// One thread per part.
extern "C" __global__ void part_table_start(int* __restrict__ table, const int count, const int pixels) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  table[4 * k] = 0;
  table[4 * k + 1] = pixels;
}

// One thread per pixel: the first of a run counts it.
extern "C" __global__ void part_table(const int* __restrict__ parts, int* table, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, part = parts[i];
  if (x > 0 && parts[i - 1] == part) return;
  int end = x + 1;
  while (end < width && parts[y * width + end] == part) ++end;
  atomicAdd(&table[4 * (part - 1)], end - x);
  atomicMin(&table[4 * (part - 1) + 1], i);
}

// One thread per part.
extern "C" __global__ void part_table_end(const int* __restrict__ parts, const int* __restrict__ labels,
                                          int* __restrict__ table, const int count, const int width) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int first = table[4 * k + 1];
  table[4 * k + 2] = labels[first];
  table[4 * k + 3] = first % width > 0 ? parts[first - 1] : first > 0 ? parts[first - width] : 0;
}
