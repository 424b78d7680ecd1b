// Derivatives Ix, Iy, It, with Ix u + Iy v + It = 0 where image1 fits image0, and 1 / (smoothness^2 + Ix^2 + Iy^2).
// images: (2, height + 4, width + 4) float32, grey levels: mean and change of variational_images.
// flow_uv: (2, height, width), pixels, where image1 was read.   system: (4, height, width): Ix, Iy, It, the inverse.
// All of Ix, Iy, It are 0 where the flow leaves image1.   One thread per pixel.
extern "C" __global__ void horn_schunck_system(const float* __restrict__ images, const float* __restrict__ flow_uv,
                                               float* __restrict__ system, const int height, const int width,
                                               const float smoothness2) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x, pitch = width + 4;
  const float* mean = images + (y + 2) * pitch + x + 2;
  const float u = flow_uv[i], v = flow_uv[plane + i], to_x = x + u, to_y = y + v;
  const float seen = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f ? 1.0f : 0.0f;
  const float ix = seen * (1.0f / 12.0f) * (8.0f * (mean[1] - mean[-1]) - (mean[2] - mean[-2]));
  const float iy = seen * (1.0f / 12.0f) * (8.0f * (mean[pitch] - mean[-pitch]) - (mean[2 * pitch] - mean[-2 * pitch]));
  const float change = mean[(height + 4) * pitch];
  system[i] = ix;
  system[plane + i] = iy;
  system[2 * plane + i] = fmaf(-iy, v, fmaf(-ix, u, seen * change));
  system[3 * plane + i] = 1.0f / fmaf(iy, iy, fmaf(ix, ix, smoothness2));
}
