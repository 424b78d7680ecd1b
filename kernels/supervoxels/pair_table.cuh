// A table of pairs with two sums each, filled by many threads: open addressing, see pair_table.py.
// pairs: (size) 64 bits, all ones where free; size is a power of two.   sums: (size, 2) int32.   full: set when no room.
__device__ __forceinline__ void add_to_pair(unsigned long long* pairs, int* sums, int* full, const int size,
                                            const long long pair, const int first, const int second) {
  const unsigned long long key = (unsigned long long)pair, nobody = ~0ull;
  unsigned int place = (unsigned int)((key * 0x9E3779B97F4A7C15ull) >> 32) & (unsigned int)(size - 1);
  for (int tried = 0; tried < size; ++tried) {
    const unsigned long long held = atomicCAS(&pairs[place], nobody, key);
    if (held == nobody || held == key) {
      atomicAdd(&sums[2 * place], first);
      atomicAdd(&sums[2 * place + 1], second);
      return;
    }
    place = (place + 1) & (unsigned int)(size - 1);
  }
  *full = 1;
}
