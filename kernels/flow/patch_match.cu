// One round of PatchMatch: each seed tries the matches of its 8 neighbours `spread` seeds away and random ones.
// matched0, matched1: (height + 2 FRAME, width + 2 FRAME) uint8.   prior_uv: (2, rows, columns) float32, pixels of
// level 3.   before, after: (rows, columns, 3) int32: dx, dy in pixels of the level, cost.
// One warp per seed, one thread per candidate; of equal costs the first candidate wins, as on the CPU.
// After Barnes et al. 2009, PatchMatch, and Hu et al. 2016, Efficient Coarse-to-Fine PatchMatch.
#include "common.cuh"

__device__ __forceinline__ unsigned int mixed_bits(unsigned int number) {
  number = (number ^ (number >> 16)) * 0x7feb352du;
  number = (number ^ (number >> 15)) * 0x846ca68bu;
  return number ^ (number >> 16);
}

struct Match {
  int cost, dx, dy;
};

// The cheapest candidate of the warp; threads without one bring NOTHING.
#define NOTHING 0x7fffffff
__device__ __forceinline__ Match cheapest(Match mine, const int thread) {
  int order = thread;
  for (int apart = 16; apart > 0; apart >>= 1) {
    const int cost = __shfl_xor_sync(0xffffffffu, mine.cost, apart), other = __shfl_xor_sync(0xffffffffu, order, apart);
    const int dx = __shfl_xor_sync(0xffffffffu, mine.dx, apart), dy = __shfl_xor_sync(0xffffffffu, mine.dy, apart);
    if (cost < mine.cost || (cost == mine.cost && other < order)) {
      mine.cost = cost;
      mine.dx = dx;
      mine.dy = dy;
      order = other;
    }
  }
  return mine;
}

__device__ __forceinline__ int patch_cost(const unsigned char* patch0, const unsigned char* patch1, const int pitch,
                                          const int penalty) {
  int cost = penalty;
  for (int row = 0; row < 8; ++row) {
    for (int column = 0; column < 8; ++column) {
      cost += abs((int)patch0[row * pitch + column] - (int)patch1[row * pitch + column]);
    }
  }
  return cost;
}

extern "C" __global__ void patch_match(const unsigned char* __restrict__ matched0,
                                       const unsigned char* __restrict__ matched1, const int* __restrict__ before,
                                       const float* __restrict__ prior_uv, int* __restrict__ after, const int rows,
                                       const int columns, const int height, const int width, const int level,
                                       const int spread, const int radius, const int tries, const int number,
                                       const int penalty) {
  const int seed = (blockIdx.x * blockDim.x + threadIdx.x) / 32, thread = threadIdx.x % 32;
  if (seed >= rows * columns) return;
  const int row = seed / columns, column = seed % columns, stride = SEED >> level, pitch = width + 2 * FRAME;
  const int x = min(column * stride + stride / 2, width - 1), y = min(row * stride + stride / 2, height - 1);
  const int corner = (y + FRAME - 4) * pitch + x + FRAME - 4;
  const unsigned char* patch0 = matched0 + corner;
  const unsigned char* patch1 = matched1 + corner;
  const float far = 16384.0f;
  const float u = stride * prior_uv[seed] + 0.5f, v = stride * prior_uv[rows * columns + seed] + 0.5f;
  const int prior_x = (int)floorf(clamp_float(u, -far, far)), prior_y = (int)floorf(clamp_float(v, -far, far));

  // Thread 0: what the seed has. Others: the prior in the first round of a level, later the neighbours.
  Match mine = {NOTHING, 0, 0};
  if (spread == 0) {
    const int dx = thread == 0 ? 2 * before[3 * seed] : prior_x, dy = thread == 0 ? 2 * before[3 * seed + 1] : prior_y;
    mine.dx = clamp_int(dx, -x, width - 1 - x);
    mine.dy = clamp_int(dy, -y, height - 1 - y);
    if (thread < 2) mine.cost = 0;
  } else if (thread == 0) {
    mine.dx = before[3 * seed];
    mine.dy = before[3 * seed + 1];
  } else if (thread < 9) {
    const int side = thread - 1 + (thread > 4);
    const int other_row = row + (side / 3 - 1) * spread, other_column = column + (side % 3 - 1) * spread;
    if (other_row >= 0 && other_row < rows && other_column >= 0 && other_column < columns) {
      const int other = other_row * columns + other_column;
      mine.dx = before[3 * other];
      mine.dy = before[3 * other + 1];
      if (x + mine.dx >= 0 && x + mine.dx < width && y + mine.dy >= 0 && y + mine.dy < height) mine.cost = 0;
    }
  }
  if (mine.cost == 0) {
    const bool near_prior = abs(mine.dx - prior_x) <= 1 && abs(mine.dy - prior_y) <= 1;
    mine.cost = patch_cost(patch0, patch1 + mine.dy * pitch + mine.dx, pitch, near_prior ? 0 : penalty);
  }
  if (spread > 0 && thread == 0) mine.cost = before[3 * seed + 2];
  Match best = cheapest(mine, thread);

  const int middle_x = spread > 0 ? best.dx : 0, middle_y = spread > 0 ? best.dy : 0;
  const int count = best.cost > ENOUGH ? tries : min(tries, LOCAL);
  const unsigned int mixed_number = mixed_bits((unsigned int)number);
  for (int first = 0; first < count; first += 31) {  // thread 0 holds the best of the tries before
    const int k = first + thread - 1;
    mine = best;
    if (thread > 0) {
      mine.cost = NOTHING;
      if (k < count) {
        const unsigned int bits = mixed_bits((unsigned int)seed ^ (mixed_number + (unsigned int)k));
        const int reach = spread > 0 ? max(radius >> (k & 3), 1) : radius;
        const unsigned int span = 2 * reach + 1;
        mine.dx = middle_x + (int)(((bits & 0xffffu) * span) >> 16) - reach;
        mine.dy = middle_y + (int)(((bits >> 16) * span) >> 16) - reach;
        if (x + mine.dx >= 0 && x + mine.dx < width && y + mine.dy >= 0 && y + mine.dy < height) {
          const bool near_prior = abs(mine.dx - prior_x) <= 1 && abs(mine.dy - prior_y) <= 1;
          mine.cost = patch_cost(patch0, patch1 + mine.dy * pitch + mine.dx, pitch, near_prior ? 0 : penalty);
        }
      }
    }
    best = cheapest(mine, thread);
  }
  if (thread == 0) {
    after[3 * seed] = best.dx;
    after[3 * seed + 1] = best.dy;
    after[3 * seed + 2] = best.cost;
  }
}
