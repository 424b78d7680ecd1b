// Union-find on pixels: every pixel points towards the smallest linear index it is connected to.

__device__ __forceinline__ int find_root(const int* parent, int i) {
  int up = parent[i];
  while (up != i) {
    i = up;
    up = parent[i];
  }
  return i;
}

// Joins two trees. Another thread may move a root meanwhile: atomicMin tells the value it found, and the walk goes on.
__device__ __forceinline__ void join_roots(int* parent, int a, int b) {
  for (;;) {
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a == b) return;
    if (a > b) {
      const int larger = a;
      a = b;
      b = larger;
    }
    const int found = atomicMin(&parent[b], a);
    if (found == b) return;
    b = found;  // b had got a parent already: join that one with a as well
  }
}
