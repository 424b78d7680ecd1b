// Learning of the colours of each pixel. One thread per pixel.
//
// The nearest colour within `match` squared sigmas takes the picture in, by 1 / (age + 1) but at least `rate`, number 0
// (the background) less where the picture is foreground; its age grows by a frame. Where something moves, age grows
// less, and that of the background shrinks: it was learned from something that is none. Others wane, established ones
// slowly. Without a match the youngest colour loses a frame, and gives way when it has none left.
// A colour takes over as background when it is older by `takeover_first` frames, or has reached age_last.
// flicker: running mean of crossings of the threshold per frame, plus 2 where this frame was off.
// A rate of 0 changes nothing at all; nor do pixels that are not `seen`.
//
// image, background: (count, 3) uint8.   seen: (count) uint8.   mean: (modes, 3, count) float32 in [0, 255].
// variance, age: (modes, count) float32.   flicker, own, probability: (count) float32.
// motion: (ceil(height / factor), small_width) float32.

extern "C" __global__ void mode_learning(
    const unsigned char* __restrict__ image, const unsigned char* __restrict__ seen, float* __restrict__ mean,
    float* __restrict__ variance, float* __restrict__ age, float* __restrict__ flicker, const float* __restrict__ own,
    const float* __restrict__ probability, const float* __restrict__ motion, const int factor, const float rate,
    const float variance_floor, const float match, const float established_first, const float established_share,
    const float takeover_first, const float age_last, const float flicker_rate, unsigned char* __restrict__ background,
    const int modes, const int count,
    const int width, const int small_width) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  if (rate > 0.0f && seen[i]) {
    const float color[3] = {(float)image[3 * i], (float)image[3 * i + 1], (float)image[3 * i + 2]};
    const float p = probability[i], m = motion[(i / width / factor) * small_width + i % width / factor];
    const float was_off = flicker[i] >= 2.0f ? 1.0f : 0.0f;
    const float restless = flicker[i] - 2.0f * was_off;
    float is_off = own[i] > match ? 1.0f : 0.0f;
    if (p > 0.5f && m > 0.5f) is_off = was_off;  // something that moves on its own is no flicker of the background
    flicker[i] = restless + flicker_rate * (fabsf(is_off - was_off) - restless) + 2.0f * is_off;

    float nearest = 1e9f;
    int best = 0;
    for (int k = 0; k < modes; k++) {
      if (age[k * count + i] <= 0.0f) continue;
      const float* m0 = mean + 3 * k * count + i;
      const float dr = color[0] - m0[0], dg = color[1] - m0[count], db = color[2] - m0[2 * count];
      const float third = 0.33333334f;
      const float away = (dr * dr + dg * dg + db * db) * third / fmaxf(variance[k * count + i], variance_floor);
      if (away < nearest) {
        nearest = away;
        best = k;
      }
    }
    if (nearest < match) {
      const int at = best * count + i;
      float step = fmaxf(rate, 1.0f / (age[at] + 1.0f));
      if (best == 0) step *= 1.0f - 0.98f * p;
      const float square = nearest * fmaxf(variance[at], variance_floor);
      for (int c = 0; c < 3; c++) {
        float* value = mean + (3 * best + c) * count + i;
        *value += step * (color[c] - *value);
      }
      variance[at] += fminf(step, 0.1f) * (square - variance[at]);
      const float kept = best == 0 ? age[at] * (1.0f - 0.25f * m) : age[at];
      const float older = kept + (1.0f - m * (best == 0 ? 3.0f : 1.0f));
      age[at] = fminf(fmaxf(older, 0.01f), age_last);
      const float needed = established_first + established_share * age[i];
      for (int k = 1; k < modes; k++) {
        if (k == best) continue;
        const float years = age[k * count + i];
        age[k * count + i] = years < needed ? fmaxf(years - 0.3f, 0.0f) : years * 0.997f;
      }
    } else {
      int weakest = 1;
      for (int k = 2; k < modes; k++) {
        if (age[k * count + i] < age[weakest * count + i]) weakest = k;
      }
      const int at = weakest * count + i;
      if (age[at] <= 1.0f) {
        for (int c = 0; c < 3; c++) mean[(3 * weakest + c) * count + i] = color[c];
        variance[at] = variance_floor * 2.0f;
        age[at] = 1.0f;
      } else {
        age[at] -= 1.0f;
      }
    }
    for (int k = 1; k < modes; k++) {
      const int at = k * count + i;
      if (age[at] < fminf(takeover_first + age[i], age_last)) continue;
      for (int c = 0; c < 3; c++) {
        const float swapped = mean[c * count + i];
        mean[c * count + i] = mean[(3 * k + c) * count + i];
        mean[(3 * k + c) * count + i] = swapped;
      }
      const float spread = variance[i], years = age[i];
      variance[i] = variance[at];
      variance[at] = spread;
      age[i] = age[at];
      age[at] = fminf(years, 1.0f);
    }
  }
  for (int c = 0; c < 3; c++) background[3 * i + c] = (unsigned char)(int)(mean[c * count + i] + 0.5f);
}
