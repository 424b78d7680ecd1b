// The words of CUDA C++ that kernels use, for a CPU compiler. What is missing here is missing on purpose: add it when
// a kernel needs it, with a test in tests/kernels/test_emulator.py.
#pragma once
#include "runtime.h"

// NVRTC has no standard headers: what only they define is unknown here too.
#undef INFINITY
#undef NAN
#undef HUGE_VAL
#undef HUGE_VALF
#undef M_PI

#define __global__ __attribute__((unused))
#define __device__ __attribute__((unused))
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// "used": fibers change these variables behind the compiler's back.
#define __shared__ static __attribute__((section("cvseg_shared"), used))

// ---- barriers and warp intrinsics; the line tells two barriers apart ----
#define __syncthreads() ((void)emulator::meet_block(emulator::BARRIER, 0, __LINE__))
#define __syncthreads_count(predicate) emulator::meet_block(emulator::BARRIER_COUNT, (predicate) != 0, __LINE__)
#define __syncthreads_and(predicate) emulator::meet_block(emulator::BARRIER_AND, (predicate) != 0, __LINE__)
#define __syncthreads_or(predicate) emulator::meet_block(emulator::BARRIER_OR, (predicate) != 0, __LINE__)
#define __syncwarp cvseg_syncwarp{__LINE__}  // an object, because the mask may be left out
#define __ballot_sync(mask, predicate) \
  ((unsigned int)emulator::meet_warp(emulator::BALLOT, mask, (predicate) != 0, 0, __LINE__))
#define __any_sync(mask, predicate) ((int)emulator::meet_warp(emulator::ANY, mask, (predicate) != 0, 0, __LINE__))
#define __all_sync(mask, predicate) ((int)emulator::meet_warp(emulator::ALL, mask, (predicate) != 0, 0, __LINE__))
#define __match_any_sync(mask, value) cvseg_match(mask, value, __LINE__)
#define __shfl_sync(mask, ...) cvseg_shuffle(__LINE__, mask, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) cvseg_shuffle_up(__LINE__, mask, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) cvseg_shuffle_down(__LINE__, mask, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) cvseg_shuffle_xor(__LINE__, mask, __VA_ARGS__)

struct cvseg_syncwarp {
  int line;
  void operator()(unsigned int mask = 0xffffffffu) const { emulator::meet_warp(emulator::SYNC_WARP, mask, 0, 0, line); }
};

template <class T>
static inline unsigned int cvseg_match(unsigned int mask, T value, int line) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  return (unsigned int)emulator::meet_warp(emulator::MATCH, mask, bits, 0, line);
}

template <class T>
static inline T cvseg_exchange(int line, unsigned int mask, T value, int source) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = emulator::meet_warp(emulator::SHUFFLE, mask, bits, source, line);
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
static inline T cvseg_shuffle(int line, unsigned int mask, T value, int source, int width = 32) {
  const int lane = emulator::current % 32;
  return cvseg_exchange(line, mask, value, (lane & ~(width - 1)) | (source & (width - 1)));
}

template <class T>
static inline T cvseg_shuffle_up(int line, unsigned int mask, T value, unsigned int delta, int width = 32) {
  const int lane = emulator::current % 32, source = lane - (int)delta;
  return cvseg_exchange(line, mask, value, source < (lane & ~(width - 1)) ? lane : source);
}

template <class T>
static inline T cvseg_shuffle_down(int line, unsigned int mask, T value, unsigned int delta, int width = 32) {
  const int lane = emulator::current % 32, source = lane + (int)delta;
  return cvseg_exchange(line, mask, value, source > (lane | (width - 1)) ? lane : source);
}

template <class T>
static inline T cvseg_shuffle_xor(int line, unsigned int mask, T value, int lane_mask, int width = 32) {
  const int lane = emulator::current % 32, source = lane ^ lane_mask;
  return cvseg_exchange(line, mask, value, source > (lane | (width - 1)) ? lane : source);
}

// Time passes whenever somebody looks.
static inline long long clock64() {
  static long long cycles;
  return cycles += 100000;
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}

// ---- atomics: one CPU thread runs everything, so plain reads and writes are atomic ----
template <class T>
struct cvseg_same {
  using type = T;
};
template <class T>
using cvseg_same_t = typename cvseg_same<T>::type;

#define CVSEG_ATOMIC(name, expression)                                \
  template <class T>                                                  \
  static inline T name(T* const address, const cvseg_same_t<T> value) { \
    const T old = *address;                                           \
    *address = (T)(expression);                                       \
    return old;                                                       \
  }
CVSEG_ATOMIC(atomicAdd, old + value)
CVSEG_ATOMIC(atomicSub, old - value)
CVSEG_ATOMIC(atomicMin, old < value ? old : value)
CVSEG_ATOMIC(atomicMax, old > value ? old : value)
CVSEG_ATOMIC(atomicExch, value)
CVSEG_ATOMIC(atomicOr, old | value)
CVSEG_ATOMIC(atomicAnd, old& value)
CVSEG_ATOMIC(atomicXor, old ^ value)
CVSEG_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
CVSEG_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef CVSEG_ATOMIC

template <class T>
static inline T atomicCAS(T* const address, const cvseg_same_t<T> expected, const cvseg_same_t<T> value) {
  const T old = *address;
  if (old == expected) *address = value;
  return old;
}

// ---- loads and stores with a cache hint ----
#define CVSEG_LOAD(name)              \
  template <class T>                  \
  static inline T name(const T* const address) { \
    return *address;                  \
  }
CVSEG_LOAD(__ldg)
CVSEG_LOAD(__ldcg)
CVSEG_LOAD(__ldca)
CVSEG_LOAD(__ldcs)
#undef CVSEG_LOAD
#define CVSEG_STORE(name)                                             \
  template <class T>                                                  \
  static inline void name(T* const address, const cvseg_same_t<T> value) { \
    *address = value;                                                 \
  }
CVSEG_STORE(__stcg)
CVSEG_STORE(__stcs)
CVSEG_STORE(__stwb)
CVSEG_STORE(__stwt)
#undef CVSEG_STORE

// ---- numbers ----
#define CVSEG_MIN_MAX(type)                                                       \
  static inline type min(const type a, const type b) { return b < a ? b : a; }    \
  static inline type max(const type a, const type b) { return a < b ? b : a; }
CVSEG_MIN_MAX(int)
CVSEG_MIN_MAX(unsigned int)
CVSEG_MIN_MAX(long)
CVSEG_MIN_MAX(unsigned long)
CVSEG_MIN_MAX(long long)
CVSEG_MIN_MAX(unsigned long long)
#undef CVSEG_MIN_MAX
static inline unsigned int min(const int a, const unsigned int b) { return min((unsigned int)a, b); }
static inline unsigned int min(const unsigned int a, const int b) { return min(a, (unsigned int)b); }
static inline unsigned int max(const int a, const unsigned int b) { return max((unsigned int)a, b); }
static inline unsigned int max(const unsigned int a, const int b) { return max(a, (unsigned int)b); }
// As on the card, the number wins against NaN.
static inline float min(const float a, const float b) { return fminf(a, b); }
static inline float max(const float a, const float b) { return fmaxf(a, b); }
static inline double min(const double a, const double b) { return fmin(a, b); }
static inline double max(const double a, const double b) { return fmax(a, b); }

template <class To, class From>
static inline To cvseg_bits(const From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  memcpy(&result, &value, sizeof result);
  return result;
}
static inline int __float_as_int(const float x) { return cvseg_bits<int>(x); }
static inline unsigned int __float_as_uint(const float x) { return cvseg_bits<unsigned int>(x); }
static inline float __int_as_float(const int x) { return cvseg_bits<float>(x); }
static inline float __uint_as_float(const unsigned int x) { return cvseg_bits<float>(x); }
static inline long long __double_as_longlong(const double x) { return cvseg_bits<long long>(x); }
static inline double __longlong_as_double(const long long x) { return cvseg_bits<double>(x); }

static inline int __popc(const unsigned int x) { return __builtin_popcount(x); }
static inline int __popcll(const unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(const int x) { return x ? __builtin_clz((unsigned int)x) : 32; }
static inline int __clzll(const long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static inline int __ffs(const int x) { return __builtin_ffs(x); }
static inline int __ffsll(const long long x) { return __builtin_ffsll(x); }
static inline unsigned int __brev(unsigned int x) {
  unsigned int result = 0;
  for (int i = 0; i < 32; ++i, x >>= 1) result = result << 1 | (x & 1);
  return result;
}
static inline int __mul24(const int a, const int b) { return (a << 8 >> 8) * (b << 8 >> 8); }
static inline unsigned int __umulhi(const unsigned int a, const unsigned int b) {
  return (unsigned int)((unsigned long long)a * b >> 32);
}
static inline unsigned long long __umul64hi(const unsigned long long a, const unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

static inline float rsqrtf(const float x) { return 1.0f / sqrtf(x); }
static inline float rcbrtf(const float x) { return 1.0f / cbrtf(x); }
static inline float __saturatef(const float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
static inline float __fadd_rn(const float a, const float b) { return a + b; }
static inline float __fsub_rn(const float a, const float b) { return a - b; }
static inline float __fmul_rn(const float a, const float b) { return a * b; }
static inline float __fdiv_rn(const float a, const float b) { return a / b; }
static inline float __fsqrt_rn(const float a) { return sqrtf(a); }
static inline float __frcp_rn(const float a) { return 1.0f / a; }
static inline float __fmaf_rn(const float a, const float b, const float c) { return fmaf(a, b, c); }
static inline float __fdividef(const float a, const float b) { return a / b; }
// The fast approximations of the card are exact here; a kernel that uses them needs a tolerance that covers both.
// (Macros: the C library has functions of these names.)
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)

// A conversion out of range saturates on the card; plain C++ leaves it undefined.
static inline int cvseg_to_int(const float x) {
  if (isnan(x)) return 0;
  return x >= 2147483648.0f ? 2147483647 : x < -2147483648.0f ? -2147483647 - 1 : (int)x;
}
static inline int __float2int_rn(const float x) { return cvseg_to_int(rintf(x)); }
static inline int __float2int_rz(const float x) { return cvseg_to_int(truncf(x)); }
static inline int __float2int_rd(const float x) { return cvseg_to_int(floorf(x)); }
static inline int __float2int_ru(const float x) { return cvseg_to_int(ceilf(x)); }
static inline unsigned int __float2uint_rn(const float x) { return (unsigned int)fminf(fmaxf(rintf(x), 0.0f), 4294967040.0f); }
static inline unsigned int __float2uint_rz(const float x) { return (unsigned int)fminf(fmaxf(truncf(x), 0.0f), 4294967040.0f); }
static inline float __int2float_rn(const int x) { return (float)x; }
static inline float __uint2float_rn(const unsigned int x) { return (float)x; }

// ---- short vectors, aligned as on the card ----
#define CVSEG_VECTOR2(type, name)                                            \
  struct __align__(2 * sizeof(type)) name##2 { type x, y; };                 \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; }
#define CVSEG_VECTOR3(type, name)                                            \
  struct name##3 { type x, y, z; };                                          \
  static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }
#define CVSEG_VECTOR4(type, name)                                            \
  struct __align__(4 * sizeof(type)) name##4 { type x, y, z, w; };           \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
#define CVSEG_VECTORS(type, name) CVSEG_VECTOR2(type, name) CVSEG_VECTOR3(type, name) CVSEG_VECTOR4(type, name)
CVSEG_VECTORS(float, float)
CVSEG_VECTORS(int, int)
CVSEG_VECTORS(unsigned char, uchar)
CVSEG_VECTORS(short, short)
CVSEG_VECTORS(unsigned short, ushort)
CVSEG_VECTOR2(unsigned int, uint)
CVSEG_VECTOR4(unsigned int, uint)
CVSEG_VECTOR2(double, double)
CVSEG_VECTOR2(long long, longlong)
CVSEG_VECTOR2(unsigned long long, ulonglong)
static inline uint3 make_uint3(unsigned int x, unsigned int y, unsigned int z) { return {x, y, z}; }
#undef CVSEG_VECTORS
#undef CVSEG_VECTOR2
#undef CVSEG_VECTOR3
#undef CVSEG_VECTOR4
