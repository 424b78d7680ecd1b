// inside(y, x) = all over (dy, dx) in a shape of mask(y + dy, x + dx); with flipped bits: any.   One thread per 32 pixels.
// mask, inside: (height, width) uint8.   bits: (height, words) uint32, bit i of word w is pixel 32 w + i of the row.
// windows: (window_count, 3) int32: dy, dx, level: 2^level pixels of a row, at most 32.   flip, outside: 0 or all bits.
#define FULL_WARP 0xffffffffu

// Bits of a mask, turned by flip; beyond the row's end they are `outside`.   One thread per pixel, rows of 32 threads.
extern "C" __global__ void mask_in_shape_pack(const unsigned char* __restrict__ mask, unsigned int* __restrict__ bits,
                                              const int height, const int width, const int words,
                                              const unsigned int flip, const unsigned int outside) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (y >= height) return;  // a warp is a piece of one row: all of it leaves
  const bool inside = x < width;
  const unsigned int set = inside ? (mask[y * width + x] != 0) != (flip != 0) : outside != 0;
  const unsigned int word = __ballot_sync(FULL_WARP, set);
  if (threadIdx.x == 0) bits[y * words + x / 32] = word;
}

extern "C" __global__ void mask_in_shape(const unsigned int* __restrict__ bits, const int* __restrict__ windows,
                                         unsigned char* __restrict__ inside, const int height, const int width,
                                         const int words, const int window_count, const unsigned int flip,
                                         const unsigned int outside) {
  const int w = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (y >= height) return;  // all of a warp
  unsigned int found = FULL_WARP;
  if (w < words) {
    for (int k = 0; k < window_count; ++k) {
      const int row = y + windows[3 * k], first = 32 * w + windows[3 * k + 1], level = windows[3 * k + 2];
      const int word = first >> 5;
      const bool exists = row >= 0 && row < height;
      const unsigned int low = exists && word >= 0 && word < words ? bits[row * words + word] : outside;
      const unsigned int high = exists && word + 1 >= 0 && word + 1 < words ? bits[row * words + word + 1] : outside;
      // 64 pixels: enough for the windows of 32 that begin at 32 pixels.
      unsigned long long pixels = (((unsigned long long)high << 32) | low) >> (first & 31);
      // What was shifted in from above belongs to no window of this word, unless the window is wider than the rest.
      if ((first & 31) + 31 + (1 << level) > 64) {
        const bool more = exists && word + 2 >= 0 && word + 2 < words;
        const unsigned int top = more ? bits[row * words + word + 2] : outside;
        pixels |= (unsigned long long)top << 1 << (63 - (first & 31));
      }
      for (int step = 0; step < level; ++step) pixels &= pixels >> (1 << step);
      found &= (unsigned int)pixels;
    }
  }
  found ^= flip;
  // The warp writes its 32 words one after the other: neighbouring threads, neighbouring pixels.
  const int first = blockIdx.x * blockDim.x;
  for (int k = 0; k < 32 && 32 * (first + k) < width; ++k) {
    const unsigned int word = __shfl_sync(FULL_WARP, found, k);
    const int x = 32 * (first + k) + threadIdx.x;
    if (x < width) inside[y * width + x] = (word >> threadIdx.x) & 1u;
  }
}
