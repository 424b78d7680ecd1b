// counts(t, r) = number of pixels with truth = t and result = r; labels outside [0, classes) count as class `classes`.
// One thread per CHUNK pixels of a row: equal neighbouring pairs are added together, so that large regions do not
// queue at one counter. Integer atomics: the order does not matter.
// result, truth: (height, width) int32.   counts: (classes + 1, classes + 1) int32, zero.
#define CHUNK 32  // the same word stands in the .py file

extern "C" __global__ void confusion_counts(const int* __restrict__ result, const int* __restrict__ truth,
                                            int* __restrict__ counts, const int height, const int width,
                                            const int classes) {
  const int begin = (blockIdx.x * blockDim.x + threadIdx.x) * CHUNK;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (begin >= width || y >= height) return;
  const int end = min(begin + CHUNK, width);

  int pair = -1, length = 0;
  for (int x = begin; x < end; ++x) {
    const int true_label = truth[y * width + x], result_label = result[y * width + x];
    const int row = true_label >= 0 && true_label < classes ? true_label : classes;
    const int column = result_label >= 0 && result_label < classes ? result_label : classes;
    const int next = row * (classes + 1) + column;
    if (next != pair) {
      if (pair >= 0) atomicAdd(&counts[pair], length);
      pair = next;
      length = 0;
    }
    ++length;
  }
  atomicAdd(&counts[pair], length);
}
