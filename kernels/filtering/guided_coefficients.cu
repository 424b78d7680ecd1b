// a = covariance(guide, values) / (variance(guide) + epsilon), b = mean(values) - a mean(guide).
// He et al. 2010, eqs. 5 and 6.
// means: (4, count) float32, window means of guide, values, guide squared, guide times values.
// coefficients: (2, count) float32, a then b.   One thread per pixel.
extern "C" __global__ void guided_coefficients(const float* __restrict__ means, float* __restrict__ coefficients,
                                               const float epsilon, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float guide = means[i], values = means[count + i];
  // Rounding can leave a variance just below zero.
  const float variance = fmaxf(means[2 * count + i] - guide * guide, 0.0f);
  const float slope = (means[3 * count + i] - guide * values) / (variance + epsilon);
  coefficients[i] = slope;
  coefficients[count + i] = values - slope * guide;
}
