// gray = (0.299 R + 0.587 G + 0.114 B) / 255 (BT.601 luma), with whole-number weights that add up to 2^16.
// rgb: (count, 3) uint8.   gray: (count) float32 in [0, 1].   One thread per pixel.
extern "C" __global__ void gray_from_rgb(const unsigned char* __restrict__ rgb, float* __restrict__ gray,
                                         const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int weighted = 19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2];
  // At most 255 * 65536 < 2^24: exact as float32, so the only rounding is the division's.
  gray[i] = (float)weighted / 16711680.0f;
}
