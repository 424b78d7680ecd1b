// planes = guide, values, guide * guide, guide * values.   One thread per pixel.
// values, guide: (count) float32.   planes: (4, count) float32.   He, Sun and Tang 2010.
extern "C" __global__ void guided_products(const float* __restrict__ values, const float* __restrict__ guide,
                                           float* __restrict__ planes, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float g = guide[i], p = values[i];
  planes[i] = g;
  planes[count + i] = p;
  planes[2 * count + i] = g * g;
  planes[3 * count + i] = g * p;
}
