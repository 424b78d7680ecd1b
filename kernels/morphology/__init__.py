"""Morphology and distance: the least and largest value in a neighbourhood, the distance to the nearest pixel."""
