// planes(c, y, x) = sum over i, j of taps(|i|) taps(|j|) image(y + j, x + i, c); beyond the edges the edge repeats.
// image: (height, width, channels) float32.   columns, planes: (channels, height, width) float32.   One thread each.
// taps: (radius + 1) float32, the middle one first.
#include "common.cuh"

// columns: smoothed along y, the channels taken apart
extern "C" __global__ void smooth_planes_columns(const float* __restrict__ image, const float* __restrict__ taps,
                                                 float* __restrict__ columns, const int height, const int width,
                                                 const int channels, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= height * channels) return;
  const int c = row / height, y = row % height;
  float sum = image[(y * width + x) * channels + c] * taps[0];
  for (int j = 1; j <= radius; ++j) {
    const int above = max(y - j, 0), below = min(y + j, height - 1);
    sum += (image[(above * width + x) * channels + c] + image[(below * width + x) * channels + c]) * taps[j];
  }
  columns[row * width + x] = sum;
}

extern "C" __global__ void smooth_planes(const float* __restrict__ columns, const float* __restrict__ taps,
                                         float* __restrict__ planes, const int height, const int width,
                                         const int channels, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= height * channels) return;
  const float* const line = columns + row * width;
  float sum = line[x] * taps[0];
  for (int i = 1; i <= radius; ++i) {
    sum += (line[clamp_int(x - i, 0, width - 1)] + line[clamp_int(x + i, 0, width - 1)]) * taps[i];
  }
  planes[row * width + x] = sum;
}
