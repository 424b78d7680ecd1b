// gradient_x(y, x) = (image(y, x+1) - image(y, x-1)) / 2, gradient_y likewise; past the edge the edge pixel repeats.
// image, gradient_x, gradient_y: (height, width) float32; gradients per pixel.   One thread per pixel.
extern "C" __global__ void gradients(const float* __restrict__ image, float* __restrict__ gradient_x,
                                     float* __restrict__ gradient_y, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int left = max(x - 1, 0), right = min(x + 1, width - 1);
  const int above = max(y - 1, 0), below = min(y + 1, height - 1);
  gradient_x[y * width + x] = (image[y * width + right] - image[y * width + left]) * 0.5f;
  gradient_y[y * width + x] = (image[below * width + x] - image[above * width + x]) * 0.5f;
}
