"""Coarser images, level by level."""
