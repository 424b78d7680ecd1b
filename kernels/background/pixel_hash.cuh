// Random numbers for pixels: a hash of the frame and the place, as in pixel_hash.py.
__device__ __forceinline__ unsigned int mixed(unsigned int number) {
  number ^= number >> 16;
  number *= 0x7FEB352Du;
  number ^= number >> 15;
  number *= 0x846CA68Bu;
  return number ^ (number >> 16);
}

__device__ __forceinline__ unsigned int pixel_hash(const unsigned int place, const unsigned int key) {
  return mixed((place * 0x9E3779B1u) ^ key);
}
