// trace = (d/dt I_x)^2 + (d/dt I_y)^2 + (d^2/dt^2 I)^2, the trace of the flux tensor (Bunyak et al. 2007), before
// its mean over a window. Derivatives along time are sums over the last frames, weighted by once and twice.
// One thread per pixel.
// ring: (kept, 3, count) float32, the frames before, the oldest at `oldest`.   newest: (3, count).   trace: (count).
// once, twice: (kept + 1) float32.
extern "C" __global__ void flux_trace(const float* __restrict__ ring, const int oldest,
                                      const float* __restrict__ newest, const float* __restrict__ once,
                                      const float* __restrict__ twice, float* __restrict__ trace, const int kept,
                                      const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  float totals[3];
  for (int plane = 0; plane < 3; plane++) {
    float total = 0.0f;
    for (int t = 0; t <= kept; t++) {
      const float tap = plane == 2 ? twice[t] : once[t];
      const float value =
          t == kept ? newest[plane * count + i] : ring[(((oldest + t) % kept) * 3 + plane) * count + i];
      total += tap * value;
    }
    totals[plane] = total;
  }
  trace[i] = totals[0] * totals[0] + totals[1] * totals[1] + totals[2] * totals[2];
}
