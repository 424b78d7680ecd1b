// votes(y, x) = share of the rays in eight directions, over all boundaries, that enter boundary runs an odd number of
// times on their way out of the frame.   boundary: (planes, height, width) uint8, 0 or 1.   votes: (height, width).
// rays: (planes, 8, height, width) uint8, 0 or 1: the number of runs entered from here on, odd or even.

// One step of a ray against its direction, from the pixel that it reaches next to this one.
__device__ __forceinline__ int inside_votes_step(const int next_parity, const int next_boundary, const int boundary) {
  return next_parity ^ (next_boundary & (boundary ^ 1));
}

// One thread per line and pair of opposite directions: along rows, then down by dx = -1, 0, 1 a row.
extern "C" __global__ void inside_votes_rays(const unsigned char* __restrict__ boundary,
                                             unsigned char* __restrict__ rays, const int height, const int width,
                                             const int planes) {
  const int line = blockIdx.x * blockDim.x + threadIdx.x;
  const int plane = blockIdx.y / 4, pair = blockIdx.y % 4;
  if (plane >= planes || line >= (pair == 0 ? height : height + width)) return;
  const int pixels = height * width, steps = pair == 0 ? width : height, dx = pair - 2;
  const unsigned char* const inside = boundary + plane * pixels;
  for (int direction = 0; direction < 2; ++direction) {
    unsigned char* const out = rays + ((plane * 4 + pair) * 2 + direction) * pixels;
    int parity = 0, next = 0;
    for (int k = 0; k < steps; ++k) {
      const int step = direction == 0 ? steps - 1 - k : k;
      // Slanted lines start at columns beyond both sides; outside the frame nothing is entered.
      const int y = pair == 0 ? line : step;
      const int x = pair == 0 ? step : dx == 0 ? line : dx > 0 ? line - height + step : line - step;
      if (x < 0 || x >= width) {
        parity = next = 0;
        continue;
      }
      const int here = inside[y * width + x];
      parity = inside_votes_step(parity, next, here);
      next = here;
      out[y * width + x] = parity;
    }
  }
}

// One thread per pixel.
extern "C" __global__ void inside_votes(const unsigned char* __restrict__ rays, float* __restrict__ votes,
                                        const int pixels, const int planes) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  int count = 0;
  for (int ray = 0; ray < 8 * planes; ++ray) count += rays[ray * pixels + i];
  votes[i] = (float)count / (float)(8 * planes);
}
