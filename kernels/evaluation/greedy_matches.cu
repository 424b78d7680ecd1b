// matches(a, t, d) = the object that result d takes at threshold t when ignored(a) says which objects do not count;
// -1 for none. Results choose in their order, each the free object that it overlaps most (of equal ones the last), an
// ignored one only where no other reaches the threshold; a crowd is never taken away.
// One thread per choice a and threshold t: what a result may take depends on those before it.
// iou: (d, g) float64.   ignored: (a, g) uint8.   crowd: (g,) uint8.   thresholds: (t,) float64.
// taken: (a, t, g) uint8, zero.   matches: (a, t, d) int32.
extern "C" __global__ void greedy_matches(const double* __restrict__ iou, const unsigned char* __restrict__ ignored,
                                          const unsigned char* __restrict__ crowd,
                                          const double* __restrict__ thresholds, unsigned char* __restrict__ taken,
                                          int* __restrict__ matches, const int choices, const int levels,
                                          const int results, const int objects) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= choices * levels) return;
  const int a = i / levels, t = i % levels;

  for (int d = 0; d < results; ++d) {
    double best = fmin(thresholds[t], 1 - 1e-10);
    int match = -1;
    for (int side = 0; side < 2 && match < 0; ++side) {
      for (int g = 0; g < objects; ++g) {
        if (ignored[a * objects + g] != side) continue;
        if (taken[i * objects + g] != 0 && crowd[g] == 0) continue;
        if (iou[d * objects + g] < best) continue;
        best = iou[d * objects + g];
        match = g;
      }
    }
    matches[i * results + d] = match;
    if (match >= 0) taken[i * objects + match] = 1;
  }
}
