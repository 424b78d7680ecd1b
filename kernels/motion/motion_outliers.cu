// scores(y, x) = mean over both flows of the sum over features q of share * min(|q - middle| / most, 1), where q lies
// outside [low, high].   One thread per pixel.
// Features: u, v, length, and direction, which counts less in vectors shorter than clear_px.
// forward_xy, backward_xy: (height, width, 2) float32, pixels.   scores: (height, width) float32.
// tables: (2, 23) float32: cosine and sine of the usual direction, clear_px, then low, high, middle, most and share of
// each feature.

// Angle of (x, y) in radians, within 2e-4, by basic operations alone: the same bits everywhere.
__device__ __forceinline__ float motion_outliers_angle(const float x, const float y) {
  const float across = fabsf(x), up = fabsf(y);
  const float ratio = fminf(across, up) / fmaxf(fmaxf(across, up), 1e-20f);
  const float squared = ratio * ratio;
  float angle = ((-0.0464964749f * squared + 0.15931422f) * squared - 0.327622764f) * squared * ratio + ratio;
  angle = up > across ? 1.57079637f - angle : angle;
  angle = x < 0.0f ? 3.14159274f - angle : angle;
  return y < 0.0f ? -angle : angle;
}

__device__ __forceinline__ float motion_outliers_part(const float value, const float* __restrict__ bounds) {
  const float part = fminf(fabsf(value - bounds[2]) / bounds[3], 1.0f) * bounds[4];
  return value < bounds[0] || value > bounds[1] ? part : 0.0f;
}

__device__ __forceinline__ float motion_outliers_score(const float u, const float v, const float* __restrict__ table) {
  const float length = sqrtf(u * u + v * v);
  const float score = (motion_outliers_part(u, table + 3) + motion_outliers_part(v, table + 8)) +
                      motion_outliers_part(length, table + 13);
  if (table[22] == 0.0f) return score;
  const float angle = motion_outliers_angle(u * table[0] + v * table[1], v * table[0] - u * table[1]);
  return score + motion_outliers_part(angle, table + 18) * fminf(length / table[2], 1.0f);
}

extern "C" __global__ void motion_outliers(const float* __restrict__ forward_xy, const float* __restrict__ backward_xy,
                                           const float* __restrict__ tables, float* __restrict__ scores,
                                           const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  const float ahead = motion_outliers_score(forward_xy[2 * i], forward_xy[2 * i + 1], tables);
  const float back = motion_outliers_score(backward_xy[2 * i], backward_xy[2 * i + 1], tables + 23);
  scores[i] = (ahead + back) * 0.5f;
}
