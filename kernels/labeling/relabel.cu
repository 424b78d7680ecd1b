// renumbered(i) = table(labels(i)), 0 for a label beyond the table.   One thread per pixel.
// labels, renumbered: (pixels) int32.   table: (size) int32.
extern "C" __global__ void relabel(const int* __restrict__ labels, const int* __restrict__ table,
                                   int* __restrict__ renumbered, const int pixels, const int size) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pixels) return;
  const int label = labels[i];
  renumbered[i] = label >= 0 && label < size ? table[label] : 0;
}
