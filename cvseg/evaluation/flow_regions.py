"""Errors of optical flow by region: hidden pixels, near motion boundaries, by speed, and any mask; with percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import RangeError
from cvseg.evaluation.endpoint_error import OUTLIER_PX, OUTLIER_SHARE, UNKNOWN_FLOW

BINS_PER_PX = 100  # percentiles are exact to a hundredth of a pixel
LARGEST_BIN = 100_000  # errors of 1000 px and more share the last one
NEAR_PX = 10.0  # Sintel's d0-10
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
    # Written so that NaN compares false.
    known = (np.abs(truth_xy[..., 0]) < UNKNOWN_FLOW) & (np.abs(truth_xy[..., 1]) < UNKNOWN_FLOW)
    wanted = known & np.any(list(regions.values()), axis=0) if regions else np.zeros(known.shape, bool)
    # A component each, because NumPy is slow along an axis of two.
    flow_x, flow_y, truth_x, truth_y = (
        values[..., axis][wanted].astype(np.float64) for values in (flow_xy, truth_xy) for axis in (0, 1)
    )
    if not (np.isfinite(flow_x).all() and np.isfinite(flow_y).all()):
        raise RangeError(
            "flow_error_counts: flow_xy holds NaN or infinite values at counted pixels. Fill them, or shrink the "
            "regions."
        )
    # float32 squared cannot overflow here, so the root takes the place of the far slower hypot.
    squared = (flow_x - truth_x) ** 2 + (flow_y - truth_y) ** 2
    error = np.sqrt(squared)
    outlier = (error > OUTLIER_PX) & (error > OUTLIER_SHARE * np.sqrt(truth_x**2 + truth_y**2))
    # The angle from the cross product: the arc cosine loses the small angles to rounding.
    cross = np.sqrt(squared + (flow_x * truth_y - flow_y * truth_x) ** 2)
    angle = np.degrees(np.arctan2(cross, flow_x * truth_x + flow_y * truth_y + 1))
    # Rounded up, so that a percentile is never below the error it stands for.
    bins = np.minimum(np.ceil(error * BINS_PER_PX), LARGEST_BIN).astype(np.int64)
    counts = {}
    for name, mask in regions.items():
        inside = mask[wanted]
        counts[name] = FlowErrorCounts(
            pixels=int(np.count_nonzero(inside)),
            outliers=int(np.count_nonzero(outlier & inside)),
            above_1_px=int(np.count_nonzero((error > 1) & inside)),
            error_sum_px=float(error[inside].sum()),
            angle_sum_deg=float(angle[inside].sum()),
            histogram=np.bincount(bins[inside]).astype(np.int64),
        )
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
    unknown = ~((np.abs(truth_xy[..., 0]) < UNKNOWN_FLOW) & (np.abs(truth_xy[..., 1]) < UNKNOWN_FLOW))
    flow = np.where(unknown[..., None], np.float32(np.nan), truth_xy)
    boundary = np.zeros(unknown.shape, bool)
    across, down = np.diff(flow, axis=1), np.diff(flow, axis=0)
    boundary[:, :-1] |= np.hypot(across[..., 0], across[..., 1]) > step_px
    boundary[:-1] |= np.hypot(down[..., 0], down[..., 1]) > step_px
    return boundary


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
    check_range("near_motion_boundaries", "distance_px", distance_px, low=0.0)
    boundary = motion_boundaries(truth_xy, step_px=step_px)
    if not boundary.any():
        return boundary
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~boundary) <= distance_px)


def speed_regions(truth_xy: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
    """Pixels by true speed as Sintel groups them: s0-10, s10-40 and s40+ pixels a frame, each [low, high).

    Raises
    ------
    ShapeError
    """
    check_shapes("speed_regions", truth_xy=(truth_xy, "H W 2"))
    speed = np.hypot(truth_xy[..., 0], truth_xy[..., 1])
    return {"s0-10": speed < 10, "s10-40": (speed >= 10) & (speed < 40), "s40+": (speed >= 40) & np.isfinite(speed)}
