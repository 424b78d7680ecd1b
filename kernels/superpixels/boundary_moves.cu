// Pixels on the boundary of superpixels go to the neighbour that suits them best; no superpixel is ever cut in two.
//   cost(p, B) = |color(p) - mean of B|^2 + position |p - centroid of B|^2 - boundary (pixels of B among p's eight)
// levels: (height, width, 4) int16.   padded: (height + 2, width + 2) int32 labels with a border of -1.
// sums: (n, 6) of L, a, b, x, y, pixels, 64 bits that wrap like signed ones.   means: (n, 5) float32.

// padded = labels, each spread over 2x2 when shift is 1; sums of all superpixels.   One thread per padded pixel.
extern "C" __global__ void boundary_moves_start(const short* __restrict__ levels, const int* __restrict__ labels,
                                                int* __restrict__ padded, unsigned long long* sums, const int height,
                                                const int width, const int labels_width, const int shift) {
  const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x) - 1;
  const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y) - 1;
  if (x > width || y > height) return;
  const bool inside = x >= 0 && y >= 0 && x < width && y < height;
  const int label = inside ? labels[(y >> shift) * labels_width + (x >> shift)] : -1;
  padded[(y + 1) * (width + 2) + x + 1] = label;
  if (!inside) return;
  const short* color = levels + 4 * (y * width + x);
  unsigned long long* sum = sums + 6 * (long long)label;
  for (int k = 0; k < 3; ++k) atomicAdd(&sum[k], (unsigned long long)(long long)color[k]);
  atomicAdd(&sum[3], (unsigned long long)x);
  atomicAdd(&sum[4], (unsigned long long)y);
  atomicAdd(&sum[5], 1ull);
}

// One thread per superpixel.
extern "C" __global__ void boundary_moves_means(const unsigned long long* __restrict__ sums, float* __restrict__ means,
                                                const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const long long pixels = (long long)sums[6 * i + 5];
  const double n = (double)(pixels > 0 ? pixels : 1);
  for (int k = 0; k < 5; ++k) means[5 * i + k] = (float)((double)(long long)sums[6 * i + k] / n);
}

// One phase: no two of its pixels touch.   One thread per pixel of the phase.
extern "C" __global__ void boundary_moves(const short* __restrict__ levels, const unsigned char* __restrict__ table,
                                          const float* __restrict__ means, int* padded, unsigned long long* sums,
                                          const int height, const int width, const int odd_row, const int odd_column,
                                          const float position, const float boundary) {
  const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x) + odd_column;
  const int y = 2 * (blockIdx.y * blockDim.y + threadIdx.y) + odd_row;
  if (x >= width || y >= height) return;
  const int pitch = width + 2, i = (y + 1) * pitch + x + 1;
  const int own = padded[i];
  // Clockwise from the upper one; the even ones share an edge with the pixel.
  const int around[8] = {padded[i - pitch], padded[i - pitch + 1], padded[i + 1], padded[i + pitch + 1],
                         padded[i + pitch], padded[i + pitch - 1], padded[i - 1], padded[i - pitch - 1]};
  int bits = 0;
  for (int k = 0; k < 8; ++k) bits |= (around[k] == own) << k;
  if (table[bits] == 0) return;
  const short* color = levels + 4 * (y * width + x);
  int best = own;
  float least = 3.0e38f;
  for (int c = 0; c < 5; ++c) {
    const int label = c == 0 ? own : around[2 * (c - 1)];
    if (c > 0 && (label < 0 || label == own)) continue;
    bool seen = false;
    for (int k = 1; k < c; ++k) seen = seen || around[2 * (k - 1)] == label;
    if (seen) continue;
    int touching = 0;
    for (int k = 0; k < 8; ++k) touching += around[k] == label;
    const float* mean = means + 5 * label;
    const float d0 = (float)color[0] - mean[0], d1 = (float)color[1] - mean[1], d2 = (float)color[2] - mean[2];
    const float dx = (float)x - mean[3], dy = (float)y - mean[4];
    const float cost = (d0 * d0 + d1 * d1 + d2 * d2) + position * (dx * dx + dy * dy) - boundary * (float)touching;
    if (cost < least) {
      least = cost;
      best = label;
    }
  }
  if (best == own) return;
  padded[i] = best;
  unsigned long long *from = sums + 6 * (long long)own, *to = sums + 6 * (long long)best;
  for (int k = 0; k < 3; ++k) {
    const unsigned long long value = (unsigned long long)(long long)color[k];
    atomicAdd(&to[k], value);
    atomicAdd(&from[k], 0ull - value);
  }
  atomicAdd(&to[3], (unsigned long long)x);
  atomicAdd(&from[3], 0ull - (unsigned long long)x);
  atomicAdd(&to[4], (unsigned long long)y);
  atomicAdd(&from[4], 0ull - (unsigned long long)y);
  atomicAdd(&to[5], 1ull);
  atomicAdd(&from[5], 0ull - 1ull);
}

// One thread per pixel.
extern "C" __global__ void boundary_moves_end(const int* __restrict__ padded, int* __restrict__ moved, const int height,
                                              const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < width && y < height) moved[y * width + x] = padded[(y + 1) * (width + 2) + x + 1];
}
