// down(y, x) = mean of image(2y .. 2y+1, 2x .. 2x+1); past an odd edge the last row or column counts twice.
// image: (height, width) float32.   down: (ceil(height / 2), ceil(width / 2)).   One thread per output pixel.
extern "C" __global__ void pyramid_down(const float* __restrict__ image, float* __restrict__ down, const int height,
                                        const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int down_width = (width + 1) / 2;
  if (x >= down_width || y >= (height + 1) / 2) return;
  const int x0 = 2 * x, x1 = min(x0 + 1, width - 1);
  const int y0 = 2 * y, y1 = min(y0 + 1, height - 1);
  const float top = image[y0 * width + x0] + image[y0 * width + x1];
  const float bottom = image[y1 * width + x0] + image[y1 * width + x1];
  down[y * down_width + x] = (top + bottom) * 0.25f;
}
