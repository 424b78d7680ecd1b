// owners(k) = the smallest and the largest label that touches hole k + 1; 2^31 - 1 and 0 without any.
// labels, holes: (height, width) int32, never both other than 0.   owners: (n, 2) int32.
#define LARGEST 2147483647

// One thread per hole.
extern "C" __global__ void hole_owners_start(int* __restrict__ owners, const int count) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  owners[2 * k] = LARGEST;
  owners[2 * k + 1] = 0;
}

// One thread per pixel. An atomic that would change nothing is left out: most of them, after the first few.
extern "C" __global__ void hole_owners(const int* __restrict__ labels, const int* __restrict__ holes, int* owners,
                                       const int height, const int width, const int connectivity) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int hole = holes[y * width + x];
  if (hole == 0) return;
  int* const owner = owners + 2 * (hole - 1);
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
      if (connectivity == 4 && dx != 0 && dy != 0) continue;
      const int label = labels[(y + dy) * width + x + dx];
      if (label == 0) continue;
      if (label < owner[0]) atomicMin(&owner[0], label);
      if (label > owner[1]) atomicMax(&owner[1], label);
    }
  }
}
