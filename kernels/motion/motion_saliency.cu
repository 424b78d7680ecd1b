// saliency(y, x) = min over the two neighbouring frames k of |flow_k - camera_k| / noise_k.   One thread per pixel.
// forward_xy, backward_xy: (height, width, 2) float32, pixels, from this frame to the next and to the one before.
// cameras: (2, 3, 3) float32, where the camera alone would move a pixel, row-major.   noise_px: (2) float32.
// saliency: (height, width) float32.   The smaller of the two suppresses what is merely uncovered in one of them.

__device__ float motion_saliency_residual(const float u, const float v, const float* __restrict__ camera, const int x,
                                          const int y) {
  const float depth = camera[6] * x + camera[7] * y + camera[8];
  const float du = u - ((camera[0] * x + camera[1] * y + camera[2]) / depth - x);
  const float dv = v - ((camera[3] * x + camera[4] * y + camera[5]) / depth - y);
  return sqrtf(du * du + dv * dv);
}

extern "C" __global__ void motion_saliency(const float* __restrict__ forward_xy, const float* __restrict__ backward_xy,
                                           const float* __restrict__ cameras, const float* __restrict__ noise_px,
                                           float* __restrict__ saliency, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;

  const float ahead = motion_saliency_residual(forward_xy[2 * i], forward_xy[2 * i + 1], cameras, x, y) / noise_px[0];
  const float back =
      motion_saliency_residual(backward_xy[2 * i], backward_xy[2 * i + 1], cameras + 9, x, y) / noise_px[1];
  saliency[i] = fminf(ahead, back);
}
