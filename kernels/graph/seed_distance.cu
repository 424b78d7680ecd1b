// Steps along rows and columns to the nearest seed, at most 65535.
// seeds: (height, width) int32, a seed where positive.   distance: (height, width) uint16.
#define FAR 65535

// Within columns.   One thread per column.
extern "C" __global__ void seed_distance(const int* __restrict__ seeds, unsigned short* __restrict__ distance,
                                         const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  if (x >= width) return;
  int near = FAR;
  for (int y = 0; y < height; ++y) {
    near = seeds[y * width + x] > 0 ? 0 : min(near + 1, FAR);
    distance[y * width + x] = (unsigned short)near;
  }
  for (int y = height - 2; y >= 0; --y) {
    near = min(near + 1, (int)distance[y * width + x]);
    distance[y * width + x] = (unsigned short)near;
  }
}

// Within rows.   One thread per row.
extern "C" __global__ void seed_distance_rows(unsigned short* __restrict__ distance, const int height,
                                              const int width) {
  const int y = blockIdx.x * blockDim.x + threadIdx.x;
  if (y >= height) return;
  unsigned short* row = distance + y * width;
  int near = FAR;
  for (int x = 0; x < width; ++x) {
    near = min(near + 1, (int)row[x]);
    row[x] = (unsigned short)near;
  }
  for (int x = width - 1; x >= 0; --x) {
    near = min(near + 1, (int)row[x]);
    row[x] = (unsigned short)near;
  }
}
