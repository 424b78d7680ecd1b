// 1 / sqrt(x) for x > 0 within 5e-6 of its value: an estimate from the bits, then two Newton steps. The same bits as
// inverse_root of lanes.py, on every GPU and CPU, and a fraction of the time of a root and a division.
__device__ __forceinline__ float inverse_root(const float x) {
  const float half = 0.5f * x;
  float y = __int_as_float(0x5f3759df - (__float_as_int(x) >> 1));
  y = y * fmaf(-(half * y), y, 1.5f);
  return y * fmaf(-(half * y), y, 1.5f);
}
