"""Kernels that learn and compare colours."""
