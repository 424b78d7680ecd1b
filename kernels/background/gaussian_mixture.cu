// Several Gaussians per pixel, as many as it needs (Zivkovic 2004; Zivkovic and van der Heijden 2006).
// One thread per pixel.
//
// Modes are sorted by weight; weight 0 = absent. Background are the first ones, until their weights sum to
// background_share. A picture's distance to a mode is |image - mean|^2 / variance, one variance for three channels.
// Foreground: q^2 / (q^2 + threshold_squared^2), q the distance to the first background mode within threshold_squared,
// else to the nearest one: 1/2 at the threshold.
// Shadow: foreground that is `light` times a background mode, shadow_darkest <= light < 1, with what is left within
// light^2 threshold_squared variances (Prati et al. 2003).
// Learning: every weight *= 1 - rate, less rate * least_weight: that makes modes die out which little speaks for, and is
// what chooses their number. The first mode within match_squared gains `rate`, and moves by rate / weight towards the
// picture. If there is none, a new one takes the first free place, or that of the lightest mode.
// A rate of 0 changes nothing at all.
//
// image, background: (count, 3) uint8.   foreground: (count) float32.   mask, shadow: (count) uint8, 0 or 1.
// weights: (blocks, modes, 16) float32, blocks of 16 pixels.   fields: (blocks, modes, 4, 16) int16: variance in 64ths,
// red, green, blue in 128ths.

#define WEIGHT(mode) weights[base + 16 * (mode)]
#define FIELD(mode, field) fields[field_base + 64 * (mode) + 16 * (field)]

__device__ __forceinline__ float variance_of(const short field) { return (float)field * 0.015625f; }
__device__ __forceinline__ float mean_of(const short field) { return (float)field * 0.0078125f; }
__device__ __forceinline__ short kept_variance(const float variance) { return (short)(int)(variance * 64.0f + 0.5f); }
__device__ __forceinline__ short kept_mean(const float mean) { return (short)(int)(mean * 128.0f + 0.5f); }

__device__ __forceinline__ void sort_up(float* __restrict__ weights, short* __restrict__ fields, const int base,
                                        const int field_base, int mode) {
  for (; mode > 0 && WEIGHT(mode) > WEIGHT(mode - 1); mode--) {
    const float weight = WEIGHT(mode);
    WEIGHT(mode) = WEIGHT(mode - 1);
    WEIGHT(mode - 1) = weight;
    for (int field = 0; field < 4; field++) {
      const short value = FIELD(mode, field);
      FIELD(mode, field) = FIELD(mode - 1, field);
      FIELD(mode - 1, field) = value;
    }
  }
}

extern "C" __global__ void gaussian_mixture(const unsigned char* __restrict__ image, float* __restrict__ weights,
                                            short* __restrict__ fields,
                                            const float rate, const float least_weight, const float background_share,
                                            const float threshold_squared, const float match_squared,
                                            const float first_variance, const float smallest_variance,
                                            const float largest_variance, const float shadow_darkest,
                                            float* __restrict__ foreground, unsigned char* __restrict__ mask,
                                            unsigned char* __restrict__ shadow, unsigned char* __restrict__ background,
                                            const int modes, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int base = (i / 16) * (16 * modes) + i % 16, field_base = (i / 16) * (64 * modes) + i % 16;
  const float r = image[3 * i], g = image[3 * i + 1], b = image[3 * i + 2];

  float nearest = 1e9f, before = 0.0f;
  for (int mode = 0; mode < modes; mode++) {
    const float weight = WEIGHT(mode);
    if (!(before < background_share && weight > 0.0f && nearest >= threshold_squared)) break;
    const float dr = r - mean_of(FIELD(mode, 1)), dg = g - mean_of(FIELD(mode, 2)), db = b - mean_of(FIELD(mode, 3));
    const float distance = (dr * dr + dg * dg + db * db) / variance_of(FIELD(mode, 0));
    nearest = nearest < distance ? nearest : distance;
    before = before + weight;
  }
  const float squares = nearest * nearest;
  const bool is_foreground = nearest >= threshold_squared;
  bool is_shadow = false;
  if (shadow_darkest < 1.0f && is_foreground) {
    before = 0.0f;
    const float energy = r * r + g * g + b * b;
    for (int mode = 0; mode < modes; mode++) {
      const float weight = WEIGHT(mode);
      if (!(before < background_share && weight > 0.0f)) break;
      const float mean_r = mean_of(FIELD(mode, 1)), mean_g = mean_of(FIELD(mode, 2)), mean_b = mean_of(FIELD(mode, 3));
      const float along = r * mean_r + g * mean_g + b * mean_b;
      const float whole = mean_r * mean_r + mean_g * mean_g + mean_b * mean_b;
      // light = along / whole; what it leaves is energy - along^2 / whole. Times whole^2, no division is needed.
      const float squared = along * along;
      const float left = (energy * whole - squared) * whole;
      is_shadow = is_shadow || (along >= shadow_darkest * whole && along < whole &&
                                left < threshold_squared * variance_of(FIELD(mode, 0)) * squared);
      before = before + weight;
    }
  }
  foreground[i] = squares / (squares + threshold_squared * threshold_squared);
  mask[i] = is_foreground && !is_shadow;
  shadow[i] = is_shadow;

  if (rate > 0.0f) {
    const float keep = 1.0f - rate, drop = rate * least_weight;
    bool fitted = false;
    float total = 0.0f;
    int in_use = 0;
    for (int mode = 0; mode < modes && WEIGHT(mode) > 0.0f; mode++) {
      float faded = keep * WEIGHT(mode) - drop;
      bool fits = false;
      if (!fitted) {
        const float variance = variance_of(FIELD(mode, 0));
        const float dr = r - mean_of(FIELD(mode, 1)), dg = g - mean_of(FIELD(mode, 2)), db = b - mean_of(FIELD(mode, 3));
        const float square = dr * dr + dg * dg + db * db;
        fits = square < match_squared * variance;
        if (fits) {
          faded = faded + rate;
          const float step = rate / faded;
          FIELD(mode, 0) = kept_variance(
              fminf(fmaxf(variance + step * (square - variance), smallest_variance), largest_variance));
          FIELD(mode, 1) = kept_mean(mean_of(FIELD(mode, 1)) + step * dr);
          FIELD(mode, 2) = kept_mean(mean_of(FIELD(mode, 2)) + step * dg);
          FIELD(mode, 3) = kept_mean(mean_of(FIELD(mode, 3)) + step * db);
          fitted = true;
        }
      }
      faded = faded >= drop ? faded : 0.0f;
      WEIGHT(mode) = faded;
      total = total + faded;
      in_use = mode + 1;
      if (fits) sort_up(weights, fields, base, field_base, mode);
    }
    const float share = 1.0f / (total > 0.0f ? total : 1.0f);
    for (int mode = 0; mode < in_use; mode++) WEIGHT(mode) = WEIGHT(mode) * share;
    if (!fitted) {
      int mode = 0;
      while (mode < modes - 1 && WEIGHT(mode) > 0.0f) mode++;
      for (int other = 0; other < mode; other++) WEIGHT(other) = WEIGHT(other) * keep;
      WEIGHT(mode) = mode == 0 ? 1.0f : rate;
      FIELD(mode, 0) = kept_variance(first_variance);
      FIELD(mode, 1) = kept_mean(r);
      FIELD(mode, 2) = kept_mean(g);
      FIELD(mode, 3) = kept_mean(b);
      sort_up(weights, fields, base, field_base, mode);
    }
  }
  background[3 * i] = (unsigned char)(int)(mean_of(FIELD(0, 1)) + 0.5f);
  background[3 * i + 1] = (unsigned char)(int)(mean_of(FIELD(0, 2)) + 0.5f);
  background[3 * i + 2] = (unsigned char)(int)(mean_of(FIELD(0, 3)) + 0.5f);
}
