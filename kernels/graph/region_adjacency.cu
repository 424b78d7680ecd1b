// Pairs of labels that touch, in a table that is addressed by the bits of the pair; integer atomics, any order.
// labels: (height, width) int32, regions where not negative.   strength: (height, width) uint16.
// keys: (places) uint64, smaller label * 2^32 + larger one, all bits set where free; places is a power of two.
// table: (places, 4) uint64: length, sum of strengths, lowest, highest.
#define FREE 0xffffffffffffffffull

// How many pairs of neighbouring pixels have two labels.   One thread per pixel.
extern "C" __global__ void region_adjacency_count(const int* __restrict__ labels, int* borders, const int height,
                                                  const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int found = (x + 1 < width && labels[i + 1] != labels[i]) + (y + 1 < height && labels[i + width] != labels[i]);
  if (found) atomicAdd(borders, found);
}

// An empty table.   One thread per place.
extern "C" __global__ void region_adjacency_start(unsigned long long* __restrict__ keys,
                                                  unsigned long long* __restrict__ table, const int places) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= places) return;
  keys[i] = FREE;
  table[4 * i] = table[4 * i + 1] = table[4 * i + 3] = 0;
  table[4 * i + 2] = 65535;
}

__device__ __forceinline__ void add_border(const int one, const int two, const unsigned long long first,
                                           const unsigned long long second, unsigned long long* keys,
                                           unsigned long long* table, const int places) {
  if (one == two || one < 0 || two < 0) return;
  const unsigned long long key = ((unsigned long long)min(one, two) << 32) | (unsigned long long)max(one, two);
  int place = (int)((key * 0x9E3779B97F4A7C15ull) >> 32 & (unsigned long long)(places - 1));
  for (;;) {
    const unsigned long long found = atomicCAS(&keys[place], FREE, key);
    if (found == FREE || found == key) break;
    place = (place + 1) & (places - 1);
  }
  unsigned long long* entry = table + 4 * place;
  const unsigned long long higher = first > second ? first : second;
  atomicAdd(&entry[0], 1ull);
  atomicAdd(&entry[1], first + second);
  atomicMin(&entry[2], higher);
  atomicMax(&entry[3], higher);
}

// Adds the borders to the right and below.   One thread per pixel.
extern "C" __global__ void region_adjacency(const int* __restrict__ labels, const unsigned short* __restrict__ strength,
                                            unsigned long long* keys, unsigned long long* table, const int height,
                                            const int width, const int places) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  if (x + 1 < width) add_border(labels[i], labels[i + 1], strength[i], strength[i + 1], keys, table, places);
  if (y + 1 < height) add_border(labels[i], labels[i + width], strength[i], strength[i + width], keys, table, places);
}
