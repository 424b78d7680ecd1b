"""Counting over pixels for the measures of accuracy."""
