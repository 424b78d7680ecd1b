// Potentials on a grid of conductors: conjugate gradients (double) with a multigrid step (float).
// All arrays but those of the caller have a border of one zero: (height + 2, width + 2); at(y, x) finds a pixel.
// Conductors, inverse, shares: one layer.   rest, guess, direction, ...: a layer for each right-hand side.
// state: (layers, 8) double: product, towards, length, enough, done, started.   sums: (layers, height) double, one a row.
#define ROW_THREADS 128  // the same words stand in the .py file
#define PRODUCT 0
#define TOWARDS 1
#define LENGTH 2
#define ENOUGH 3
#define DONE 4
#define STARTED 5

__device__ __forceinline__ int at(const int y, const int x, const int width) { return (y + 1) * (width + 2) + x + 1; }

// Which pixel a thread has; false outside.
__device__ __forceinline__ bool pixel_of(int& y, int& x, const int height, const int width) {
  x = blockIdx.x * blockDim.x + threadIdx.x;
  y = blockIdx.y * blockDim.y + threadIdx.y;
  return x < width && y < height;
}

// Where the layer of a thread begins.
__device__ __forceinline__ long long layer_of(const int layer, const int height, const int width) {
  return (long long)layer * (height + 2) * (width + 2);
}

// target = source, with a border.   One thread per pixel.
extern "C" __global__ void grid_potentials_border(const float* __restrict__ source, float* __restrict__ target,
                                                  const int height, const int width) {
  int y, x;
  if (pixel_of(y, x, height, width)) target[at(y, x, width)] = source[y * width + x];
}

// inverse = 1 / (sum of conductors above zero), 0 without any.   One thread per pixel.
extern "C" __global__ void grid_potentials_invert(const float* __restrict__ right, const float* __restrict__ down,
                                                  const float* __restrict__ right_down,
                                                  const float* __restrict__ left_down,
                                                  const float* __restrict__ ground, float* __restrict__ inverse,
                                                  const int height, const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width)) return;
  const int i = at(y, x, width), up = width + 2;
  const float sides =
      (fmaxf(right[i], 0.0f) + fmaxf(right[i - 1], 0.0f)) + (fmaxf(down[i], 0.0f) + fmaxf(down[i - up], 0.0f));
  const float corners = (fmaxf(right_down[i], 0.0f) + fmaxf(right_down[i - up - 1], 0.0f)) +
                        (fmaxf(left_down[i], 0.0f) + fmaxf(left_down[i - up + 1], 0.0f));
  const float total = (sides + corners) + fmaxf(ground[i], 0.0f);
  inverse[i] = total > 0.0f ? 1.0f / total : 0.0f;
}

// guess = weight * rest / diagonal.   One thread per pixel and layer.
extern "C" __global__ void grid_potentials_first(const float* __restrict__ rest, const float* __restrict__ inverse,
                                                 const double* __restrict__ state, float* __restrict__ guess,
                                                 const float weight, const int height, const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const int i = at(y, x, width);
  const long long layer = layer_of(blockIdx.z, height, width);
  guess[layer + i] = weight * (rest[layer + i] * inverse[i]);
}

// better = guess + weight * (rest - A guess) / diagonal; with weight 0 the remainder.   One thread per pixel and layer.
// slanted: 0 on the finest level, whose pixels have four neighbours.
extern "C" __global__ void grid_potentials_smooth(const float* __restrict__ right, const float* __restrict__ down,
                                                  const float* __restrict__ right_down,
                                                  const float* __restrict__ left_down,
                                                  const float* __restrict__ ground, const float* __restrict__ inverse,
                                                  const float* __restrict__ rest, const double* __restrict__ state,
                                                  const float* __restrict__ guess, float* __restrict__ better,
                                                  const float weight, const int slanted, const int height,
                                                  const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const int i = at(y, x, width), up = width + 2;
  const long long layer = layer_of(blockIdx.z, height, width);
  const float* own = guess + layer;
  const float value = own[i];
  float flow = (right[i] * (value - own[i + 1]) + right[i - 1] * (value - own[i - 1])) +
               (down[i] * (value - own[i + up]) + down[i - up] * (value - own[i - up]));
  if (slanted)
    flow += (right_down[i] * (value - own[i + up + 1]) + right_down[i - up - 1] * (value - own[i - up - 1])) +
            (left_down[i] * (value - own[i + up - 1]) + left_down[i - up + 1] * (value - own[i - up + 1]));
  const float fault = rest[layer + i] - (flow + ground[i] * value);
  better[layer + i] = weight == 0.0f ? fault : value + weight * (inverse[i] * fault);
}

// coarse = P' fine: what each kept pixel gets of its neighbours.   One thread per coarse pixel and layer.
extern "C" __global__ void grid_potentials_gather(const float* __restrict__ shares, const float* __restrict__ fine,
                                                  const double* __restrict__ state, float* __restrict__ coarse,
                                                  const int fine_height, const int fine_width, const int height,
                                                  const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const float* own = fine + layer_of(blockIdx.z, fine_height, fine_width);
  const int i = at(2 * y, 2 * x, fine_width), up = fine_width + 2;
  const float sides = (shares[4 * (i - 1) + 1] * own[i - 1] + shares[4 * (i + 1)] * own[i + 1]) +
                      (shares[4 * (i - up) + 1] * own[i - up] + shares[4 * (i + up)] * own[i + up]);
  const float corners =
      (shares[4 * (i - up - 1) + 3] * own[i - up - 1] + shares[4 * (i - up + 1) + 2] * own[i - up + 1]) +
      (shares[4 * (i + up - 1) + 1] * own[i + up - 1] + shares[4 * (i + up + 1)] * own[i + up + 1]);
  coarse[layer_of(blockIdx.z, height, width) + at(y, x, width)] = own[i] + (sides + corners);
}

// guess += P coarse.   One thread per fine pixel and layer.
extern "C" __global__ void grid_potentials_spread(const float* __restrict__ shares, const float* __restrict__ coarse,
                                                  const double* __restrict__ state, float* __restrict__ guess,
                                                  const int coarse_height, const int coarse_width, const int height,
                                                  const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const int i = at(y, x, width), down = coarse_width + 2;
  const float* share = shares + 4 * (long long)i;
  const float* kept = coarse + layer_of(blockIdx.z, coarse_height, coarse_width) + at(y / 2, x / 2, coarse_width);
  float value;
  if (!(y & 1) && !(x & 1))
    value = kept[0];
  else if (!(y & 1))
    value = share[0] * kept[0] + share[1] * kept[1];
  else if (!(x & 1))
    value = share[0] * kept[0] + share[1] * kept[down];
  else
    value = (share[0] * kept[0] + share[1] * kept[1]) + (share[2] * kept[down] + share[3] * kept[down + 1]);
  guess[layer_of(blockIdx.z, height, width) + i] += value;
}

// The remainder at the start: the sources, where there is a conductor.   One thread per pixel and layer.
extern "C" __global__ void grid_potentials_start(const float* __restrict__ sources, const float* __restrict__ inverse,
                                                 double* __restrict__ rest, float* __restrict__ rough, const int height,
                                                 const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width)) return;
  const int i = at(y, x, width);
  const long long layer = layer_of(blockIdx.z, height, width);
  const float value = inverse[i] > 0.0f ? sources[((long long)blockIdx.z * height + y) * width + x] : 0.0f;
  rest[layer + i] = value;
  rough[layer + i] = value;
}

// Sum over the threads of a block, in a fixed order; thread 0 stores it.
__device__ __forceinline__ void store_sum(const double value, double* __restrict__ result) {
  __shared__ double parts[ROW_THREADS];
  parts[threadIdx.x] = value;
  __syncthreads();
  for (int half = ROW_THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *result = parts[0];
}

// sums(y) = rest . step.   One block per row and layer.
extern "C" __global__ void grid_potentials_product(const double* __restrict__ rest, const float* __restrict__ step,
                                                   const double* __restrict__ state, double* __restrict__ sums,
                                                   const int height, const int width) {
  const int y = blockIdx.x, k = blockIdx.y;
  if (state[8 * k + DONE] != 0.0) return;
  const long long first = layer_of(k, height, width) + at(y, 0, width);
  double total = 0.0;
  for (int x = threadIdx.x; x < width; x += ROW_THREADS) total += rest[first + x] * (double)step[first + x];
  store_sum(total, &sums[k * height + y]);
}

// direction = step + towards * direction.   One thread per pixel and layer.
extern "C" __global__ void grid_potentials_direction(const float* __restrict__ step, const double* __restrict__ state,
                                                     double* __restrict__ direction, const int height,
                                                     const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const long long i = layer_of(blockIdx.z, height, width) + at(y, x, width);
  direction[i] = (double)step[i] + state[8 * blockIdx.z + TOWARDS] * direction[i];
}

// image = A direction;   sums(y) = direction . image.   One block per row and layer.
extern "C" __global__ void grid_potentials(const float* __restrict__ right, const float* __restrict__ down,
                                           const float* __restrict__ ground, const double* __restrict__ direction,
                                           const double* __restrict__ state, double* __restrict__ image,
                                           double* __restrict__ sums, const int height, const int width) {
  const int y = blockIdx.x, k = blockIdx.y, up = width + 2;
  if (state[8 * k + DONE] != 0.0) return;
  const long long layer = layer_of(k, height, width);
  const double* own = direction + layer;
  double total = 0.0;
  for (int x = threadIdx.x; x < width; x += ROW_THREADS) {
    const int i = at(y, x, width);
    const double value = own[i];
    double flow = (right[i] * (value - own[i + 1]) + right[i - 1] * (value - own[i - 1])) +
                  (down[i] * (value - own[i + up]) + down[i - up] * (value - own[i - up]));
    flow += ground[i] * value;
    image[layer + i] = flow;
    total += value * flow;
  }
  store_sum(total, &sums[k * height + y]);
}

// potential += length * direction;   rest -= length * image.   One thread per pixel and layer.
extern "C" __global__ void grid_potentials_advance(const double* __restrict__ direction,
                                                   const double* __restrict__ image, const double* __restrict__ state,
                                                   double* __restrict__ potential, double* __restrict__ rest,
                                                   float* __restrict__ rough, const int height, const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width) || state[8 * blockIdx.z + DONE] != 0.0) return;
  const double length = state[8 * blockIdx.z + LENGTH];
  const long long i = layer_of(blockIdx.z, height, width) + at(y, x, width);
  potential[i] += length * direction[i];
  const double value = rest[i] - length * image[i];
  rest[i] = value;
  rough[i] = (float)value;
}

// Adds up the rows, and works out the next number of the method: phase 0 the turn, or the end, phase 1 the length.
// One block per layer.
extern "C" __global__ void grid_potentials_state(const double* __restrict__ sums, double* state, const int phase,
                                                 const int height, const double tolerance) {
  __shared__ double total;
  double* own = state + 8 * blockIdx.x;
  if (own[DONE] != 0.0) return;  // for all threads of the block
  double part = 0.0;
  for (int y = threadIdx.x; y < height; y += ROW_THREADS) part += sums[blockIdx.x * height + y];
  __syncthreads();  // all have seen that there is something to do
  store_sum(part, &total);
  if (threadIdx.x != 0) return;
  if (phase == 1) {
    own[LENGTH] = own[PRODUCT] / total;
    return;
  }
  const bool is_first = own[STARTED] == 0.0;
  if (is_first) own[ENOUGH] = tolerance * tolerance * total;
  own[STARTED] = 1.0;
  if (total <= own[ENOUGH]) own[DONE] = 1.0;
  own[TOWARDS] = is_first ? 0.0 : total / own[PRODUCT];
  own[PRODUCT] = total;
}

// What the caller gets.   One thread per pixel and layer.
extern "C" __global__ void grid_potentials_end(const double* __restrict__ potential, float* __restrict__ potentials,
                                               const int height, const int width) {
  int y, x;
  if (!pixel_of(y, x, height, width)) return;
  potentials[((long long)blockIdx.z * height + y) * width + x] =
      (float)potential[layer_of(blockIdx.z, height, width) + at(y, x, width)];
}
