// First samples: sample k of a pixel is what one of the 25 pixels around it shows, chosen by a hash.
// One thread per pixel.
// planes: (4, height + 4, pitch) uint8.   bits: (height, pitch - 32) int16.
// colors: (height, blocks, samples, 3, 32) uint8.   patterns: (height, blocks, samples, 32) int16; blocks of 32 pixels.
#include "common.cuh"
#include "pixel_hash.cuh"

extern "C" __global__ void sample_begin(const unsigned char* __restrict__ planes, const short* __restrict__ bits,
                                        unsigned char* __restrict__ colors, short* __restrict__ patterns,
                                        const int samples, const int height, const int width, const int pitch) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int blocks = pitch / 32 - 1, plane = (height + 4) * pitch;
  const unsigned int key = mixed(0u);
  for (int sample = 0; sample < samples; sample++) {
    const unsigned int number = pixel_hash((unsigned int)((y * width + x) * samples + sample), key);
    const int place = (int)(((number >> 8) * 25ull) >> 24);
    const int from_y = clamp_int(y + place / 5 - 2, 0, height - 1);
    const int from_x = clamp_int(x + place % 5 - 2, 0, width - 1);
    const int here = ((y * blocks + x / 32) * samples + sample);
    const int from = (from_y + 2) * pitch + from_x + 16;
    for (int c = 0; c < 3; c++) colors[(here * 3 + c) * 32 + x % 32] = planes[c * plane + from];
    patterns[here * 32 + x % 32] = bits[from_y * (pitch - 32) + from_x];
  }
}
