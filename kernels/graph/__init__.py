"""Kernels on graphs of pixels: weights of edges, and what is merged along them."""
