// Graph-based segmentation: all edges of one weight at once, from the lightest to the heaviest.
// weights: (pixels, directions) uint16, 65535 where there is no edge.   order: numbers of edges by weight; those of one
// weight lie in any order between bounds[weight] and bounds[weight + 1].
// parent, sizes, internal: (pixels) int32: towards the first pixel of the component; its pixels and its heaviest edge.
// changed: at bounds[weight] and after it, changes[weight] components that were joined to others along that weight.
#define WEIGHTS 2048

// Another thread may move a root meanwhile: read past the cache of the processor.
__device__ __forceinline__ int find_root(const int* parent, int i) {
  const volatile int* up = parent;
  for (int next = up[i]; next != i; next = up[i]) i = next;
  return i;
}

// Every pixel is a component.   One thread per pixel.
extern "C" __global__ void merge_pixels_start(int* __restrict__ parent, int* __restrict__ sizes,
                                              int* __restrict__ internal, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  parent[i] = i;
  sizes[i] = 1;
  internal[i] = 0;
}

// Number of edges of each weight.   One thread per edge.
extern "C" __global__ void merge_pixels_count(const unsigned short* __restrict__ weights, int* counts, const int edges) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e < edges && weights[e] < WEIGHTS) atomicAdd(&counts[weights[e]], 1);
}

// Edges into the ranges of their weights.   One thread per edge.
extern "C" __global__ void merge_pixels_sort(const unsigned short* __restrict__ weights, int* cursors,
                                             int* __restrict__ order, const int edges) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e < edges && weights[e] < WEIGHTS) order[atomicAdd(&cursors[weights[e]], 1)] = e;
}

// Joins the ends of one edge if both accept it. Sizes and internal weights are those from before this weight: what was
// joined along it has a root that accepted it, so its own old numbers still say so.
__device__ __forceinline__ void join_ends(const int e, const int weight, const int first, int* parent, const int* sizes,
                                          const int* internal, int* changed, int* changes, const int width,
                                          const int directions, const long long scale) {
  const int pixel = e / directions, d = e % directions;
  int a = pixel, b = pixel + (d == 0 ? 1 : d == 1 ? width : d == 2 ? width + 1 : width - 1);
  for (;;) {
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a == b) return;
    if ((long long)(weight - internal[a]) * sizes[a] > scale) return;
    if ((long long)(weight - internal[b]) * sizes[b] > scale) return;
    const int low = a < b ? a : b, high = a < b ? b : a;
    if (atomicCAS(&parent[high], high, low) == high) {
      changed[first + atomicAdd(&changes[weight], 1)] = high;
      return;
    }
  }
}

// Adds a component that was joined along `weight` to what it belongs to now.
__device__ __forceinline__ void add_component(const int joined, const int weight, const int* parent, int* sizes,
                                              int* internal) {
  const int root = find_root(parent, joined);
  atomicAdd(&sizes[root], sizes[joined]);
  internal[root] = weight;
}

// All edges of one weight.   One thread per edge.
extern "C" __global__ void merge_pixels(const int* __restrict__ order, const int* __restrict__ bounds, int* parent,
                                        const int* sizes, const int* internal, int* changed, int* changes,
                                        const int weight, const int width, const int directions,
                                        const long long scale) {
  const int first = bounds[weight], j = first + blockIdx.x * blockDim.x + threadIdx.x;
  if (j >= bounds[weight + 1]) return;
  join_ends(order[j], weight, first, parent, sizes, internal, changed, changes, width, directions, scale);
}

// What they changed.   One thread per edge.
extern "C" __global__ void merge_pixels_update(const int* parent, int* sizes, int* internal,
                                               const int* __restrict__ changed, const int* __restrict__ changes,
                                               const int* __restrict__ bounds, const int weight) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < changes[weight]) add_component(changed[bounds[weight] + k], weight, parent, sizes, internal);
}

// Weights from `before` to `end` - 1, each with few edges, one after the other.   One block.
extern "C" __global__ void merge_pixels_few(const int* __restrict__ order, const int* __restrict__ bounds, int* parent,
                                            int* sizes, int* internal, int* changed, int* changes, const int before,
                                            const int end, const int width, const int directions,
                                            const long long scale) {
  for (int weight = before; weight < end; ++weight) {
    const int first = bounds[weight], last = bounds[weight + 1];
    if (first == last) continue;  // for all threads of the block
    for (int j = first + threadIdx.x; j < last; j += blockDim.x)
      join_ends(order[j], weight, first, parent, sizes, internal, changed, changes, width, directions, scale);
    __syncthreads();
    const int count = ((volatile int*)changes)[weight];
    for (int k = threadIdx.x; k < count; k += blockDim.x)
      add_component(changed[first + k], weight, parent, sizes, internal);
    __syncthreads();
  }
}

// Every pixel points to its root; other pixels have no numbers.   One thread per pixel.
extern "C" __global__ void merge_pixels_end(int* parent, int* __restrict__ sizes, int* __restrict__ internal,
                                            const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  const int root = find_root(parent, i);
  parent[i] = root;  // other threads may still walk through here: the root serves them
  if (root == i) return;
  sizes[i] = 0;
  internal[i] = 0;
}
