// gaps(y, x) = min over y' with mask(y', x) = 0 of |y - y'|, FAR if there is none.   One thread per piece of a column.
// mask: (height, width) uint8.   gaps: (height, width) uint16.   32 columns a block, each in SLICES pieces.
#define FAR 32767
#define SLICES 16

extern "C" __global__ void column_distance(const unsigned char* __restrict__ mask, unsigned short* __restrict__ gaps,
                                           const int height, const int width) {
  // First and last row of each piece that is not set, beyond the column if there is none.
  __shared__ int firsts[SLICES][32], lasts[SLICES][32];
  const int x = blockIdx.x * 32 + threadIdx.x, slice = threadIdx.y;
  const int rows = (height + SLICES - 1) / SLICES;
  const int begin = min(slice * rows, height), end = min(begin + rows, height);
  int first = 2 * FAR, last = -2 * FAR;
  if (x < width) {
    for (int y = begin; y < end; ++y) {
      if (mask[y * width + x] == 0) {
        first = min(first, y);
        last = y;
      }
    }
  }
  firsts[slice][threadIdx.x] = first;
  lasts[slice][threadIdx.x] = last;
  __syncthreads();
  if (x >= width) return;
  int above = -2 * FAR, below = 2 * FAR;
  for (int s = 0; s < slice; ++s) above = max(above, lasts[s][threadIdx.x]);
  for (int s = slice + 1; s < SLICES; ++s) below = min(below, firsts[s][threadIdx.x]);
  for (int y = begin; y < end; ++y) {
    if (mask[y * width + x] == 0) above = y;
    gaps[y * width + x] = (unsigned short)min(y - above, FAR);
  }
  for (int y = end - 1; y >= begin; --y) {
    const int down = gaps[y * width + x];
    if (down == 0) below = y;
    gaps[y * width + x] = (unsigned short)min(down, below - y);
  }
}
