// boundary(y, x) = 1 where the mask differs from its right, lower or lower right neighbour; beyond the last row and
// column the mask goes on unchanged.   One thread per pixel.   mask, boundary: (height, width) uint8, 0 or 1.

extern "C" __global__ void mask_boundary(const unsigned char* __restrict__ mask, unsigned char* __restrict__ boundary,
                                         const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int right = x + 1 < width ? 1 : 0, below = y + 1 < height ? width : 0;
  // In the last row and column the diagonal neighbour falls on one of the other two, or on the pixel itself.
  boundary[i] = (mask[i] ^ mask[i + right]) | (mask[i] ^ mask[i + below]) | (mask[i] ^ mask[i + right + below]);
}
