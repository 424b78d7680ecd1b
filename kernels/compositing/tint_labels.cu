// Inside a region: tinted = (image * (256 - opacity) + fill[color] * opacity + 128) / 256; on its inner edge: line[color].
// One thread per pixel. image, tinted: (height, width, 3) uint8. labels: (height, width) int32, 0 and below untouched.
// fill, line: (256, 3) uint8; labels above 255 take the colours 1 to 255 again and again.
#include "common.cuh"

extern "C" __global__ void tint_labels(const unsigned char* __restrict__ image, const int* __restrict__ labels,
                                       const unsigned char* __restrict__ fill, const unsigned char* __restrict__ line,
                                       unsigned char* __restrict__ tinted, const int opacity, const int width_px,
                                       const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int label = labels[i];
  if (label <= 0) {
    for (int c = 0; c < 3; ++c) tinted[3 * i + c] = image[3 * i + c];
    return;
  }
  const int color = (label - 1) % 255 + 1;
  bool edge = false;
  for (int step = 1; step <= width_px && !edge; ++step) {
    edge = labels[y * width + clamp_int(x - step, 0, width - 1)] != label ||
           labels[y * width + clamp_int(x + step, 0, width - 1)] != label ||
           labels[clamp_int(y - step, 0, height - 1) * width + x] != label ||
           labels[clamp_int(y + step, 0, height - 1) * width + x] != label;
  }
  for (int c = 0; c < 3; ++c) {
    tinted[3 * i + c] =
        edge ? line[3 * color + c]
             : (unsigned char)((image[3 * i + c] * (256 - opacity) + fill[3 * color + c] * opacity + 128) >> 8);
  }
}
