"""Kernels over the particles of a particle filter."""
