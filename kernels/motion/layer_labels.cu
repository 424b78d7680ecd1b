// chosen(y, x) = the motion layer with the least cost: motion + colour + carried labels + disagreeing neighbours.
// One thread per pixel. A round reads `labels` and writes `chosen`, so that the order of threads does not matter.
// labels: (height, width) int32, 0 background, -1 undecided.   before: labels of the frame before; carried: the same,
// moved along the flow.   backward_xy, forward_xy: (height, width, 2) float32, pixels.   image: (height, width, 3) uint8.
// models: (layers, 13) float32, row 0 unused: six terms of the backward and six of the forward motion, then 1 / (2
// noise^2).   boxes_xyxy: (layers, 4) int32, half-open.   color_costs: (layers, 512) float32, by the top 3 bits of R, G, B.
// everywhere: not 0: all layers whose box holds the pixel are tried; 0: the labels around it and its own.
extern "C" __global__ void layer_labels(
    const int* __restrict__ labels, const int* __restrict__ before, const int* __restrict__ carried,
    const float* __restrict__ backward_xy, const float* __restrict__ forward_xy,
    const unsigned char* __restrict__ image, const float* __restrict__ models, const int* __restrict__ boxes_xyxy,
    const float* __restrict__ color_costs, int* __restrict__ chosen, const float smoothness, const int everywhere,
    const int layers, const int height, const int width) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x;
  const int own = labels[i];
  if (own == 0) {
    chosen[i] = 0;
    return;
  }
  const int top = max(y - 1, 0), bottom = min(y + 2, height), left = max(x - 1, 0), right = min(x + 2, width);
  bool mixed = own < 0 || everywhere != 0;
  for (int other_y = top; other_y < bottom; ++other_y)
    for (int other_x = left; other_x < right; ++other_x) {
      const int label = labels[other_y * width + other_x];
      mixed = mixed || (label > 0 && label != own);
    }
  if (!mixed) {
    chosen[i] = own;
    return;
  }
  const int red = image[3 * i], green = image[3 * i + 1], blue = image[3 * i + 2];
  int neighbour[8];
  float weight[8];
  int count = 0;
  float total = 0.0f;
  for (int other_y = top; other_y < bottom; ++other_y)
    for (int other_x = left; other_x < right; ++other_x) {
      const int j = other_y * width + other_x;
      const int label = labels[j];
      if (label <= 0 || j == i) continue;
      const int r = image[3 * j] - red, g = image[3 * j + 1] - green, b = image[3 * j + 2] - blue;
      float near = smoothness / (1.0f + (float)(r * r + g * g + b * b) * (float)(1.0 / 300));
      if (other_y != y && other_x != x) near *= 0.7071f;
      neighbour[count] = label;
      weight[count] = near;
      ++count;
      total += near;
    }
  const int color = ((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5);
  const float px = (float)x, py = (float)y;
  int best = own;
  float least = 1e30f;
  for (int k = 1; k < layers; ++k) {
    float agreeing = 0.0f;
    bool near_by = k == own;
    for (int n = 0; n < count; ++n)
      if (neighbour[n] == k) {
        agreeing += weight[n];
        near_by = true;
      }
    const int* box = boxes_xyxy + 4 * k;
    const bool inside = box[0] <= x && x < box[2] && box[1] <= y && y < box[3];
    if (everywhere != 0 ? !inside : !near_by) continue;
    const float* model = models + 13 * k;
    const float u = model[0] + model[1] * px + model[2] * py;
    const float v = model[3] + model[4] * px + model[5] * py;
    const float back_u = backward_xy[2 * i] - u, back_v = backward_xy[2 * i + 1] - v;
    const float fore_u = forward_xy[2 * i] - (model[6] + model[7] * px + model[8] * py);
    const float fore_v = forward_xy[2 * i + 1] - (model[9] + model[10] * px + model[11] * py);
    const float back = back_u * back_u + back_v * back_v, fore = fore_u * fore_u + fore_v * fore_v;
    // Written as comparisons: NaN then counts as on the CPU.
    const float square = fore < back ? fore : back;
    const float motion = square * model[12];
    float cost = (3.0f < motion ? 3.0f : motion) + color_costs[512 * k + color] + total - agreeing;
    if (carried[i] != k) cost += 1.0f;
    const float source_x = floorf(px + u + 0.5f), source_y = floorf(py + v + 0.5f);
    const bool kept = source_x >= 0.0f && source_x < (float)width && source_y >= 0.0f && source_y < (float)height &&
                      before[(int)source_y * width + (int)source_x] == k;
    if (!kept) cost += 1.0f;
    if (cost < least) {
      least = cost;
      best = k;
    }
  }
  chosen[i] = best;
}
