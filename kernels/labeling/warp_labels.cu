// warped(y, x) = labels at the pixel nearest to (x, y) + flow(y, x), 0 outside the image.   One thread per output pixel.
// labels, warped: (height, width) int32.   flow_xy: (height, width, 2) float32, pixels; NaN reads background.
extern "C" __global__ void warp_labels(const int* __restrict__ labels, const float* __restrict__ flow_xy,
                                       int* __restrict__ warped, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float source_x = floorf((float)x + flow_xy[2 * i] + 0.5f);
  const float source_y = floorf((float)y + flow_xy[2 * i + 1] + 0.5f);
  // Compared as floats before they become indices: NaN fails every comparison.
  const bool inside = source_x >= 0.0f && source_x < (float)width && source_y >= 0.0f && source_y < (float)height;
  warped[i] = inside ? labels[(int)source_y * width + (int)source_x] : 0;
}
