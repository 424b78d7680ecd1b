// How different neighbouring pixels are.   One thread per pixel.
// levels: (height, width, 4) int16.   weights: (height, width, directions) uint16, 65535 where there is no neighbour.
#define WEIGHTS 2048
#define NO_EDGE 65535

extern "C" __global__ void edge_weights(const short* __restrict__ levels, unsigned short* __restrict__ weights,
                                        const int height, const int width, const int directions, const float unit) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int pixel = y * width + x;
  for (int d = 0; d < directions; ++d) {
    const int other_x = x + (d == 3 ? -1 : 1 - d % 2), other_y = y + (d > 0);
    int weight = NO_EDGE;
    if (other_x >= 0 && other_x < width && other_y < height) {
      const int other = other_y * width + other_x;
      int square = 0;
      for (int c = 0; c < 3; ++c) {
        const int difference = levels[4 * pixel + c] - levels[4 * other + c];
        square += difference * difference;
      }
      weight = (int)fminf(sqrtf((float)square) * unit + 0.5f, (float)(WEIGHTS - 1));
    }
    weights[pixel * directions + d] = (unsigned short)weight;
  }
}
