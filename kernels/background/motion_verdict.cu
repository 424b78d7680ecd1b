// Evidence that a pixel moves against the camera, over one time. One thread per pixel.
//
// squares[0], squares[1]: mean squared errors around the pixel, in sigmas, if it stands still and if it moves.
// evidence = min((squares[0] - squares[1]) / (squares[1] + 1) * per_error, |away| * per_pixel), taken down where the
// flow does not come back to where it started (round_trip against slack), and where the way over the next shorter time
// is not along this one: shorter . away / |away| must reach along_share * |away| - along_slack.
// most[0] = the largest evidence over the times so far; most[1], most[2]: its direction (that of `away`), as long as the
// evidence but at most 1.
//
// squares: (2, height, width), round_trip: (height, width), away_xy, shorter_xy: (height, width, 2) float32, pixels.
// most: (3, height, width) float32.   count: height * width.

extern "C" __global__ void motion_verdict(const float* __restrict__ squares, const float* __restrict__ away_xy,
                                          const float* __restrict__ round_trip, const float* __restrict__ shorter_xy, float* __restrict__ most,
                                          const float per_error, const float per_pixel, const float slack,
                                          const float along_share, const float along_slack, const float along_scale,
                                          const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float dx = away_xy[2 * i], dy = away_xy[2 * i + 1];
  const float away = sqrtf(dx * dx + dy * dy);
  const float still = squares[i], moving = squares[count + i];
  float evidence = fminf((still - moving) / (moving + 1.0f) * per_error, away * per_pixel);
  const float back = 2.0f - round_trip[i] / (away * 0.15f + slack);
  evidence *= fminf(fmaxf(back, 0.0f), 1.0f);
  const float along = (shorter_xy[2 * i] * dx + shorter_xy[2 * i + 1] * dy) / fmaxf(away, 0.01f);
  const float same = (along - (away * along_share - along_slack)) * along_scale;
  evidence *= fminf(fmaxf(same, 0.0f), 1.0f);
  if (!(evidence > most[i])) return;
  const float length = fminf(evidence, 1.0f) / fmaxf(away, 0.01f);
  most[i] = evidence;
  most[count + i] = dx * length;
  most[2 * count + i] = dy * length;
}
