// What speaks for motion at a pixel, between the picture now and one before. One thread per pixel.
//
// errors[0] = |now(x) - before(camera(x))|: if it stands still.   errors[1] = |now(x) - before(x + flow)|: if it moves.
// away_xy = x + flow - camera(x): its motion against the camera.
// round_trip = |flow(x) + return(x + flow)|: large where x was hidden before, and where the flow is wrong.
// Pictures are read bilinearly, clamped at the edges.
//
// now, before, round_trip: (height, width) float32.   flow_xy (now to before), return_xy (before to now), away_xy:
// (height, width, 2) float32, pixels.   camera: (3, 3) float32, row-major.   errors: (2, height, width) float32.

extern "C" __global__ void motion_errors(const float* __restrict__ now, const float* __restrict__ before,
                                         const float* __restrict__ flow_xy, const float* __restrict__ return_xy,
                                         const float* __restrict__ camera, float* __restrict__ errors,
                                         float* __restrict__ away_xy, float* __restrict__ round_trip, const int height,
                                         const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const float depth = camera[6] * x + camera[7] * y + camera[8];
  const float still_x = (camera[0] * x + camera[1] * y + camera[2]) / depth;
  const float still_y = (camera[3] * x + camera[4] * y + camera[5]) / depth;
  const float to_x = x + flow_xy[2 * i], to_y = y + flow_xy[2 * i + 1];

  for (int which = 0; which < 2; which++) {
    const float source_x = fminf(fmaxf(0.0f, which ? to_x : still_x), (float)(width - 1));
    const float source_y = fminf(fmaxf(0.0f, which ? to_y : still_y), (float)(height - 1));
    const int x0 = (int)source_x, y0 = (int)source_y;
    const int x1 = min(x0 + 1, width - 1), y1 = min(y0 + 1, height - 1);
    const float fx = source_x - (float)x0, fy = source_y - (float)y0;
    const float top = before[y0 * width + x0] * (1.0f - fx) + before[y0 * width + x1] * fx;
    const float bottom = before[y1 * width + x0] * (1.0f - fx) + before[y1 * width + x1] * fx;
    errors[which * height * width + i] = fabsf(now[i] - (top * (1.0f - fy) + bottom * fy));
    if (which == 0) continue;
    float back[2];
    for (int c = 0; c < 2; c++) {
      const float high = return_xy[2 * (y0 * width + x0) + c] * (1.0f - fx) + return_xy[2 * (y0 * width + x1) + c] * fx;
      const float low = return_xy[2 * (y1 * width + x0) + c] * (1.0f - fx) + return_xy[2 * (y1 * width + x1) + c] * fx;
      back[c] = flow_xy[2 * i + c] + (high * (1.0f - fy) + low * fy);
    }
    round_trip[i] = sqrtf(back[0] * back[0] + back[1] * back[1]);
  }
  away_xy[2 * i] = to_x - still_x;
  away_xy[2 * i + 1] = to_y - still_y;
}
