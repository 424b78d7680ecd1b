// padded(y, x) = image(clamp(y - margin), clamp(x - margin)): a frame of copies of the nearest edge pixel.
// image: (height, width) float32.   padded: (height + 2 margin, width + 2 margin).   One thread per output pixel.
#include "common.cuh"

extern "C" __global__ void pad_edges(const float* __restrict__ image, float* __restrict__ padded, const int height,
                                     const int width, const int margin) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int padded_width = width + 2 * margin;
  if (x >= padded_width || y >= height + 2 * margin) return;
  const int source_x = clamp_int(x - margin, 0, width - 1);
  const int source_y = clamp_int(y - margin, 0, height - 1);
  padded[y * padded_width + x] = image[source_y * width + source_x];
}
