// Connected parts of a label map by union-find; label_components.cu numbers the roots.
// labels: (height, width) int32.   parent: (height, width) int32, linear index of a pixel on the way to the root.
#include "union_find.cuh"

// Every pixel is a tree.   One thread per pixel.
extern "C" __global__ void connected_labels_start(int* __restrict__ parent, const int pixels) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < pixels) parent[i] = i;
}

// Joins a pixel with its neighbours to the left and above.   One thread per pixel.
// A link that follows from those of the neighbours is left out.
extern "C" __global__ void connected_labels(const int* __restrict__ labels, int* parent, const int height,
                                            const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, label = labels[i];
  const bool left = x > 0 && labels[i - 1] == label;
  if (left) join_roots(parent, i, i - 1);
  if (y == 0 || labels[i - width] != label) return;
  if (!(left && labels[i - width - 1] == label)) join_roots(parent, i, i - width);
}
