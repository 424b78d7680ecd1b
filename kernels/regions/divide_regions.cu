// divided(y, x) = the owner of region(y, x) with the least ((x - cx) / ax)^2 + ((y - cy) / ay)^2, times mask_discount
// where the owner's previous mask, moved by its shift, covers the pixel; 0 without an owner.   One thread per pixel.
// regions, previous, divided: (height, width) int32.   owners of region r: owners[first_owner[r] .. first_owner[r + 1]).
// ellipses: (n + 1, 4) float32 {cx, cy, 1 / ax, 1 / ay}.   shifts_xy: (n + 1, 2) int32 pixels.
extern "C" __global__ void divide_regions(const int* __restrict__ regions, const int* __restrict__ previous,
                                          const int* __restrict__ first_owner, const int* __restrict__ owners,
                                          const float* __restrict__ ellipses, const int* __restrict__ shifts_xy,
                                          int* __restrict__ divided, const float mask_discount, const int height,
                                          const int width, const int known) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int region = regions[i];
  if (region <= 0 || region >= known) {
    divided[i] = 0;
    return;
  }
  const int begin = first_owner[region], end = first_owner[region + 1];
  if (end - begin < 2) {
    divided[i] = end > begin ? owners[begin] : 0;
    return;
  }
  int nearest = owners[begin];
  float least = 3.402823466e38f;
  for (int k = begin; k < end; ++k) {
    const int owner = owners[k];
    const float u = ((float)x - ellipses[4 * owner]) * ellipses[4 * owner + 2];
    const float v = ((float)y - ellipses[4 * owner + 1]) * ellipses[4 * owner + 3];
    float distance = u * u + v * v;
    const int source_x = x - shifts_xy[2 * owner], source_y = y - shifts_xy[2 * owner + 1];
    if (source_x >= 0 && source_x < width && source_y >= 0 && source_y < height &&
        previous[source_y * width + source_x] == owner)
      distance = distance * mask_discount;
    if (distance < least) {
      nearest = owner;
      least = distance;
    }
  }
  divided[i] = nearest;
}
