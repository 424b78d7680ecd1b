// Weights of edges: the higher strength of their ends.   One thread per pixel.
// strength: (height, width) uint16.   weights: (height, width, directions) uint16, 65535 where there is no neighbour.
#define WEIGHTS 2048
#define NO_EDGE 65535

extern "C" __global__ void pass_weights(const unsigned short* __restrict__ strength,
                                        unsigned short* __restrict__ weights, const int height, const int width,
                                        const int directions) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int pixel = y * width + x;
  for (int d = 0; d < directions; ++d) {
    const int other_x = x + (d == 3 ? -1 : 1 - d % 2), other_y = y + (d > 0);
    int weight = NO_EDGE;
    if (other_x >= 0 && other_x < width && other_y < height)
      weight = min(max((int)strength[pixel], (int)strength[other_y * width + other_x]), WEIGHTS - 1);
    weights[pixel * directions + d] = (unsigned short)weight;
  }
}
