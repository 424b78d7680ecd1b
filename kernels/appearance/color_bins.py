"""Bins of L*a*b* colours: 16 x 16 x 16, L over [0, 100], a and b over [-64, 64); what lies outside joins the edge."""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

BINS = 16  # per axis; the .cuh file has the same numbers

_ZERO, _LAST = np.float32(0), np.float32(BINS - 1)
_LIGHTNESS_SCALE, _COLOR_SCALE, _COLOR_OFFSET = np.float32(0.16), np.float32(0.125), np.float32(64)


@cpu_kernel
def color_bin(lightness, a, b):
    """Number of the bin, 0 to 4095, of one colour. All float32."""
    # The zero first: it is what remains of a NaN.
    i = np.int32(min(max(_ZERO, lightness * _LIGHTNESS_SCALE), _LAST))
    j = np.int32(min(max(_ZERO, (a + _COLOR_OFFSET) * _COLOR_SCALE), _LAST))
    k = np.int32(min(max(_ZERO, (b + _COLOR_OFFSET) * _COLOR_SCALE), _LAST))
    return (i * np.int32(BINS) + j) * np.int32(BINS) + k
