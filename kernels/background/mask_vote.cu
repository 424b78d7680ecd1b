// result(y, x) = 1 where, of the window's pixels inside the picture, any (kind 0), more than half (1) or all (2) are 1.
// One thread per pixel.
// mask, result: (height, width) uint8, 0 or 1.   Window: (2 radius + 1)^2, radius 0 to 7.
extern "C" __global__ void mask_vote(const unsigned char* __restrict__ mask, const int radius, const int kind,
                                         unsigned char* __restrict__ result, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int left = max(x - radius, 0), right = min(x + radius, width - 1);
  const int top = max(y - radius, 0), bottom = min(y + radius, height - 1);
  int total = 0;
  for (int row = top; row <= bottom; row++) {
    for (int column = left; column <= right; column++) total += mask[row * width + column];
  }
  const int area = (bottom - top + 1) * (right - left + 1);
  result[y * width + x] = total > (kind == 0 ? 0 : (kind == 1 ? area >> 1 : area - 1));
}
