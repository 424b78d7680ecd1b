"""Graphs of pixels and of regions: forests, walks and merging on them."""
