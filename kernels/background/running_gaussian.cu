// A Gaussian per pixel (Wren et al. 1997): compare the picture with it, then learn from the picture.
// One thread per pixel.
//
// Distance: d = sqrt(mean over R, G, B of (image - mean)^2 / spread), one variance for the three channels.
// Foreground: a soft step around `threshold` sigmas.
// Shadow: where the picture is the background made darker, by a factor in [shadow_darkest, shadow_lightest], and what
// is left differs by less than `shadow_chroma` sigmas (Horprasert et al. 1999), `shadow_weight` of the probability
// stays.
// Learning: mean += step (image - mean), step from `rate` (background) to `foreground_rate` (foreground).
// Ghosts: a foreground colour that stays becomes the background. It waits in `candidate`; its `age` counts frames with
// that colour less frames with another, as a majority vote does, so that passers-by do not undo it. It takes over when
// its age reaches absorb_first + absorb_share seen, at most absorb_last; `seen` counts the frames that showed the
// background since it was taken up. So the ghost of somebody who stood in the first frame goes at once, and a
// background seen for long stays.
// Flicker: leaves and ribbons in the wind cross the threshold again and again. A running mean of the crossings, beyond
// `flicker_free` per frame, makes sigma wider. `flicker` holds that mean, plus 2 where the last frame was off.
// A rate of 0 changes nothing at all.
//
// image, background: (count, 3) uint8.   mean, candidate: (3, count) float32 in [0, 255].
// variance: (count) float32, grey levels squared.   age, seen, flicker, foreground: (count) float32.
// mask: foreground above 1/2; shadow: what would be but for its colour; (count) uint8, 0 or 1.

__device__ __forceinline__ float soft_step(const float sigmas, const float threshold, const float steepness) {
  const float z = (sigmas - threshold) * steepness;
  return 0.5f + 0.5f * z / sqrtf(1.0f + z * z);
}

extern "C" __global__ void running_gaussian(
    const unsigned char* __restrict__ image, float* __restrict__ mean, float* __restrict__ variance,
    float* __restrict__ candidate, float* __restrict__ age, float* __restrict__ seen, float* __restrict__ flicker,
    const float rate, const float foreground_rate, const float variance_floor, const float threshold,
    const float steepness, const float shadow_darkest, const float shadow_lightest, const float shadow_chroma,
    const float shadow_weight, const float flicker_rate, const float flicker_free, const float flicker_gain,
    const float absorb_first, const float absorb_share, const float absorb_last, float* __restrict__ foreground,
    unsigned char* __restrict__ mask, unsigned char* __restrict__ shadow, unsigned char* __restrict__ background,
    const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float third = 0.33333334f;
  const float r = image[3 * i], g = image[3 * i + 1], b = image[3 * i + 2];
  float mean_r = mean[i], mean_g = mean[count + i], mean_b = mean[2 * count + i];
  const float dr = r - mean_r, dg = g - mean_g, db = b - mean_b;
  const float square = (dr * dr + dg * dg + db * db) * third;

  const float plain = fmaxf(variance[i], variance_floor);
  const float was_off = flicker[i] >= 2.0f ? 1.0f : 0.0f;
  const float restless = flicker[i] - 2.0f * was_off;
  const float wider = 1.0f + flicker_gain * fmaxf(restless - flicker_free, 0.0f);
  const float spread = plain * wider * wider;
  const float is_off = square > threshold * threshold * plain ? 1.0f : 0.0f;
  const float probability = soft_step(sqrtf(square / spread), threshold, steepness);

  // The background times `brightness` is the nearest shadow or light; what is left differs in colour.
  const float brightness = (r * mean_r + g * mean_g + b * mean_b + 1.0f) /
                           (mean_r * mean_r + mean_g * mean_g + mean_b * mean_b + 1.0f);
  const float er = r - brightness * mean_r, eg = g - brightness * mean_g, eb = b - brightness * mean_b;
  const float colored = soft_step(sqrtf((er * er + eg * eg + eb * eb) * third / spread), shadow_chroma, steepness);
  const float shadowed = fminf(colored + (probability - colored) * shadow_weight, probability);
  const bool is_shadow = brightness >= shadow_darkest && brightness <= shadow_lightest;
  const float likely = is_shadow ? shadowed : probability;
  foreground[i] = likely;
  mask[i] = likely > 0.5f;
  shadow[i] = likely <= 0.5f && probability > 0.5f;

  if (rate > 0.0f) {
    const float step = rate + (foreground_rate - rate) * probability;
    const float changed = fabsf(is_off - was_off);
    flicker[i] = restless + flicker_rate * (changed - restless) + 2.0f * is_off;

    const float cr = r - candidate[i], cg = g - candidate[count + i], cb = b - candidate[2 * count + i];
    const float apart = (cr * cr + cg * cg + cb * cb) * third;
    const bool stays = age[i] > 0.0f && apart < threshold * threshold * spread;
    const bool is_foreground = probability > 0.5f;
    const bool gives_way = age[i] <= 1.0f;
    const float share = is_foreground ? (stays ? 0.1f : (gives_way ? 1.0f : 0.0f)) : 0.0f;
    const float candidate_r = candidate[i] + share * cr;
    const float candidate_g = candidate[count + i] + share * cg;
    const float candidate_b = candidate[2 * count + i] + share * cb;
    const float older = stays ? age[i] + 1.0f : fmaxf(age[i] - 1.0f, 1.0f);
    const float years = is_foreground ? older : fmaxf(age[i] - 1.0f, 0.0f);
    const bool ripe = is_foreground && years >= fminf(absorb_first + absorb_share * seen[i], absorb_last);
    seen[i] = ripe ? 0.0f : (is_foreground ? seen[i] : seen[i] + 1.0f);

    mean_r = ripe ? candidate_r : mean_r + step * dr;
    mean_g = ripe ? candidate_g : mean_g + step * dg;
    mean_b = ripe ? candidate_b : mean_b + step * db;
    variance[i] = ripe ? variance_floor : variance[i] + rate * (1.0f - probability) * (square - variance[i]);
    age[i] = ripe ? 0.0f : years;
    candidate[i] = candidate_r;
    candidate[count + i] = candidate_g;
    candidate[2 * count + i] = candidate_b;
    mean[i] = mean_r;
    mean[count + i] = mean_g;
    mean[2 * count + i] = mean_b;
  }
  background[3 * i] = (unsigned char)(int)(mean_r + 0.5f);
  background[3 * i + 1] = (unsigned char)(int)(mean_g + 0.5f);
  background[3 * i + 2] = (unsigned char)(int)(mean_b + 0.5f);
}
