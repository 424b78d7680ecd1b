// What the variational refinement looks at: image0, and image1 read where the flow points, in grey levels (0 .. 255).
//   images 0: mean = (image0 + warped1) / 2        images 1: change = warped1 - image0
// image0: (height, width) float32 in [0, 1].   padded1: image1 with MARGIN repeated pixels all around.
// flow_uv: (2, height, width), pixels.   images: (2, height + 4, width + 4), two repeated pixels all around.
// One thread per pixel of the result.
#include "common.cuh"

extern "C" __global__ void variational_images(const float* __restrict__ image0, const float* __restrict__ padded1,
                                              const float* __restrict__ flow_uv, float* __restrict__ images,
                                              const int height, const int width) {
  const int to_x = blockIdx.x * blockDim.x + threadIdx.x;
  const int to_y = blockIdx.y * blockDim.y + threadIdx.y;
  if (to_x >= width + 4 || to_y >= height + 4) return;
  const int x = clamp_int(to_x - 2, 0, width - 1), y = clamp_int(to_y - 2, 0, height - 1), i = y * width + x;
  const float at_x = clamp_float(x + flow_uv[i], 0.0f, width - 1.0f);
  const float at_y = clamp_float(y + flow_uv[height * width + i], 0.0f, height - 1.0f);
  const int x0 = (int)at_x, y0 = (int)at_y, pitch = width + 2 * MARGIN;
  const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  const float* pixel = padded1 + (y0 + MARGIN) * pitch + x0 + MARGIN;
  const float top = fmaf(fx, pixel[1], rx * pixel[0]), bottom = fmaf(fx, pixel[pitch + 1], rx * pixel[pitch]);
  const float there = 255.0f * fmaf(fy, bottom, ry * top), here = 255.0f * image0[i];
  const int to = to_y * (width + 4) + to_x;
  images[to] = (here + there) * 0.5f;
  images[(height + 4) * (width + 4) + to] = there - here;
}
