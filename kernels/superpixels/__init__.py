"""Superpixels: small connected regions of one colour."""
