// Around every pixel image(x) = c + b . x + x . A x, by least squares with Gaussian weights; grey levels 0 .. 255.
// image: (height, width) float32 in [0, 1].   weights: (3, radius + 1): smooth, slope, bend, from the middle outwards.
// expansion: (5, height, width): b1, b2, a11, a12, a22.   Edge pixels repeat.   One thread per pixel, in both.
#include "common.cuh"

// columns: (3, height, width): the image smoothed along y, its slope and its bend along y.
extern "C" __global__ void polynomial_expansion_columns(const float* __restrict__ image,
                                                        const float* __restrict__ weights, float* __restrict__ columns,
                                                        const int height, const int width, const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x, count = radius + 1;
  const float here = 255.0f * image[i];
  float smooth = weights[0] * here, slope = 0.0f, bend = 0.0f;
  for (int k = 1; k <= radius; ++k) {
    const float above = 255.0f * image[max(y - k, 0) * width + x];
    const float below = 255.0f * image[min(y + k, height - 1) * width + x];
    const float both = below + above;
    smooth = fmaf(weights[k], both, smooth);
    slope = fmaf(weights[count + k], below - above, slope);
    bend = fmaf(weights[2 * count + k], both - (here + here), bend);
  }
  columns[i] = smooth;
  columns[plane + i] = slope;
  columns[2 * plane + i] = bend;
}

extern "C" __global__ void polynomial_expansion(const float* __restrict__ columns, const float* __restrict__ weights,
                                                float* __restrict__ expansion, const int height, const int width,
                                                const int radius) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, row = y * width, i = row + x, count = radius + 1;
  const float *smooth = columns, *slope = columns + plane, *bend = columns + 2 * plane;
  const float here = smooth[i];
  float b1 = 0.0f, a11 = 0.0f, a12 = 0.0f, b2 = weights[0] * slope[i], a22 = weights[0] * bend[i];
  for (int k = 1; k <= radius; ++k) {
    const int left = row + max(x - k, 0), right = row + min(x + k, width - 1);
    b1 = fmaf(weights[count + k], smooth[right] - smooth[left], b1);
    a11 = fmaf(weights[2 * count + k], (smooth[right] + smooth[left]) - (here + here), a11);
    b2 = fmaf(weights[k], slope[right] + slope[left], b2);
    a12 = fmaf(weights[count + k], slope[right] - slope[left], a12);
    a22 = fmaf(weights[k], bend[right] + bend[left], a22);
  }
  expansion[i] = b1;
  expansion[plane + i] = b2;
  expansion[2 * plane + i] = a11;
  expansion[3 * plane + i] = 0.5f * a12;
  expansion[4 * plane + i] = a22;
}
