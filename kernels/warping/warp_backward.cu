// warped(y, x, c) = image(y + flow_y, x + flow_x, c), bilinear, clamped at the edges.   One thread per output pixel.
// image, warped: (height, width, channels) float32.   flow_xy: (height, width, 2) float32, pixels.
#include "common.cuh"

extern "C" __global__ void warp_backward(const float* __restrict__ image, const float* __restrict__ flow_xy,
                                         float* __restrict__ warped, const int height, const int width,
                                         const int channels) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;

  // fminf and fmaxf return the number when the other operand is NaN: an invalid flow reads a border pixel, not memory.
  const float source_x = clamp_float(x + flow_xy[2 * i], 0.0f, width - 1.0f);
  const float source_y = clamp_float(y + flow_xy[2 * i + 1], 0.0f, height - 1.0f);
  const int x0 = (int)source_x, x1 = min(x0 + 1, width - 1);
  const int y0 = (int)source_y, y1 = min(y0 + 1, height - 1);
  const float fx = source_x - x0, fy = source_y - y0;

  for (int c = 0; c < channels; ++c) {
    const float top = image[(y0 * width + x0) * channels + c] * (1.0f - fx) + image[(y0 * width + x1) * channels + c] * fx;
    const float bottom =
        image[(y1 * width + x0) * channels + c] * (1.0f - fx) + image[(y1 * width + x1) * channels + c] * fx;
    warped[i * channels + c] = top * (1.0f - fy) + bottom * fy;
  }
}
