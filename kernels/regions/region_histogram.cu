// counts(label - 1, bin) = pixels of a region whose colour falls into the bin; a bin is the top 3 bits of R, G and B.
// One thread per pixel; integer atomics, so the order does not matter.
// labels: (height, width) int32.   image: (height, width, 3) uint8.   counts: (regions, 512) int32, zero.
extern "C" __global__ void region_histogram(const int* __restrict__ labels, const unsigned char* __restrict__ image,
                                            int* __restrict__ counts, const int height, const int width,
                                            const int regions) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int label = labels[i];
  if (label <= 0 || label > regions) return;
  const int red = image[3 * i], green = image[3 * i + 1], blue = image[3 * i + 2];
  atomicAdd(&counts[(label - 1) * 512 + (((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5))], 1);
}
