"""CUDA on the CPU: an emulated CuPy whose kernels are the same `.cu` files, compiled by g++, run thread by thread."""
