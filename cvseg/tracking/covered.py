"""Where a whole object is of which only a part is seen: one side of it is covered, the other side tells the place."""

from __future__ import annotations

from cvseg.tracking.kalman_filter import Box

MISSING = 0.06  # share of a side, beyond a pixel, from which something is missing and not just measured otherwise
ONE_SIDED = 0.5  # the seen edge is off by less than this share of what the covered one is off


def whole_box(seen: Box, predicted: Box, usual_wh: tuple[float, float]) -> tuple[Box, bool]:
    """The box of usual size around a partly covered object, and whether one side of it is covered.

    An object that slides behind something keeps one edge where it was predicted, while the other stays behind. The
    centre then follows from the edge that is seen and the usual size, so that the speed does not seem to fall. Where
    both edges are off, nothing is known of the reason, and the seen sides are taken.

    Parameters
    ----------
    seen, predicted : half-open boxes, pixels
    usual_wh : sides when nothing covered it

    Examples
    --------
    >>> whole_box((10, 0, 15, 8), (10, 0, 20, 8), (10.0, 8.0))
    ((10.0, 0.0, 20.0, 8.0), True)
    >>> whole_box((12, 0, 18, 8), (10, 0, 20, 8), (10.0, 8.0))
    ((12.0, 0.0, 18.0, 8.0), False)
    """
    x0, x1, across = _whole_side(seen[0], seen[2], predicted[0], predicted[2], usual_wh[0])
    y0, y1, down = _whole_side(seen[1], seen[3], predicted[1], predicted[3], usual_wh[1])
    return (x0, y0, x1, y1), across or down


def _whole_side(
    low: float, high: float, expected_low: float, expected_high: float, usual: float
) -> tuple[float, float, bool]:
    if usual - (high - low) <= MISSING * usual + 1:
        return float(low), float(high), False
    middle = 0.5 * (expected_low + expected_high)
    off_low = abs(low - (middle - 0.5 * usual))
    off_high = abs(middle + 0.5 * usual - high)
    if off_low < ONE_SIDED * off_high:
        return float(low), float(low + usual), True
    if off_high < ONE_SIDED * off_low:
        return float(high - usual), float(high), True
    return float(low), float(high), False
