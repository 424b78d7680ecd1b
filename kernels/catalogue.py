"""The catalogue of kernels. One line each: tests, benchmarks and `cvseg warmup` run over it."""

from cvseg.kernels.warping.warp_backward import warp_backward

KERNELS = {kernel.name: kernel for kernel in (warp_backward,)}
