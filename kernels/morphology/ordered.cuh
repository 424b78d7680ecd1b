// Numbers whose order is that of the values: VALUE is unsigned, or int and then the bits of a float.
__device__ __forceinline__ int ordered(const unsigned char value) { return value; }
__device__ __forceinline__ int ordered(const unsigned short value) { return value; }
__device__ __forceinline__ int ordered(const int value) { return value ^ ((value >> 31) & 0x7fffffff); }
