// boundary(k, y, x) = 1 where the flow to neighbour k changes abruptly in length or direction.   One thread per pixel.
// forward_xy, backward_xy: (height, width, 2) float32, pixels.   boundary: (2, height, width) uint8; 0 at the edges.
//   step = 1 - exp(-0.7 |gradient|), turn = 1 - exp(-angle^2); boundary = (step > 0.6 ? step : step * turn) > 0.5

// angle: the largest between this vector and one of the eight around it; a vector of no length has no direction
__device__ float motion_boundary_strength(const float* __restrict__ flow_xy, const int x, const int y, const int width,
                                          const float squared_gradient) {
  const double step = 1.0 - exp(-0.7 * sqrt((double)squared_gradient));
  const int i = y * width + x;
  const double u = flow_xy[2 * i], v = flow_xy[2 * i + 1], own = u * u + v * v;
  double least = 1.0;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      const int j = i + dy * width + dx;
      const double p = flow_xy[2 * j], q = flow_xy[2 * j + 1], product = own * (p * p + q * q);
      if (product > 0.0) least = fmin(least, (u * p + v * q) / sqrt(product));
    }
  }
  const double angle = acos(fmax(least, -1.0));
  return (float)(step * (1.0 - exp(-angle * angle)));
}

extern "C" __global__ void motion_boundary(const float* __restrict__ forward_xy,
                                           const float* __restrict__ backward_xy, unsigned char* __restrict__ boundary,
                                           const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || row >= 2 * height) return;
  const int y = row < height ? row : row - height;
  const float* const flow_xy = row < height ? forward_xy : backward_xy;
  bool found = false;
  if (x > 0 && y > 0 && x + 1 < width && y + 1 < height) {
    const int i = y * width + x;
    const float ux = (flow_xy[2 * i + 2] - flow_xy[2 * i - 2]) * 0.5f;
    const float vx = (flow_xy[2 * i + 3] - flow_xy[2 * i - 1]) * 0.5f;
    const float uy = (flow_xy[2 * (i + width)] - flow_xy[2 * (i - width)]) * 0.5f;
    const float vy = (flow_xy[2 * (i + width) + 1] - flow_xy[2 * (i - width) + 1]) * 0.5f;
    const float squared = (ux * ux + vx * vx) + (uy * uy + vy * vy);
    // Above the second bound the step alone is more than 0.6, below the first it is less than 0.5.
    found = squared > 1.7134464f;
    if (!found && squared > 0.9805164f) found = motion_boundary_strength(flow_xy, x, y, width, squared) > 0.5f;
  }
  boundary[row * width + x] = found;
}
