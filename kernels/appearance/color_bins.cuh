// Bin of a L*a*b* colour: 16 x 16 x 16 bins, L over [0, 100], a and b over [-64, 64); what lies outside joins the edge.
__device__ __forceinline__ int color_bin(const float* __restrict__ lab) {
  const int lightness = (int)fminf(fmaxf(lab[0] * 0.16f, 0.0f), 15.0f);
  const int a = (int)fminf(fmaxf((lab[1] + 64.0f) * 0.125f, 0.0f), 15.0f);
  const int b = (int)fminf(fmaxf((lab[2] + 64.0f) * 0.125f, 0.0f), 15.0f);
  return (lightness * 16 + a) * 16 + b;
}
