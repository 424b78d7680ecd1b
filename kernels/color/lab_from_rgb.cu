// CIE L*a*b* (D65) of sRGB: linear light from a table, XYZ over the white point, cube roots.   One thread per pixel.
// image: (count, 3) uint8.   table: (256) float32, linear light in [0, 1].
// lab: (count, 3) float32, L in [0, 100], a and b about [-110, 110].

// f(v) = cube root of v, and a straight line near zero. Same steps as the CPU half, so the same bits.
__device__ __forceinline__ float lightness_curve(const float v) {
  float g = __int_as_float((int)((float)__float_as_int(v) * 0.33333334f) + 709921077);
  float cube = g * g * g;
  g = g * (cube + v + v) / (cube + cube + v);
  cube = g * g * g;
  g = g * (cube + v + v) / (cube + cube + v);
  return v > 0.008856f ? g : 7.787f * v + 0.13793103f;
}

extern "C" __global__ void lab_from_rgb(const unsigned char* __restrict__ image, const float* __restrict__ table,
                                        float* __restrict__ lab, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float red = table[image[3 * i]], green = table[image[3 * i + 1]], blue = table[image[3 * i + 2]];
  const float fx = lightness_curve(0.43395275f * red + 0.37621942f * green + 0.18982783f * blue);
  const float fy = lightness_curve(0.212671f * red + 0.71516f * green + 0.072169f * blue);
  const float fz = lightness_curve(0.017757914f * red + 0.10947652f * green + 0.87276556f * blue);
  lab[3 * i] = 116.0f * fy - 16.0f;
  lab[3 * i + 1] = 500.0f * (fx - fy);
  lab[3 * i + 2] = 200.0f * (fy - fz);
}
