"""Errors of flow by region in plain NumPy and SciPy: the twin that the kernels are tested against."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

KNOWN_BELOW = 1e9


def known(truth_xy):
    with np.errstate(invalid="ignore"):
        return (np.abs(truth_xy) < KNOWN_BELOW).all(axis=2)


def error_counts(flow_xy, truth_xy, mask):
    """Counts (all, outliers, above 1 px), sums of endpoint error and angle, histogram; of the known ones of `mask`."""
    counted = mask & known(truth_xy)
    flow, truth = flow_xy[counted].astype(np.float64), truth_xy[counted].astype(np.float64)
    error = np.hypot(*(flow - truth).T)
    outlier = (error > 3) & (error > 0.05 * np.hypot(*truth.T))
    cross = np.hypot(error, flow[:, 0] * truth[:, 1] - flow[:, 1] * truth[:, 0])
    angle = np.degrees(np.arctan2(cross, (flow * truth).sum(1) + 1))
    bins = np.minimum(np.ceil(np.sqrt(((flow - truth) ** 2).sum(1)) * 100), 100_000).astype(np.int64)
    sums = float(error.sum()), float(angle.sum())
    return len(error), int(outlier.sum()), int((error > 1).sum()), *sums, np.bincount(bins)


def boundaries(truth_xy, step_px):
    """Pixels whose flow differs from that of the right or the lower neighbour by more than `step_px`."""
    flow = np.where(known(truth_xy)[..., None], truth_xy, np.float32(np.nan))
    found = np.zeros(flow.shape[:2], bool)
    found[:, :-1] |= np.hypot(*np.moveaxis(np.diff(flow, axis=1), 2, 0)) > step_px
    found[:-1] |= np.hypot(*np.moveaxis(np.diff(flow, axis=0), 2, 0)) > step_px
    return found


def near_boundaries(truth_xy, distance_px, step_px):
    """Pixels whose distance to the next boundary is at most `distance_px`."""
    found = boundaries(truth_xy, step_px)
    return distance_transform_edt(~found) <= distance_px if found.any() else found


def speeds(truth_xy):
    speed = np.hypot(truth_xy[..., 0], truth_xy[..., 1])
    return {"s0-10": speed < 10, "s10-40": (speed >= 10) & (speed < 40), "s40+": (speed >= 40) & np.isfinite(speed)}
