// small(j, k, c) = rounded mean of image over the block [j f, j f + f) x [k f, k f + f), cut off at the image's edge.
// image: (height, width, 3) uint8.   small: (ceil(height / f), ceil(width / f), 3) uint8.   One thread per small pixel.
extern "C" __global__ void shrink_rgb(const unsigned char* __restrict__ image, unsigned char* __restrict__ small,
                                      const int height, const int width, const int factor) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  const int j = blockIdx.y * blockDim.y + threadIdx.y;
  const int small_width = (width + factor - 1) / factor, small_height = (height + factor - 1) / factor;
  if (k >= small_width || j >= small_height) return;
  const int x0 = k * factor, x1 = min(x0 + factor, width);
  const int y0 = j * factor, y1 = min(y0 + factor, height);

  const int count = (y1 - y0) * (x1 - x0);
  int red = count / 2, green = red, blue = red;
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) {
      const unsigned char* pixel = image + 3 * (y * width + x);
      red += pixel[0];
      green += pixel[1];
      blue += pixel[2];
    }
  unsigned char* result = small + 3 * (j * small_width + k);
  result[0] = (unsigned char)(red / count);
  result[1] = (unsigned char)(green / count);
  result[2] = (unsigned char)(blue / count);
}
