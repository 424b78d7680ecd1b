// group(y, x) = number of `limits` that the length of the flow reaches; 255 where it is not finite.
// One thread per pixel.   flow: (height, width, 2) float32.   limits: (count) float32, rising.   group: (height, width) uint8.

extern "C" __global__ void speed_groups(const float* __restrict__ flow, const float* __restrict__ limits,
                                        unsigned char* __restrict__ group, const int height, const int width,
                                        const int count) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const double u = flow[2 * i], v = flow[2 * i + 1];
  const float speed = (float)sqrt(u * u + v * v);
  int reached = 0;
  for (int k = 0; k < count; ++k) reached += speed >= limits[k];
  group[i] = speed - speed == 0.0f ? reached : 255;
}
