// maps(k) = min(raw_k * levels(k, 0), 1) * levels(k, 1);   seed = sum over k of levels(k, 2) * maps(k).   One thread per pixel.
// residual ... colors: (height, width) float32, the five raw maps.   levels: (5, 3) float32:
// 1 / full, weight, and share of the mean.
// maps: (5, height, width) float32, seed: (height, width) float32, in [0, 1].
extern "C" __global__ void seed_mean(const float* __restrict__ residual, const float* __restrict__ barrier,
                                     const float* __restrict__ votes, const float* __restrict__ outliers,
                                     const float* __restrict__ colors, const float* __restrict__ levels,
                                     float* __restrict__ maps, float* __restrict__ seed, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  const float raw[5] = {residual[i], barrier[i], votes[i], outliers[i], colors[i]};
  float sum = 0.0f;
  for (int k = 0; k < 5; ++k) {
    const float level = fminf(raw[k] * levels[3 * k], 1.0f) * levels[3 * k + 1];
    maps[k * pixels + i] = level;
    sum += level * levels[3 * k + 2];
  }
  seed[i] = sum;
}
