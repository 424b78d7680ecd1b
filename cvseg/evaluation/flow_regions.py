"""Errors of optical flow by region: hidden pixels, near motion boundaries, by speed, and any mask; with percentiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import RangeError

BINS_PER_PX = 100  # percentiles are exact to a hundredth of a pixel
LARGEST_BIN = 100_000  # errors of 1000 px and more share the last one
MOST_AT_ONCE = 8  # regions: bits of a class
NEAR_PX = 10.0  # Sintel's d0-10
SPEED_LIMITS_PX = (10.0, 40.0)  # Sintel's
BOUNDARY_STEP_PX = 1.0  # neighbours whose true flow differs by more lie on a motion boundary


@dataclass(frozen=True)
class FlowErrorCounts:
    """Sums over pixels; those of regions and frames add up with +.

    Attributes
    ----------
    pixels, outliers, above_1_px : counts; outliers as KITTI has them: off by more than 3 px and 5 % of the true length
    error_sum_px, angle_sum_deg : sums of endpoint errors, and of angular errors
    histogram : (n,) int64 pixels by hundredths of a pixel of error; n is one more than the largest that occurs, and
        100001 at most
    """

    pixels: int = 0
    outliers: int = 0
    above_1_px: int = 0
    error_sum_px: float = 0.0
    angle_sum_deg: float = 0.0
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)

    def __add__(self, other: FlowErrorCounts) -> FlowErrorCounts:
        return FlowErrorCounts(
            self.pixels + other.pixels,
            self.outliers + other.outliers,
            self.above_1_px + other.above_1_px,
            self.error_sum_px + other.error_sum_px,
            self.angle_sum_deg + other.angle_sum_deg,
            _added(self.histogram, other.histogram),
        )

    @property
    def endpoint_error_px(self) -> float:
        """Mean endpoint error; NaN without pixels, as all below."""
        return self.error_sum_px / self.pixels if self.pixels else float("nan")

    @property
    def angular_error_deg(self) -> float:
        """Mean angle between (u, v, 1) and its truth."""
        return self.angle_sum_deg / self.pixels if self.pixels else float("nan")

    @property
    def outlier_share(self) -> float:
        """KITTI's Fl, as a share of 1."""
        return self.outliers / self.pixels if self.pixels else float("nan")

    @property
    def above_1_px_share(self) -> float:
        """Share of pixels off by more than 1 px."""
        return self.above_1_px / self.pixels if self.pixels else float("nan")

    def percentile_px(self, percent: float) -> float:
        """Endpoint error that `percent` of the pixels do not exceed, rounded up to a hundredth of a pixel."""
        check_range("percentile_px", "percent", percent, low=0.0, high=100.0)
        if not self.pixels:
            return float("nan")
        rank = max(1, int(np.ceil(percent / 100 * self.pixels)))
        return int(np.searchsorted(np.cumsum(self.histogram), rank)) / BINS_PER_PX


def _added(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of two histograms; the shorter one has zeros behind its end."""
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    total = longer.copy()
    total[: len(shorter)] += shorter
    return total


def flow_error_counts(
    flow_xy: NDArray[np.float32],
    truth_xy: NDArray[np.float32],
    regions: Mapping[str, NDArray[np.bool_]],
) -> dict[str, FlowErrorCounts]:
    """Errors of one flow field in each region.

    Parameters
    ----------
    flow_xy, truth_xy : (H, W, 2) float32, pixels; truth that is NaN, infinite or beyond 1e9 is unknown
    regions : name to (H, W) bool; they may overlap. Pixels without known truth are left out of all.

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        when the flow is NaN or infinite at a pixel of a region: fill it or leave it out.

    References
    ----------
    [Baker2011]_ section 4.1; [Menze2015]_ section 5; [Butler2012]_ section 5 (regions)

    Examples
    --------
    >>> truth = np.zeros((1, 4, 2), np.float32)
    >>> flow = truth + np.float32([[[0, 0], [1, 0], [0, 2], [3, 4]]])
    >>> left = np.array([[True, True, False, False]])
    >>> counts = flow_error_counts(flow, truth, {"left": left, "right": ~left})
    >>> counts["left"].endpoint_error_px, counts["right"].endpoint_error_px, counts["right"].outlier_share
    (0.5, 3.5, 0.5)
    """
    check_shapes(
        "flow_error_counts",
        flow_xy=(flow_xy, "H W 2"),
        truth_xy=(truth_xy, "H W 2"),
        **{name: (mask, "H W") for name, mask in regions.items()},
    )
    check_dtype("flow_error_counts", np.float32, flow_xy=flow_xy, truth_xy=truth_xy)
    check_dtype("flow_error_counts", np.bool_, **regions)
    flow_xy, truth_xy = np.ascontiguousarray(flow_xy), np.ascontiguousarray(truth_xy)
    counts: dict[str, FlowErrorCounts] = {}
    names = list(regions)
    for first in range(0, len(names), MOST_AT_ONCE):
        counts |= _counted(flow_xy, truth_xy, {name: regions[name] for name in names[first : first + MOST_AT_ONCE]})
    return counts


def _counted(
    flow_xy: NDArray[np.float32], truth_xy: NDArray[np.float32], regions: Mapping[str, NDArray[np.bool_]]
) -> dict[str, FlowErrorCounts]:
    """Errors in at most eight regions: a pixel's class says by its bits in which of them it lies."""
    from cvseg.kernels.evaluation.flow_errors import flow_errors

    classes = np.zeros(truth_xy.shape[:2], np.uint8)
    for k, mask in enumerate(regions.values()):
        classes |= mask.view(np.uint8) << np.uint8(k)
    rows, numbers, histogram = flow_errors(
        flow_xy, truth_xy, classes, np.int32(1 << len(regions)), np.int32(LARGEST_BIN)
    )
    if numbers[:, 3].any():
        raise RangeError(
            "flow_error_counts: flow_xy holds NaN or infinite values at counted pixels. Fill them, or shrink the "
            "regions."
        )
    sums = rows.sum(axis=0)
    occupied = np.flatnonzero(numbers[:, 0])
    counts = {}
    for k, name in enumerate(regions):
        inside = occupied[(occupied >> k) & 1 == 1]
        bins = int(numbers[inside, 4].max()) + 1 if len(inside) else 0
        total = np.zeros(bins, np.int64)
        for number in inside:
            total += histogram[number, :bins]
        pixels, outliers, above_1_px = numbers[inside, :3].sum(axis=0).tolist()
        error_sum_px, angle_sum_deg = sums[inside].sum(axis=0).tolist()
        counts[name] = FlowErrorCounts(pixels, outliers, above_1_px, error_sum_px, angle_sum_deg, total)
    return counts


def motion_boundaries(truth_xy: NDArray[np.float32], *, step_px: float = BOUNDARY_STEP_PX) -> NDArray[np.bool_]:
    """Pixels whose true flow differs from that of the right or the lower neighbour by more than `step_px`.

    Parameters
    ----------
    truth_xy : (H, W, 2) float32, pixels; next to unknown truth there is no boundary
    step_px : a larger value leaves fewer boundaries

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    check_shapes("motion_boundaries", truth_xy=(truth_xy, "H W 2"))
    check_dtype("motion_boundaries", np.float32, truth_xy=truth_xy)
    check_range("motion_boundaries", "step_px", step_px, low=0.0)
    return _near(truth_xy, 0.0, step_px)


def near_motion_boundaries(
    truth_xy: NDArray[np.float32], *, distance_px: float = NEAR_PX, step_px: float = BOUNDARY_STEP_PX
) -> NDArray[np.bool_]:
    """Pixels at most `distance_px` from one of `motion_boundaries`.

    Parameters
    ----------
    truth_xy : (H, W, 2) float32, pixels
    distance_px : a larger value widens the region
    step_px : see `motion_boundaries`

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    check_shapes("near_motion_boundaries", truth_xy=(truth_xy, "H W 2"))
    check_dtype("near_motion_boundaries", np.float32, truth_xy=truth_xy)
    check_range("near_motion_boundaries", "distance_px", distance_px, low=0.0)
    check_range("near_motion_boundaries", "step_px", step_px, low=0.0)
    return _near(truth_xy, distance_px, step_px)


def _near(truth_xy: NDArray[np.float32], distance_px: float, step_px: float) -> NDArray[np.bool_]:
    from cvseg.kernels.evaluation.near_boundaries import near_boundaries

    found = near_boundaries(
        np.ascontiguousarray(truth_xy), np.float32(step_px), disc_reach(min(distance_px, math.hypot(*truth_xy.shape)))
    )
    return np.asarray(found).view(np.bool_)


def disc_reach(radius: float) -> NDArray[np.int32]:
    """How many pixels up and down a disc goes in its columns, from the middle one outward.

    Examples
    --------
    >>> disc_reach(2.5).tolist()
    [2, 2, 1]
    """
    across = np.arange(int(radius) + 1)
    up = np.floor(np.sqrt(radius**2 - across**2))
    # The squares may have rounded to either side of the distance that is asked for.
    up += np.sqrt(across**2 + (up + 1) ** 2) <= radius
    up -= np.sqrt(across**2 + up**2) > radius
    return up.astype(np.int32)


def speed_regions(truth_xy: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
    """Pixels by true speed as Sintel groups them: s0-10, s10-40 and s40+ pixels a frame, each [low, high).

    Raises
    ------
    ShapeError
    """
    check_shapes("speed_regions", truth_xy=(truth_xy, "H W 2"))
    from cvseg.kernels.evaluation.speed_groups import speed_groups

    groups = speed_groups(np.ascontiguousarray(truth_xy, np.float32), np.array(SPEED_LIMITS_PX, np.float32))
    return {name: groups == k for k, name in enumerate(("s0-10", "s10-40", "s40+"))}
