// Merging of regions, for several scales: a block for each.
// first, second, weights: (edges), ends of edges from the lightest to the heaviest; of equal ones the earlier counts as
// lighter.   sizes, internal: (regions).   scales: (blocks).
// firsts, areas, heaviest, lightest, finished: (blocks, regions) scratch.   live: (blocks, edges) scratch.
// parents: (blocks, regions), the first region of what each belongs to.   counts: (blocks).
#define NONE 0x7fffffff

// Other threads write between two barriers: read past the cache of the processor.
__device__ __forceinline__ int look(const int* place) { return *(const volatile int*)place; }

__device__ __forceinline__ int find_root(const int* up, int i) {
  for (int next = look(up + i); next != i; next = look(up + i)) i = next;
  return i;
}

// Strikes out edges that lead nowhere, and finds the lightest of those left at each root. Returns how many are left.
__device__ int find_lightest(const int* first, const int* second, const int* up, const int* areas, const int* finished,
                             int* lightest, int* live, const int count, const int regions, const bool absorbing,
                             const long long smallest, int* kept) {
  for (int i = threadIdx.x; i < regions; i += blockDim.x) lightest[i] = NONE;
  if (threadIdx.x == 0) *kept = 0;
  __syncthreads();
  for (int begin = 0; begin < count; begin += blockDim.x) {
    const int k = begin + threadIdx.x;
    int edge = NONE;
    if (k < count) {
      edge = look(live + k);
      const int a = find_root(up, first[edge]), b = find_root(up, second[edge]);
      const bool needed = absorbing ? look(areas + a) < smallest || look(areas + b) < smallest
                                    : !look(finished + a) && !look(finished + b);
      if (a == b || !needed) {
        edge = NONE;
      } else {
        atomicMin(&lightest[a], edge);
        atomicMin(&lightest[b], edge);
      }
    }
    __syncthreads();  // all of this stretch are read: what stays is written before or into it
    if (edge != NONE) live[atomicAdd(kept, 1)] = edge;
    __syncthreads();
  }
  return look(kept);
}

__device__ __forceinline__ bool accepts(const int i, const int weight, const long long scale, const int* areas,
                                        const int* heaviest) {
  return (long long)(weight - look(heaviest + i)) * look(areas + i) <= scale;
}

__device__ __forceinline__ int beyond(const int i, const int edge, const int* first, const int* second, const int* up) {
  const int a = find_root(up, first[edge]);
  return a == i ? find_root(up, second[edge]) : a;
}

// Every member points to its root.
__device__ void flatten(int* up, const int regions) {
  __syncthreads();
  for (int i = threadIdx.x; i < regions; i += blockDim.x) up[i] = find_root(up, i);
  __syncthreads();
}

extern "C" __global__ void merge_regions(const int* __restrict__ first, const int* __restrict__ second,
                                         const unsigned short* __restrict__ weights, const int* __restrict__ sizes,
                                         const int* __restrict__ internal, const long long* __restrict__ scales,
                                         int* firsts, int* areas, int* heaviest, int* lightest, int* finished,
                                         int* live, int* parents, int* counts, const int regions, const int edges,
                                         const long long smallest) {
  __shared__ int kept;
  const size_t place = (size_t)blockIdx.x * regions;
  const long long scale = scales[blockIdx.x];
  int* up = parents + place;
  firsts += place, areas += place, heaviest += place, lightest += place, finished += place;
  live += (size_t)blockIdx.x * (edges > 0 ? edges : 1);
  for (int i = threadIdx.x; i < regions; i += blockDim.x) {
    up[i] = i;
    firsts[i] = NONE;
    areas[i] = sizes[i];
    heaviest[i] = internal[i];
    finished[i] = 0;
  }
  for (int k = threadIdx.x; k < edges; k += blockDim.x) live[k] = k;
  __syncthreads();
  int count = edges;
  for (;;) {  // two that find their lightest edge to be the same are joined if both accept it
    count = find_lightest(first, second, up, areas, finished, lightest, live, count, regions, false, smallest, &kept);
    if (count == 0) break;
    for (int i = threadIdx.x; i < regions; i += blockDim.x) {
      const int edge = look(lightest + i);
      if (edge != NONE && !accepts(i, weights[edge], scale, areas, heaviest)) finished[i] = 1;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < regions; i += blockDim.x) {
      const int edge = look(lightest + i);
      if (edge == NONE || look(finished + i)) continue;
      const int other = beyond(i, edge, first, second, up);
      if (i < other && look(lightest + other) == edge && !look(finished + other)) {
        areas[i] += look(areas + other);
        heaviest[i] = weights[edge];
        up[other] = i;
      }
    }
    flatten(up, regions);
  }
  for (int k = threadIdx.x; k < edges; k += blockDim.x) live[k] = k;
  __syncthreads();
  count = edges;
  for (;;) {  // the small ones join along their lightest edge
    count = find_lightest(first, second, up, areas, finished, lightest, live, count, regions, true, smallest, &kept);
    if (count == 0) break;
    for (int i = threadIdx.x; i < regions; i += blockDim.x) finished[i] = look(areas + i) < smallest;
    __syncthreads();
    for (int i = threadIdx.x; i < regions; i += blockDim.x) {
      const int edge = look(lightest + i);
      if (edge == NONE || !look(finished + i)) continue;
      const int other = beyond(i, edge, first, second, up);
      const bool mutual = look(lightest + other) == edge;
      if (!look(finished + other)) {
        atomicAdd(&areas[other], look(areas + i));
        up[i] = other;
      } else if (mutual && i < other) {
        atomicAdd(&areas[i], look(areas + other));
        up[other] = i;
      }
    }
    flatten(up, regions);
  }
  // A root need not be the first of its members.
  for (int i = threadIdx.x; i < regions; i += blockDim.x) atomicMin(&firsts[look(up + i)], i);
  if (threadIdx.x == 0) kept = 0;
  __syncthreads();
  for (int i = threadIdx.x; i < regions; i += blockDim.x) lightest[i] = look(firsts + look(up + i));
  __syncthreads();
  for (int i = threadIdx.x; i < regions; i += blockDim.x) {
    up[i] = look(lightest + i);
    if (look(lightest + i) == i) atomicAdd(&kept, 1);
  }
  __syncthreads();
  if (threadIdx.x == 0) counts[blockIdx.x] = kept;
}
