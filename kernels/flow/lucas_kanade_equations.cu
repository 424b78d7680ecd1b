// Normal equations of Ix u + Iy v + It = 0, weighted by 1 / sqrt(1 + (residual / robust)^2).
// constraint: (3, count) float32: Ix, Iy, It.   flow_uv: (2, count), pixels: where the residual is taken.
// equations: (5, count): xx, xy, yy and the right sides -x It, -y It.   One thread per pixel.
extern "C" __global__ void lucas_kanade_equations(const float* __restrict__ constraint,
                                                  const float* __restrict__ flow_uv, float* __restrict__ equations,
                                                  const int count, const float inverse_robust2) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float ix = constraint[i], iy = constraint[count + i], it = constraint[2 * count + i];
  const float residual = fmaf(iy, flow_uv[count + i], fmaf(ix, flow_uv[i], it));
  const float weight = 1.0f / sqrtf(fmaf(residual * residual, inverse_robust2, 1.0f));
  const float along_x = weight * ix, along_y = weight * iy;
  equations[i] = along_x * ix;
  equations[count + i] = along_x * iy;
  equations[2 * count + i] = along_y * iy;
  equations[3 * count + i] = -along_x * it;
  equations[4 * count + i] = -along_y * it;
}
