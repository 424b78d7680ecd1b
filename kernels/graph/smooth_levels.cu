// A picture of whole numbers smoothed by [1 2 1] / 4 along both axes.   One thread per pixel.
// levels, smooth: (height, width, 4) int16; smooth is 4 times as fine.
extern "C" __global__ void smooth_levels(const short* __restrict__ levels, short* __restrict__ smooth, const int height,
                                         const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int left = x > 0 ? x - 1 : 0, right = x + 1 < width ? x + 1 : x;
  const int rows[3] = {y > 0 ? y - 1 : 0, y, y + 1 < height ? y + 1 : y};
  for (int c = 0; c < 4; ++c) {
    int sum = 2;
    for (int r = 0; r < 3; ++r) {
      const short* row = levels + 4 * rows[r] * width + c;
      const int across = row[4 * left] + 2 * row[4 * x] + row[4 * right];
      sum += r == 1 ? 2 * across : across;
    }
    smooth[4 * (y * width + x) + c] = (short)(sum >> 2);
  }
}
