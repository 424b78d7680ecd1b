// Edges of a graph of pixels that lead from one region to another.
// weights: (pixels, directions) uint16, 65535 where there is no edge.   regions: (pixels) int32.
// keys: weight * 2^32 + number of the edge.
#define WEIGHTS 2048

__device__ __forceinline__ int other_end(const int e, const int width, const int directions) {
  const int d = e % directions;
  return e / directions + (d == 0 ? 1 : d == 1 ? width : d == 2 ? width + 1 : width - 1);
}

// Finds them, in any order.   One thread per edge.
extern "C" __global__ void region_edges(const unsigned short* __restrict__ weights, const int* __restrict__ regions,
                                        long long* __restrict__ keys, int* counted, const int edges, const int width,
                                        const int directions) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= edges || weights[e] >= WEIGHTS) return;
  if (regions[e / directions] == regions[other_end(e, width, directions)]) return;
  keys[atomicAdd(counted, 1)] = ((long long)weights[e] << 32) + e;
}

// Ends and weights of the sorted ones.   One thread per edge of the list.
extern "C" __global__ void region_edges_list(const long long* __restrict__ keys, const int* __restrict__ regions,
                                             int* __restrict__ first, int* __restrict__ second,
                                             unsigned short* __restrict__ listed, const int count, const int width,
                                             const int directions) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int e = (int)(keys[k] & 0xffffffff);
  first[k] = regions[e / directions];
  second[k] = regions[other_end(e, width, directions)];
  listed[k] = (unsigned short)(keys[k] >> 32);
}
