// A Gaussian per pixel (Wren et al. 1997): compare the picture with it, then learn from the picture.  One thread per pixel.
//
// Distance: d = sqrt(mean over R, G, B of (image - mean)^2 / variance), one variance for the three channels.
// Foreground: a soft step around `threshold` sigmas. Where the picture is the background made darker, by a factor in
// [shadow_darkest, shadow_lightest] (Horprasert et al. 1999), only `shadow_weight` of what brightness alone says is left.
// Learning: mean += step (image - mean), step from `rate` (background) to `foreground_rate` (foreground).
// Ghosts: a foreground colour that stays the same for `absorb_after` frames becomes the background. It waits in
// `candidate`, with its `age` in frames. A rate of 0 changes nothing at all.
//
// image, background: (count, 3) uint8.   mean, candidate: (count, 3) float32 in [0, 255].
// variance: (count) float32, grey levels squared.   age, foreground: (count) float32.

__device__ __forceinline__ float soft_step(const float sigmas, const float threshold, const float steepness) {
  const float z = (sigmas - threshold) * steepness;
  return 0.5f + 0.5f * z / sqrtf(1.0f + z * z);
}

extern "C" __global__ void running_gaussian(const unsigned char* __restrict__ image, float* __restrict__ mean,
                                            float* __restrict__ variance, float* __restrict__ candidate,
                                            float* __restrict__ age, const float rate, const float foreground_rate,
                                            const float absorb_after, const float variance_floor,
                                            const float threshold, const float steepness, const float shadow_darkest,
                                            const float shadow_lightest, const float shadow_weight,
                                            float* __restrict__ foreground, unsigned char* __restrict__ background,
                                            const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float third = 0.33333334f;
  const float r = image[3 * i], g = image[3 * i + 1], b = image[3 * i + 2];
  float mean_r = mean[3 * i], mean_g = mean[3 * i + 1], mean_b = mean[3 * i + 2];
  const float dr = r - mean_r, dg = g - mean_g, db = b - mean_b;
  const float square = (dr * dr + dg * dg + db * db) * third;
  const float spread = fmaxf(variance[i], variance_floor);
  const float probability = soft_step(sqrtf(square / spread), threshold, steepness);

  // The background times `brightness` is the nearest shadow or light; what is left differs in colour.
  const float brightness = (r * mean_r + g * mean_g + b * mean_b + 1.0f) /
                           (mean_r * mean_r + mean_g * mean_g + mean_b * mean_b + 1.0f);
  const float er = r - brightness * mean_r, eg = g - brightness * mean_g, eb = b - brightness * mean_b;
  const float colored = soft_step(sqrtf((er * er + eg * eg + eb * eb) * third / spread), threshold, steepness);
  const float shadowed = colored + (probability - colored) * shadow_weight;
  const bool is_shadow = brightness >= shadow_darkest && brightness <= shadow_lightest;
  foreground[i] = is_shadow ? fminf(shadowed, probability) : probability;

  if (rate > 0.0f) {
    const float step = rate + (foreground_rate - rate) * probability;
    mean_r = mean_r + step * dr;
    mean_g = mean_g + step * dg;
    mean_b = mean_b + step * db;
    float new_variance = variance[i] + rate * (1.0f - probability) * (square - variance[i]);
    if (probability > 0.5f) {
      const float cr = r - candidate[3 * i], cg = g - candidate[3 * i + 1], cb = b - candidate[3 * i + 2];
      const float apart = (cr * cr + cg * cg + cb * cb) * third;
      const bool stays = age[i] > 0.0f && apart < threshold * threshold * spread;
      const float share = stays ? 0.1f : 1.0f;
      candidate[3 * i] += share * cr;
      candidate[3 * i + 1] += share * cg;
      candidate[3 * i + 2] += share * cb;
      float years = stays ? age[i] + 1.0f : 1.0f;
      if (years >= absorb_after) {
        mean_r = candidate[3 * i];
        mean_g = candidate[3 * i + 1];
        mean_b = candidate[3 * i + 2];
        new_variance = variance_floor;
        years = 0.0f;
      }
      age[i] = years;
    } else {
      age[i] = fmaxf(age[i] - 1.0f, 0.0f);
    }
    mean[3 * i] = mean_r;
    mean[3 * i + 1] = mean_g;
    mean[3 * i + 2] = mean_b;
    variance[i] = new_variance;
  }
  background[3 * i] = (unsigned char)(int)(mean_r + 0.5f);
  background[3 * i + 1] = (unsigned char)(int)(mean_g + 0.5f);
  background[3 * i + 2] = (unsigned char)(int)(mean_b + 0.5f);
}
