// Logit of foreground from colours, motion and the last frame. One thread per pixel.
//
// Colours: likely = 1/2 + 1/2 z / sqrt(1 + z^2), z = distance - threshold; less in shadow (shade); within [0.02, 0.98].
// Its logit counts by trust = age / (age + 2) of the background (plane 0 of age).
// Motion: evidence - 1/2, less where a trusted background explains the pixel; without trust, no motion counts against.
// Memory: the last frame's logit, moved along; most where nothing is trusted. The sum is kept within [-4, 4].
//
// distance, shade, logit: (height, width), age: (modes, height, width) float32.   evidence, moved: (ceil(height /
// factor), small_width) float32.

extern "C" __global__ void fused_logit(const float* __restrict__ distance, const float* __restrict__ shade,
                                       const float* __restrict__ age, const float* __restrict__ evidence,
                                       const float* __restrict__ moved, const int factor, const float threshold,
                                       const float shadow_weight, const float motion_gain, const float memory,
                                       const float blind_memory, float* __restrict__ logit, const int height,
                                       const int width, const int small_width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, j = (y / factor) * small_width + x / factor;
  const float z = distance[i] - threshold;
  float likely = (0.5f + 0.5f * z / sqrtf(1.0f + z * z)) * (1.0f - shadow_weight * shade[i]);
  likely = fminf(fmaxf(likely, 0.02f), 1.0f - 0.02f);
  const float trust = age[i] / (age[i] + 2.0f), doubt = 1.0f - trust;
  const float moves = evidence[j] * (1.0f - trust * fmaxf(shade[i], 1.0f - likely));
  float total = logf(likely / (1.0f - likely)) * trust + motion_gain * fmaxf(moves - 0.5f, -0.4f * doubt);
  total += (memory * trust + blind_memory * doubt) * moved[j];
  logit[i] = fminf(fmaxf(total, -4.0f), 4.0f);
}
