// Ix, Iy, It with Ix u + Iy v + It = 0 where the brightness stays, each divided by sqrt(floor^2 + Ix^2 + Iy^2).
// images: (2, height + 4, width + 4) float32, grey levels: mean and change of variational_images.
// flow_uv: (2, height, width), pixels, where image1 was read.   constraint: (3, height, width): Ix, Iy, It; all 0 where
// the flow leaves image1.   One thread per pixel.
extern "C" __global__ void brightness_constraint(const float* __restrict__ images, const float* __restrict__ flow_uv,
                                                 float* __restrict__ constraint, const int height, const int width,
                                                 const float floor2) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int plane = height * width, i = y * width + x, pitch = width + 4;
  const float* mean = images + (y + 2) * pitch + x + 2;
  const float u = flow_uv[i], v = flow_uv[plane + i], to_x = x + u, to_y = y + v;
  const bool seen = to_x >= 0.0f && to_x <= width - 1.0f && to_y >= 0.0f && to_y <= height - 1.0f;
  const float ix = (1.0f / 12.0f) * (8.0f * (mean[1] - mean[-1]) - (mean[2] - mean[-2]));
  const float iy = (1.0f / 12.0f) * (8.0f * (mean[pitch] - mean[-pitch]) - (mean[2 * pitch] - mean[-2 * pitch]));
  const float change = mean[(height + 4) * pitch];
  const float scale = (seen ? 1.0f : 0.0f) / sqrtf(fmaf(iy, iy, fmaf(ix, ix, floor2)));
  constraint[i] = scale * ix;
  constraint[plane + i] = scale * iy;
  constraint[2 * plane + i] = scale * fmaf(-iy, v, fmaf(-ix, u, change));
}
