// Local binary similarity patterns (Bilodeau et al. 2013): bit k of a pixel is set where neighbour k differs from it by
// more than 5/16 of its own brightness, rounded down, + least. Brightness: (r + 2 g + b) / 4 rounded down.
// One thread per pixel.
// image: (height, width, 3) uint8.   planes: (4, height + 4, pitch) uint8: red, green, blue, brightness, with the edge
// pixels repeated: 2 rows above and below, 16 columns before, the rest behind.   bits: (height, pitch - 32) int16.
#include "common.cuh"

extern "C" __global__ void texture_bits_planes(const unsigned char* __restrict__ image,
                                               unsigned char* __restrict__ planes, const int height, const int width,
                                               const int pitch) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= pitch || row >= height + 4) return;
  const int x = clamp_int(column - 16, 0, width - 1), y = clamp_int(row - 2, 0, height - 1);
  const unsigned char* pixel = image + 3 * (y * width + x);
  const int size = (height + 4) * pitch, i = row * pitch + column;
  planes[i] = pixel[0];
  planes[size + i] = pixel[1];
  planes[2 * size + i] = pixel[2];
  planes[3 * size + i] = (unsigned char)((pixel[0] + 2 * pixel[1] + pixel[2]) >> 2);
}

extern "C" __global__ void texture_bits(const unsigned char* __restrict__ planes, const int least,
                                        short* __restrict__ bits, const int height, const int width, const int pitch) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= pitch - 32 || y >= height) return;
  const int neighbor_x[16] = {-1, 0, 1, -1, 1, -1, 0, 1, -2, 0, 2, -2, 2, -2, 0, 2};
  const int neighbor_y[16] = {-1, -1, -1, 0, 0, 1, 1, 1, -2, -2, -2, 0, 0, 2, 2, 2};
  const unsigned char* light = planes + 3 * (height + 4) * pitch + (y + 2) * pitch + x + 16;
  const int middle = *light, limit = (middle >> 2) + (middle >> 4) + least;
  unsigned int found = 0;
  for (int k = 0; k < 16; k++) {
    const int apart = abs((int)light[neighbor_y[k] * pitch + neighbor_x[k]] - middle);
    found |= (apart > limit ? 1u : 0u) << k;
  }
  bits[y * (pitch - 32) + x] = (short)found;
}
