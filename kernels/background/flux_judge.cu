// foreground = energy^2 / (energy^2 + limit), mask = 1 from 1/2 on; plate += rate (image - plate) where mask is 0.
// One thread per pixel.
// image, background: (count, 3) uint8.   plate: (count, 3) float32.   energy, foreground: (count) float32.
// mask: (count) uint8, 0 or 1.
extern "C" __global__ void flux_judge(const unsigned char* __restrict__ image, const float* __restrict__ energy,
                                      float* __restrict__ plate, const float limit, const float rate,
                                      float* __restrict__ foreground, unsigned char* __restrict__ mask,
                                      unsigned char* __restrict__ background, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float squares = energy[i] * energy[i];
  foreground[i] = squares / (squares + limit);
  mask[i] = squares >= limit;
  const float step = squares >= limit ? 0.0f : rate;
  for (int channel = 0; channel < 3; channel++) {
    const int k = 3 * i + channel;
    const float value = plate[k] + step * ((float)image[k] - plate[k]);
    plate[k] = value;
    background[k] = (unsigned char)(int)(value + 0.5f);
  }
}
