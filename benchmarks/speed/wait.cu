// Keeps the GPU busy for a number of clock cycles, while the host queues what is to be timed behind it.   One thread.
extern "C" __global__ void wait(const long long cycles) {
  const long long begin = clock64();
  while (clock64() - begin < cycles) {
  }
}
