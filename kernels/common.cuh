// Shared by all kernels: pasted in by kernels/cuda.py wherever a .cu says #include "common.cuh".
// Value in [low, high].
__device__ __forceinline__ int clamp_int(const int value, const int low, const int high) {
  return min(max(value, low), high);
}

__device__ __forceinline__ float clamp_float(const float value, const float low, const float high) {
  return fminf(fmaxf(value, low), high);
}
