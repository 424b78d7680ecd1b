// Per region (label - 1) and third of the height of its box, from above: {n, sum R, G, B, sum R^2, G^2, B^2}.
// One thread per pixel; integer atomics, so the order does not matter.
// labels: (height, width) int32.   image: (height, width, 3) uint8.   boxes_xyxy: (regions, 4) int32, half-open.
// sums: (regions, 3, 7) uint64, zero.
#define BANDS 3  // the same words stand in the .py file
#define SUMS 7

extern "C" __global__ void band_colors(const int* __restrict__ labels, const unsigned char* __restrict__ image,
                                         const int* __restrict__ boxes_xyxy, unsigned long long* __restrict__ sums,
                                         const int height, const int width, const int regions) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int label = labels[i];
  if (label <= 0 || label > regions) return;
  const int top = boxes_xyxy[4 * (label - 1) + 1], bottom = boxes_xyxy[4 * (label - 1) + 3];
  // Above the box a quotient would be rounded up: what lies there is clamped first.
  const int band = min(max(y - top, 0) * BANDS / max(bottom - top, 1), BANDS - 1);
  unsigned long long* sum = sums + ((label - 1) * BANDS + band) * SUMS;
  atomicAdd(&sum[0], 1ULL);
  for (int channel = 0; channel < 3; ++channel) {
    const int value = image[3 * i + channel];
    atomicAdd(&sum[1 + channel], (unsigned long long)value);
    atomicAdd(&sum[4 + channel], (unsigned long long)(value * value));
  }
}
