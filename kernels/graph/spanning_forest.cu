// Seeds grow along the minimum spanning forest, in rounds: every component without a seed takes its first edge.
// weights: (pixels, directions) uint16, 65535 where there is no edge.   seeds: (pixels) int32, negative outside.
// distance: (pixels) uint16 to the nearest seed.   best: (pixels) uint64, at roots: the first edge that leads out.
// labels, parent, target: (pixels) int32: the label of a root, the root of a pixel, where a root goes in this round.
// joined: (rounds + 1) int32, not zero where the round before has joined something.
#define WEIGHTS 2048
#define NONE 0xffffffffffffffffull

__device__ __forceinline__ int other_end(const int e, const int width, const int directions) {
  const int d = e % directions;
  return e / directions + (d == 0 ? 1 : d == 1 ? width : d == 2 ? width + 1 : width - 1);
}

// Every pixel is a component.   One thread per pixel.
extern "C" __global__ void spanning_forest_start(const int* __restrict__ seeds, int* __restrict__ labels,
                                                 int* __restrict__ parent, unsigned long long* __restrict__ best,
                                                 int* __restrict__ joined, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  labels[i] = max(seeds[i], 0);
  parent[i] = i;
  best[i] = NONE;
  if (i == 0) joined[0] = 1;  // the first round has work
}

// The first edge of each component without a seed: key = weight, nearness, number.   One thread per edge.
extern "C" __global__ void spanning_forest(const unsigned short* __restrict__ weights,
                                           const unsigned short* __restrict__ distance, const int* __restrict__ seeds,
                                           const int* __restrict__ labels, const int* __restrict__ parent,
                                           unsigned long long* best, const int* __restrict__ joined, const int round,
                                           const int edges, const int width, const int directions) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= edges || joined[round] == 0 || weights[e] >= WEIGHTS) return;
  const int p = e / directions, q = other_end(e, width, directions);
  if (seeds[p] < 0 || seeds[q] < 0) return;
  const int a = parent[p], b = parent[q];
  if (a == b || (labels[a] > 0 && labels[b] > 0)) return;
  const unsigned long long near = min(min((int)distance[p], (int)distance[q]), 65534);
  const unsigned long long key = ((unsigned long long)weights[e] << 48) | (near << 32) | (unsigned long long)e;
  if (labels[a] == 0 && key < best[a]) atomicMin(&best[a], key);
  if (labels[b] == 0 && key < best[b]) atomicMin(&best[b], key);
}

// Each such component goes to the one at the other end; of two that chose each other the smaller index stays a root.
// Longer circles cannot be, as no two keys are equal.   One thread per pixel.
extern "C" __global__ void spanning_forest_join(const int* __restrict__ labels, const int* __restrict__ parent,
                                                const unsigned long long* __restrict__ best, int* __restrict__ target,
                                                int* joined, const int round, const int pixels, const int width,
                                                const int directions) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels || joined[round] == 0) return;
  target[i] = i;
  if (best[i] == NONE) return;
  const int e = (int)(best[i] & 0xffffffffull);
  const int a = parent[e / directions], b = parent[other_end(e, width, directions)];
  const int other = a == i ? b : a;
  if (labels[other] == 0 && best[other] == best[i] && i < other) return;
  target[i] = other;
  joined[round + 1] = 1;
}

// Every pixel points to the root of its root, and what was chosen is forgotten.   One thread per pixel.
extern "C" __global__ void spanning_forest_flatten(int* __restrict__ parent, unsigned long long* __restrict__ best,
                                                   const int* __restrict__ target, const int* __restrict__ joined,
                                                   const int round, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels || joined[round] == 0) return;
  int root = parent[i];
  for (int next = target[root]; next != root; next = target[root]) root = next;
  parent[i] = root;
  best[i] = NONE;
}

// labels(i) = the label of its root.   One thread per pixel.
extern "C" __global__ void spanning_forest_end(const int* __restrict__ parent, int* labels, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels || parent[i] == i) return;  // a root has its label
  labels[i] = labels[parent[i]];              // and keeps it: no other thread writes there
}
