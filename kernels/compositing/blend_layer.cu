// image(y, x) = image(y, x) * (1 - alpha) + colour,   (colour, alpha) = layer at the affine map of (x, y), bilinear,
// clamped at the edges.   owner(y, x) = number where alpha > 0.5 and number >= 0.   One thread per pixel of the box.
// image: (height, width, 3) float32, updated.   owner: (height, width) int32, updated.
// layer: (layer_height, layer_width, 4) float32, colour already multiplied by alpha.
// to_layer: layer_x = m0 x + m1 y + m2, layer_y = m3 x + m4 y + m5.   box: first x, first y, end x, end y.
#include "common.cuh"

extern "C" __global__ void blend_layer(float* __restrict__ image, int* __restrict__ owner,
                                       const float* __restrict__ layer, const float* __restrict__ to_layer,
                                       const int first_x, const int first_y, const int end_x, const int end_y,
                                       const int number, const int width, const int layer_height,
                                       const int layer_width) {
  const int x = first_x + blockIdx.x * blockDim.x + threadIdx.x;
  const int y = first_y + blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= end_x || y >= end_y) return;
  const int i = y * width + x;

  const float layer_x = to_layer[0] * x + (to_layer[1] * y + to_layer[2]);
  const float layer_y = to_layer[3] * x + (to_layer[4] * y + to_layer[5]);
  const float source_x = clamp_float(layer_x, 0.0f, layer_width - 1.0f);
  const float source_y = clamp_float(layer_y, 0.0f, layer_height - 1.0f);
  const int x0 = (int)source_x, x1 = min(x0 + 1, layer_width - 1);
  const int y0 = (int)source_y, y1 = min(y0 + 1, layer_height - 1);
  const float fx = source_x - x0, fy = source_y - y0;
  const float* const a = layer + (y0 * layer_width + x0) * 4;
  const float* const b = layer + (y0 * layer_width + x1) * 4;
  const float* const c = layer + (y1 * layer_width + x0) * 4;
  const float* const d = layer + (y1 * layer_width + x1) * 4;

  const float alpha =
      (a[3] * (1.0f - fx) + b[3] * fx) * (1.0f - fy) + (c[3] * (1.0f - fx) + d[3] * fx) * fy;
  if (alpha <= 0.0f) return;
  for (int k = 0; k < 3; ++k) {
    const float top = a[k] * (1.0f - fx) + b[k] * fx;
    const float bottom = c[k] * (1.0f - fx) + d[k] * fx;
    image[i * 3 + k] = image[i * 3 + k] * (1.0f - alpha) + (top * (1.0f - fy) + bottom * fy);
  }
  if (number >= 0 && alpha > 0.5f) owner[i] = number;
}
