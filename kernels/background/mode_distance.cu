// How far each pixel is from its background, in sigmas. One thread per pixel.
//
// A pixel has `modes` colours, each with a variance and an age in frames; number 0 is the background, others count as
// background when their age reaches established_first + established_share * age of number 0.
// own: squared distance from the nearest of them, mean over R, G, B.
// distance: the same after a look at the backgrounds of the eight neighbours, which explain leaves and jitter: `part` of
// the way from the own distance to the least; `part` and the width grow with `flicker` (crossings of the threshold per
// frame, plus 2 where the last frame was off).
// shade in [0, 1]: 1 where the picture is the background times a factor in [shadow_darkest, shadow_lightest]; what is
// left, over shadow_chroma sigmas, takes it down (Horprasert et al. 1999).
//
// image: (height, width, 3) uint8.   mean: (modes, 3, height, width), variance, age: (modes, height, width) float32.
// flicker, distance, own, shade: (height, width) float32.

__device__ float mode_distance_square(const float r, const float g, const float b, const float* __restrict__ mean,
                                      const int count, const int i) {
  const float dr = r - mean[i], dg = g - mean[count + i], db = b - mean[2 * count + i];
  return (dr * dr + dg * dg + db * db) * 0.33333334f;
}

extern "C" __global__ void mode_distance(
    const unsigned char* __restrict__ image, const float* __restrict__ mean, const float* __restrict__ variance,
    const float* __restrict__ age, const float* __restrict__ flicker, const float variance_floor,
    const float established_first, const float established_share, const float neighbour_share, const float flicker_free,
    const float flicker_gain, const float shadow_darkest, const float shadow_lightest, const float shadow_chroma,
    float* __restrict__ distance, float* __restrict__ own, float* __restrict__ shade, const int modes, const int height,
    const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int count = height * width, i = y * width + x;
  const float r = image[3 * i], g = image[3 * i + 1], b = image[3 * i + 2];

  float nearest = mode_distance_square(r, g, b, mean, count, i) / fmaxf(variance[i], variance_floor);
  const float needed = established_first + established_share * age[i];
  for (int k = 1; k < modes; k++) {
    if (age[k * count + i] < needed) continue;
    nearest = fminf(nearest, mode_distance_square(r, g, b, mean + 3 * k * count, count, i) /
                                 fmaxf(variance[k * count + i], variance_floor));
  }
  own[i] = nearest;

  const float restless = fmaxf(flicker[i] - (flicker[i] >= 2.0f ? 2.0f : 0.0f) - flicker_free, 0.0f);
  float around = nearest;
  if (nearest > 4.0f) {
    for (int ny = max(y - 1, 0); ny < min(y + 2, height); ny++) {
      for (int nx = max(x - 1, 0); nx < min(x + 2, width); nx++) {
        const int j = ny * width + nx;
        around = fminf(around, mode_distance_square(r, g, b, mean, count, j) / fmaxf(variance[j], variance_floor));
      }
    }
  }
  const float part = fminf(neighbour_share + 4.0f * restless, 1.0f);
  const float wider = 1.0f + flicker_gain * restless;
  distance[i] = sqrtf(nearest + (around - nearest) * part) / wider;

  const float mr = mean[i], mg = mean[count + i], mb = mean[2 * count + i];
  const float brightness = (r * mr + g * mg + b * mb + 1.0f) / (mr * mr + mg * mg + mb * mb + 1.0f);
  const float er = r - brightness * mr, eg = g - brightness * mg, eb = b - brightness * mb;
  const float third = 0.33333334f;
  const float left = sqrtf((er * er + eg * eg + eb * eb) * third / fmaxf(variance[i], variance_floor)) / wider;
  const bool possible = brightness >= shadow_darkest && brightness <= shadow_lightest;
  shade[i] = possible ? fmaxf(1.0f - left / shadow_chroma, 0.0f) : 0.0f;
}
