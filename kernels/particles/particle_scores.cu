// scores(n, p) = sum over bins of sqrt(share of the bin in band p of box n) * root_target(p, bin), the Bhattacharyya
// coefficient; then the mean foreground share inside box n and in the ring around it, and how far its points are from
// the colours that they are known to have.   One block per particle.
// image: (height, width, 3) uint8.   boxes: (count, 4) float32, centre x, y and half sides in pixels, pixel 0 is [0, 1).
// points: (points, 2) float32, in half sides from the centre.   bands: (points) int32, number of parts for the ring.
// weights: (points) int32.   colors: (32768, 2) uint8, bin and foreground share of a colour, its top 5 bits of R, G, B.
// root_target: (parts, bins) float32.   known: (points, 4) uint8, R, G, B and a weight.
// scales: (parts + 3) float32, what makes means of sums.   scores: (count, parts + 3) float32.
// What lies outside the picture has no bin and no foreground: a box that leaves the picture loses score.
#define MOST_DIFFERENCE 160  // of a point, summed over R, G, B: an outlier says no more than "another colour"

extern "C" __global__ void particle_scores(const unsigned char* __restrict__ image, const float* __restrict__ boxes,
                                           const float* __restrict__ points, const int* __restrict__ bands,
                                           const int* __restrict__ weights, const unsigned char* __restrict__ colors,
                                           const float* __restrict__ root_target, const unsigned char* __restrict__ known,
                                           const float* __restrict__ scales, float* __restrict__ scores,
                                           const int height, const int width, const int point_count, const int parts,
                                           const int bins) {
  extern __shared__ int sums[];  // (parts, bins) weights of the colours seen, then foreground inside, in the ring, differences
  const int cells = parts * bins;
  const int n = blockIdx.x;
  for (int i = threadIdx.x; i < cells + 3; i += blockDim.x) sums[i] = 0;
  __syncthreads();

  const float center_x = boxes[4 * n], center_y = boxes[4 * n + 1];
  const float half_width = boxes[4 * n + 2], half_height = boxes[4 * n + 3];
  for (int i = threadIdx.x; i < point_count; i += blockDim.x) {
    const float x = center_x + points[2 * i] * half_width, y = center_y + points[2 * i + 1] * half_height;
    if (!(x >= 0.0f && y >= 0.0f && x < (float)width && y < (float)height)) {  // also for NaN
      atomicAdd(&sums[cells + 2], MOST_DIFFERENCE * known[4 * i + 3]);
      continue;
    }
    const unsigned char* pixel = image + 3 * ((int)y * width + (int)x);
    const int color = ((pixel[0] >> 3) << 10) | ((pixel[1] >> 3) << 5) | (pixel[2] >> 3);
    const int band = bands[i], weight = weights[i];
    if (band < parts) atomicAdd(&sums[band * bins + colors[2 * color]], weight);
    atomicAdd(&sums[cells + (band < parts ? 0 : 1)], weight * colors[2 * color + 1]);
    const int difference = abs(pixel[0] - known[4 * i]) + abs(pixel[1] - known[4 * i + 1]) + abs(pixel[2] - known[4 * i + 2]);
    atomicAdd(&sums[cells + 2], min(difference, MOST_DIFFERENCE) * known[4 * i + 3]);
  }
  __syncthreads();

  // In the order of the bins, as on the CPU: the same bits.
  for (int part = threadIdx.x; part < parts; part += blockDim.x) {
    float sum = 0.0f;
    for (int bin = 0; bin < bins; ++bin) {
      sum = sum + sqrtf((float)sums[part * bins + bin]) * root_target[part * bins + bin];
    }
    scores[n * (parts + 3) + part] = sum * scales[part];
  }
  if (threadIdx.x < 3) {
    scores[n * (parts + 3) + parts + threadIdx.x] = (float)sums[cells + threadIdx.x] * scales[parts + threadIdx.x];
  }
}
