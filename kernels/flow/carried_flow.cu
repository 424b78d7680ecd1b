// What the flow between two frames says of the next pair: see carried_flow.py.
// forward_xy: from the frame before to the current one, backward_xy: back, (height, width, 2) float32, pixels.
// onward, back: (rows, columns, 2) float32, pixels: the flow expected from the current frame to the next one, and from
// the next one to the current; NaN where nothing is known.
// One thread per cell of CELL x CELL pixels.
#include "common.cuh"

__device__ bool leads_home(const float* __restrict__ backward_xy, const float* __restrict__ forward_xy, const int x,
                           const int y, const int height, const int width) {
  const float u = backward_xy[2 * (y * width + x)], v = backward_xy[2 * (y * width + x) + 1];
  const float to_x = x + u, to_y = y + v, last_x = width - 1.0f, last_y = height - 1.0f;
  if (!(to_x >= -0.5f && to_x <= last_x + 0.5f && to_y >= -0.5f && to_y <= last_y + 0.5f)) return false;
  const float at_x = clamp_float(to_x, 0.0f, last_x), at_y = clamp_float(to_y, 0.0f, last_y);
  const int x0 = (int)at_x, x1 = min(x0 + 1, width - 1);
  const int y0 = (int)at_y, y1 = min(y0 + 1, height - 1);
  const float fx = at_x - x0, fy = at_y - y0, rx = 1.0f - fx, ry = 1.0f - fy;
  float home[2];
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const float* top = forward_xy + 2 * y0 * width + c;
    const float* bottom = forward_xy + 2 * y1 * width + c;
    home[c] = fmaf(fy, fmaf(fx, bottom[2 * x1], rx * bottom[2 * x0]), ry * fmaf(fx, top[2 * x1], rx * top[2 * x0]));
  }
  const float du = u + home[0], dv = v + home[1];
  const float sizes = fmaf(home[1], home[1], fmaf(home[0], home[0], fmaf(v, v, u * u)));
  return fmaf(dv, dv, du * du) < fmaf(0.01f, sizes, 0.5f);
}

extern "C" __global__ void carried_flow(const float* __restrict__ forward_xy, const float* __restrict__ backward_xy,
                                        float* __restrict__ onward, float* __restrict__ back, const int height,
                                        const int width, const int rows, const int columns) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (column >= columns || row >= rows) return;
  const int i = 2 * (row * columns + column);
  const int x = min(column * CELL + CELL / 2, width - 1), y = min(row * CELL + CELL / 2, height - 1);
  const float none = nanf("");
  const float u = backward_xy[2 * (y * width + x)], v = backward_xy[2 * (y * width + x) + 1];
  bool known = leads_home(backward_xy, forward_xy, x, y, height, width);
  onward[i] = known ? -u : none;
  onward[i + 1] = known ? -v : none;
  const int from_x = (int)(clamp_float(x + u, 0.0f, width - 1.0f) + 0.5f);
  const int from_y = (int)(clamp_float(y + v, 0.0f, height - 1.0f) + 0.5f);
  known = leads_home(backward_xy, forward_xy, from_x, from_y, height, width);
  const float* from_xy = backward_xy + 2 * (from_y * width + from_x);
  back[i] = known ? from_xy[0] : none;
  back[i + 1] = known ? from_xy[1] : none;
}
