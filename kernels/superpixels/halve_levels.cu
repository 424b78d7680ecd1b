// Half the height and width: each block is the rounded mean of 2x2; an odd last row or column counts twice.
// levels: (height, width, 4) int16.   halved: ((height + 1) / 2, (width + 1) / 2, 4) int16.   One thread per block.
extern "C" __global__ void halve_levels(const short* __restrict__ levels, short* __restrict__ halved, const int height,
                                        const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int half_width = (width + 1) / 2;
  if (x >= half_width || y >= (height + 1) / 2) return;
  const int left = 2 * x, right = min(left + 1, width - 1), up = 2 * y, down = min(up + 1, height - 1);
  for (int k = 0; k < 4; ++k) {
    const int total = levels[4 * (up * width + left) + k] + levels[4 * (up * width + right) + k] +
                      levels[4 * (down * width + left) + k] + levels[4 * (down * width + right) + k];
    halved[4 * (y * half_width + x) + k] = (short)((total + 2) >> 2);
  }
}
