// matched = 128 + grey - mean of 9x9 grey, as a byte, with FRAME repeated pixels all around.
// image: (height, width) float32 in [0, 1].   matched: (height + 2 FRAME, width + 2 FRAME) uint8.
// One thread per pixel of the result.
#include "common.cuh"

__device__ __forceinline__ int grey_level(const float value) {
  return (int)(fminf(fmaxf(value, 0.0f), 1.0f) * 255.0f + 0.5f);
}

extern "C" __global__ void match_image(const float* __restrict__ image, unsigned char* __restrict__ matched,
                                       const int height, const int width) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= width + 2 * FRAME || row >= height + 2 * FRAME) return;
  const int x = clamp_int(column - FRAME, 0, width - 1), y = clamp_int(row - FRAME, 0, height - 1);
  int total = 0;
  for (int dy = -REACH; dy <= REACH; ++dy) {
    const float* line = image + clamp_int(y + dy, 0, height - 1) * width;
    for (int dx = -REACH; dx <= REACH; ++dx) total += grey_level(line[clamp_int(x + dx, 0, width - 1)]);
  }
  const int size = (2 * REACH + 1) * (2 * REACH + 1);
  const int mean = (2 * total + size) / (2 * size);
  matched[row * (width + 2 * FRAME) + column] =
      (unsigned char)clamp_int(128 + grey_level(image[y * width + x]) - mean, 0, 255);
}
