// weight = contrast * length * (floor + exp(-squared / (2 mean))), as in cut_weights.py.
// image: (height, width, 3) uint8.   weights: (4, height, width) float32: right, down, down and right, down and left.
// total: (1) uint64: sum of squared differences over all pairs of neighbours.

__device__ __forceinline__ bool cut_weights_square(const unsigned char* __restrict__ image, const int x, const int y,
                                                   const int k, const int height, const int width, int* squared) {
  const int u = x + (k == 0) + (k == 2) - (k == 3), v = y + (k > 0);
  if (u < 0 || u >= width || v >= height) return false;
  const unsigned char* one = image + 3 * (y * width + x);
  const unsigned char* other = image + 3 * (v * width + u);
  const int red = one[0] - other[0], green = one[1] - other[1], blue = one[2] - other[2];
  *squared = red * red + green * green + blue * blue;
  return true;
}

// One block per row. Whole numbers: the order of the sum does not matter.
extern "C" __global__ void cut_weights_sum(const unsigned char* __restrict__ image,
                                           unsigned long long* __restrict__ total, const int height, const int width) {
  __shared__ unsigned long long sums[ROW_THREADS];
  const int y = blockIdx.x, lane = threadIdx.x;
  unsigned long long mine = 0;
  for (int x = lane; x < width; x += ROW_THREADS)
    for (int k = 0; k < 4; ++k) {
      int squared;
      if (cut_weights_square(image, x, y, k, height, width, &squared)) mine += squared;
    }
  sums[lane] = mine;
  __syncthreads();
  for (int half = ROW_THREADS / 2; half > 0; half /= 2) {
    if (lane < half) sums[lane] += sums[lane + half];
    __syncthreads();
  }
  if (lane == 0) atomicAdd(total, sums[0]);
}

// One thread per pixel.
extern "C" __global__ void cut_weights(const unsigned char* __restrict__ image,
                                       const unsigned long long* __restrict__ total, float* __restrict__ weights,
                                       const float contrast, const float floor, const double pairs, const int height,
                                       const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const double mean = (double)total[0] / pairs + 1e-6;
  const float scale = (float)(-0.5 / mean);
  for (int k = 0; k < 4; ++k) {
    int squared;
    float weight = 0.0f;
    if (cut_weights_square(image, x, y, k, height, width, &squared)) {
      const float product = (float)squared * scale * 1.442695f;
      const float exponent = product > -100.0f ? product : -100.0f;
      const int whole = (int)exponent - 1;
      const float f = exponent - (float)whole;
      const float value = 1.0f + f * (0.693032f + f * (0.24138f + f * (0.052032f + f * 0.013556f)));
      const float strength = k < 2 ? contrast : contrast * 0.7071f;
      weight = strength * (floor + value * __int_as_float((whole + 127) << 23));
    }
    weights[((size_t)k * height + y) * width + x] = weight;
  }
}
