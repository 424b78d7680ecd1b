"""Kernels of background models."""
