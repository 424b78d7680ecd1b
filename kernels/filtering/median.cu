// medians(c, y, x) = median of planes(c) over 3x3 (radius 1) or 5x5 (radius 2) pixels, the edge pixel repeated.
// planes, medians: (channels, height, width) float32; rows = channels * height.   One thread per pixel.
// Fixed exchanges that leave the median in one place: see median.py for where they come from.
#include "common.cuh"

__device__ __forceinline__ void order(float& low, float& high) {
  const float a = low, b = high;
  low = a < b ? a : b;
  high = a > b ? a : b;
}

extern "C" __global__ void median(const float* __restrict__ planes, float* __restrict__ medians, const int height,
                                  const int width, const int rows, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= rows) return;
  const int y = row % height, top = row - y;
  float v[25];
  if (radius == 1) {
    for (int j = 0; j < 3; ++j) {
      const float* line = planes + (top + clamp_int(y + j - 1, 0, height - 1)) * width;
      for (int i = 0; i < 3; ++i) v[3 * j + i] = line[clamp_int(x + i - 1, 0, width - 1)];
    }
    for (int i = 0; i < 3; ++i) {
      order(v[i], v[6 + i]);
      order(v[i], v[3 + i]);
      order(v[3 + i], v[6 + i]);
    }
    order(v[0], v[1]); order(v[1], v[2]); order(v[7], v[8]); order(v[6], v[7]); order(v[3], v[5]); order(v[3], v[4]);
    order(v[4], v[5]); order(v[2], v[4]); order(v[4], v[6]); order(v[2], v[4]);
    medians[row * width + x] = v[4];
  } else {
    for (int j = 0; j < 5; ++j) {
      const float* line = planes + (top + clamp_int(y + j - 2, 0, height - 1)) * width;
      for (int i = 0; i < 5; ++i) v[5 * j + i] = line[clamp_int(x + i - 2, 0, width - 1)];
    }
    for (int i = 0; i < 5; ++i) {
      order(v[i], v[15 + i]);
      order(v[5 + i], v[20 + i]);
      order(v[i], v[10 + i]);
      order(v[5 + i], v[15 + i]);
      order(v[i], v[5 + i]);
      order(v[10 + i], v[20 + i]);
      order(v[5 + i], v[10 + i]);
      order(v[15 + i], v[20 + i]);
      order(v[10 + i], v[15 + i]);
    }
    order(v[0], v[3]); order(v[1], v[4]); order(v[0], v[2]); order(v[1], v[3]); order(v[2], v[4]); order(v[2], v[3]);
    order(v[5], v[8]); order(v[6], v[9]); order(v[6], v[8]); order(v[5], v[6]); order(v[7], v[9]); order(v[6], v[7]);
    order(v[8], v[9]); order(v[10], v[13]); order(v[11], v[14]); order(v[10], v[12]); order(v[11], v[13]);
    order(v[10], v[11]); order(v[12], v[14]); order(v[11], v[12]); order(v[13], v[14]); order(v[12], v[13]);
    order(v[15], v[18]); order(v[16], v[19]); order(v[15], v[17]); order(v[16], v[18]); order(v[15], v[16]);
    order(v[17], v[19]); order(v[16], v[17]); order(v[17], v[18]); order(v[20], v[23]); order(v[21], v[24]);
    order(v[20], v[22]); order(v[21], v[23]); order(v[20], v[21]); order(v[22], v[24]); order(v[21], v[22]);
    order(v[16], v[20]); order(v[4], v[12]); order(v[21], v[3]); order(v[8], v[7]); order(v[11], v[15]);
    order(v[17], v[9]); order(v[16], v[4]); order(v[20], v[12]); order(v[21], v[8]); order(v[3], v[7]);
    order(v[20], v[4]); order(v[20], v[3]); order(v[4], v[8]); order(v[4], v[21]); order(v[12], v[3]);
    order(v[17], v[13]); order(v[12], v[21]); order(v[15], v[17]); order(v[21], v[11]); order(v[3], v[15]);
    order(v[8], v[17]); order(v[12], v[3]); order(v[8], v[11]); order(v[3], v[8]);
    medians[row * width + x] = v[8];
  }
}
