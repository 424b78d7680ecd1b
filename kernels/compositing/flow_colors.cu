// color = 255 (1 - saturation (1 - hue)): hue_c = clamp(1/2 + cos(angle - c 120 degrees)), saturation = length / largest.
// One thread per pixel. flow_xy: (height, width, 2) float32, pixels. colors: (height, width, 3) uint8 RGB, white where
// nothing moves, black where the flow is NaN or infinite.
#include "common.cuh"

extern "C" __global__ void flow_colors(const float* __restrict__ flow_xy, unsigned char* __restrict__ colors,
                                       const float largest_px, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  float u = flow_xy[2 * i], v = flow_xy[2 * i + 1];
  const float length = sqrtf(u * u + v * v);
  if (!(length <= 3.0e38f)) {  // infinite or NaN
    for (int c = 0; c < 3; ++c) colors[3 * i + c] = 0;
    return;
  }
  if (length > 0.0f) {
    u = u / length;
    v = v / length;
  }
  const float saturation = fminf(length / largest_px, 1.0f);
  const float sine_60 = 0.8660254f;
  for (int c = 0; c < 3; ++c) {
    // The cosine of the angle to the direction of red, green or blue: 0, 120 and 240 degrees.
    const float cosine = c == 0 ? u : c == 1 ? sine_60 * v - 0.5f * u : -sine_60 * v - 0.5f * u;
    const float hue = fminf(fmaxf(0.5f + cosine, 0.0f), 1.0f);
    colors[3 * i + c] = (unsigned char)(int)(255.0f * (1.0f - saturation * (1.0f - hue)) + 0.5f);
  }
}
