// CIE L*a*b* from sRGB in sixteenths of a unit.   One thread per pixel.
// image: (count, 3) uint8.   tables: 256 values of linear light, 0 ... 65535, then 4096 of the lightness curve, in
// 1/4096.   levels: (count, 4) int16, the last one zero.
extern "C" __global__ void lab_levels(const unsigned char* __restrict__ image, const int* __restrict__ tables,
                                      short* __restrict__ levels, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int* curve = tables + 256;
  const int red = tables[image[3 * i]], green = tables[image[3 * i + 1]], blue = tables[image[3 * i + 2]];
  const int fx = curve[(7110 * red + 6164 * green + 3110 * blue) >> 18];
  const int fy = curve[(3484 * red + 11718 * green + 1182 * blue) >> 18];
  const int fz = curve[(291 * red + 1794 * green + 14299 * blue) >> 18];
  levels[4 * i] = (short)((1856 * fy - 1046528) >> 12);
  levels[4 * i + 1] = (short)((8000 * (fx - fy) + 2048) >> 12);
  levels[4 * i + 2] = (short)((3200 * (fy - fz) + 2048) >> 12);
  levels[4 * i + 3] = 0;
}
