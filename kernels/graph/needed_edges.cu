// Edges that close a ring of lighter ones within a block of 2x2 pixels are taken out.   One thread per pixel.
// weights, needed: (height, width, directions) uint16, 65535 where there is no edge.
#define NO_EDGE 65535
#define NO_WAY (1 << 24)

// Keys of the six edges of a block: its sides, then the diagonals that fall and rise. Its corners are 0 and 1 above,
// 2 and 3 below.
struct Block {
  int top, bottom, left, right, falling, rising;
};

__device__ __forceinline__ Block block_at(const unsigned short* weights, const int x, const int y, const int width,
                                          const int directions) {
  const unsigned short* here = weights + (size_t)(y * width + x) * directions;
  const unsigned short *beside = here + directions, *below = here + (size_t)width * directions;
  Block block;
  block.top = 8 * here[0];
  block.bottom = 8 * below[0] + 1;
  block.left = 8 * here[1] + 2;
  block.right = 8 * beside[1] + 3;
  block.falling = directions == 4 ? 8 * here[2] + 4 : NO_WAY + 4;
  block.rising = directions == 4 ? 8 * beside[3] + 5 : NO_WAY + 5;
  return block;
}

// The heaviest edge of the lightest way from a to b through c, d or both.
__device__ __forceinline__ int detour(const int ac, const int bc, const int ad, const int bd, const int cd) {
  const int near_ways = min(max(ac, bc), max(ad, bd));
  return min(near_ways, max(cd, min(max(ac, bd), max(ad, bc))));
}

extern "C" __global__ void needed_edges(const unsigned short* __restrict__ weights, unsigned short* __restrict__ needed,
                                        const int height, const int width, const int directions) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  bool drop[4] = {false, false, false, false};
  if (x + 1 < width && y + 1 < height) {
    const Block b = block_at(weights, x, y, width, directions);
    drop[0] = b.top > detour(b.left, b.rising, b.falling, b.right, b.bottom);
    drop[1] = b.left > detour(b.top, b.rising, b.falling, b.bottom, b.right);
    drop[2] = b.falling > detour(b.top, b.right, b.left, b.bottom, b.rising);
  }
  if (x + 1 < width && y > 0) {
    const Block b = block_at(weights, x, y - 1, width, directions);
    drop[0] |= b.bottom > detour(b.left, b.falling, b.rising, b.right, b.top);
  }
  if (x > 0 && y + 1 < height) {
    const Block b = block_at(weights, x - 1, y, width, directions);
    drop[1] |= b.right > detour(b.top, b.falling, b.rising, b.bottom, b.left);
    drop[3] = b.rising > detour(b.top, b.left, b.right, b.bottom, b.falling);
  }
  const size_t first = (size_t)(y * width + x) * directions;
  for (int d = 0; d < directions; ++d) needed[first + d] = drop[d] ? NO_EDGE : weights[first + d];
}
