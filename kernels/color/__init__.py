"""Colour conversions."""
