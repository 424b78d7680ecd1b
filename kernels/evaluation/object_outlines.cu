// outlines(y, x): bit k is set where object k ends between the pixel and its right, lower or lower right neighbour,
// whichever side it lies on; beyond the last row and column the labels go on unchanged.   One thread per pixel.
// labels: (height, width) int32, each an index of bit_of.   bit_of: the bit of each label, 0 for those not counted.
// outlines: (height, width) uint32.

extern "C" __global__ void object_outlines(const int* __restrict__ labels, const unsigned int* __restrict__ bit_of,
                                           unsigned int* __restrict__ outlines, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int right = x + 1 < width ? 1 : 0, below = y + 1 < height ? width : 0;
  const unsigned int a = bit_of[labels[i]], b = bit_of[labels[i + right]];
  const unsigned int c = bit_of[labels[i + below]], d = bit_of[labels[i + right + below]];
  outlines[i] = (a | b | c | d) ^ (a & b & c & d);
}
