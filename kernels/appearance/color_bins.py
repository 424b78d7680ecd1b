"""Bins of L*a*b* colours: 16 x 16 x 16, L over [0, 100], a and b over [-64, 64); what lies outside joins the edge."""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

BINS = 16  # per axis; the .cuh file has the same numbers

_ZERO, _LAST = np.float32(0), np.float32(BINS - 1)
_LIGHTNESS_SCALE, _COLOR_SCALE, _COLOR_OFFSET = np.float32(0.16), np.float32(0.125), np.float32(64)


@cpu_kernel
def color_bins(lab, bins):
    """Bin numbers, 0 to 4095, of one row. lab: (3 n) float32, l a b l a b ...; bins: (n) int32."""
    for x in range(len(bins)):
        # The zero first: it is what remains of a NaN.
        i = np.int32(min(max(_ZERO, lab[3 * x] * _LIGHTNESS_SCALE), _LAST))
        j = np.int32(min(max(_ZERO, (lab[3 * x + 1] + _COLOR_OFFSET) * _COLOR_SCALE), _LAST))
        k = np.int32(min(max(_ZERO, (lab[3 * x + 2] + _COLOR_OFFSET) * _COLOR_SCALE), _LAST))
        bins[x] = (i * np.int32(BINS) + j) * np.int32(BINS) + k
