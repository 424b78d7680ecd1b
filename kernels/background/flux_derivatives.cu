// Gradient and value of brightness, with binomials: smooth = (1 4 6 4 1) / 16, steep = (-1 -2 0 2 1) / 8, clamped at the
// edges. derivatives: steep along x, smooth along y; smooth along x, steep along y; smooth both.   One thread per pixel.
// image: (height, width, 3) uint8; brightness (r + 2 g + b) / 4.   derivatives: (3, height, width) float32, grey levels.
#include "common.cuh"

extern "C" __global__ void flux_derivatives(const unsigned char* __restrict__ image, float* __restrict__ derivatives,
                                            const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  float smooth[5], steep[5];
  for (int column = 0; column < 5; column++) {
    float gray[5];
    for (int row = 0; row < 5; row++) {
      const int from = clamp_int(y + row - 2, 0, height - 1) * width + clamp_int(x + column - 2, 0, width - 1);
      const float r = image[3 * from], g = image[3 * from + 1], b = image[3 * from + 2];
      gray[row] = (r + 2.0f * g + b) * 0.25f;
    }
    smooth[column] = (gray[0] + gray[4]) + 4.0f * (gray[1] + gray[3]) + 6.0f * gray[2];
    steep[column] = (gray[4] - gray[0]) + 2.0f * (gray[3] - gray[1]);
  }
  const int i = y * width + x, count = height * width;
  derivatives[i] = ((smooth[4] - smooth[0]) + 2.0f * (smooth[3] - smooth[1])) * 0.0078125f;
  derivatives[count + i] = ((steep[0] + steep[4]) + 4.0f * (steep[1] + steep[3]) + 6.0f * steep[2]) * 0.0078125f;
  derivatives[2 * count + i] =
      ((smooth[0] + smooth[4]) + 4.0f * (smooth[1] + smooth[3]) + 6.0f * smooth[2]) * 0.00390625f;
}
