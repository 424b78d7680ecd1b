// How fast the colour changes at each pixel: differences of the two neighbours along each axis.   One thread per pixel.
// levels: (height, width, 4) int16.   strength: (height, width) uint16, up to 2047.
#define WEIGHTS 2048

extern "C" __global__ void color_gradient(const short* __restrict__ levels, unsigned short* __restrict__ strength,
                                          const int height, const int width, const float unit) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const short* row = levels + 4 * y * width;
  const short* above = levels + 4 * max(y - 1, 0) * width;
  const short* below = levels + 4 * min(y + 1, height - 1) * width;
  const int left = 4 * max(x - 1, 0), right = 4 * min(x + 1, width - 1);
  float square = 0.0f;
  for (int c = 0; c < 3; ++c) {
    const int across = row[right + c] - row[left + c], down = below[4 * x + c] - above[4 * x + c];
    square += (float)(across * across) + (float)(down * down);
  }
  strength[y * width + x] = (unsigned short)(int)fminf(sqrtf(square) * unit + 0.5f, (float)(WEIGHTS - 1));
}
