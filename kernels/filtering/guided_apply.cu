// values(y, x) = a gray(y, x) + b with a, b interpolated from a small image: the fast guided filter (He and Sun 2015).
// Small pixel j covers the full pixels [j f, j f + f). Gray is the luma of kernels/color/gray_from_rgb.
// coefficients: (2, small_height, small_width) float32, a then b.   image: (height, width, 3) uint8.
// values: (height, width) float32.   One thread per full pixel.
#include "common.cuh"

extern "C" __global__ void guided_apply(const float* __restrict__ coefficients,
                                        const unsigned char* __restrict__ image, float* __restrict__ values,
                                        const int small_height, const int small_width, const int height,
                                        const int width, const int factor) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;

  // (x + 1/2) / f - 1/2, with one rounding
  const float small_x = clamp_float((float)(2 * x + 1 - factor) / (float)(2 * factor), 0.0f, small_width - 1.0f);
  const float small_y = clamp_float((float)(2 * y + 1 - factor) / (float)(2 * factor), 0.0f, small_height - 1.0f);
  const int x0 = (int)small_x, x1 = min(x0 + 1, small_width - 1);
  const int y0 = (int)small_y, y1 = min(y0 + 1, small_height - 1);
  const float fx = small_x - x0, fy = small_y - y0;

  float line[2];
  for (int c = 0; c < 2; ++c) {
    const float* plane = coefficients + c * small_height * small_width;
    const float top = plane[y0 * small_width + x0] * (1.0f - fx) + plane[y0 * small_width + x1] * fx;
    const float bottom = plane[y1 * small_width + x0] * (1.0f - fx) + plane[y1 * small_width + x1] * fx;
    line[c] = top * (1.0f - fy) + bottom * fy;
  }
  const int weighted = 19595 * image[3 * i] + 38470 * image[3 * i + 1] + 7471 * image[3 * i + 2];
  values[i] = line[0] * ((float)weighted / 16711680.0f) + line[1];
}
