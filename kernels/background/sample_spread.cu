// A pixel copies what its neighbours show into the samples for which they have announced it, in raster order of them.
// One thread per pixel.
// pushes: (height, width) uint8, 0 or 1 + a place in the 5x5 window without its middle: where the neighbour pushes to.
// planes, bits, colors, patterns: as in sample_consensus.cu.
#include "pixel_hash.cuh"

extern "C" __global__ void sample_spread(const unsigned char* __restrict__ pushes,
                                         const unsigned char* __restrict__ planes, const short* __restrict__ bits,
                                         unsigned char* __restrict__ colors, short* __restrict__ patterns,
                                         const unsigned int frame, const int samples, const int height,
                                         const int width, const int pitch) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int blocks = pitch / 32 - 1, plane = (height + 4) * pitch;
  const unsigned int key = mixed(frame);
  for (int dy = -2; dy <= 2; dy++) {
    for (int dx = -2; dx <= 2; dx++) {
      const int from_x = x + dx, from_y = y + dy;
      if (from_x < 0 || from_x >= width || from_y < 0 || from_y >= height || (dx == 0 && dy == 0)) continue;
      const int code = pushes[from_y * width + from_x];
      // From there, this pixel lies at (-dx, -dy).
      const int place = (2 - dy) * 5 + 2 - dx;
      if (code != (place < 12 ? place + 1 : place)) continue;
      const unsigned int own = pixel_hash((unsigned int)(from_y * width + from_x), key);
      const unsigned int number = mixed(mixed(own ^ 0x27D4EB2Fu) ^ 0x165667B1u);
      const int slot = (int)(((number & 65535u) * (unsigned int)samples) >> 16);
      const int here = (y * blocks + x / 32) * samples + slot;
      const int from = (from_y + 2) * pitch + from_x + 16;
      for (int c = 0; c < 3; c++) colors[(here * 3 + c) * 32 + x % 32] = planes[c * plane + from];
      patterns[here * 32 + x % 32] = bits[from_y * (pitch - 32) + from_x];
    }
  }
}
