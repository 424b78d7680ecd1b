"""Motion seeds of a frame: five soft maps of what may be an object, each from another cue, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, common_device, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import ShapeError
from cvseg.kernels.filtering.smooth_planes import gaussian_taps, smooth_planes
from cvseg.kernels.motion.barrier_distance import barrier_distance
from cvseg.kernels.motion.inside_votes import inside_votes
from cvseg.kernels.motion.motion_boundary import motion_boundary
from cvseg.kernels.motion.motion_outliers import motion_outliers
from cvseg.kernels.motion.motion_saliency import motion_saliency
from cvseg.kernels.motion.seed_mean import seed_mean
from cvseg.motion.camera_motion import CameraMotion
from cvseg.motion.motion_saliency import FLOW_NOISE_PX

MAP_NAMES = ("residual", "barrier", "inside", "outliers", "colors")
# A map's 99th percentile counts as full, but at least this: where nothing moves, noise must not be stretched.
LEAST_FULL = {
    "residual": 3.0,  # in units of noise
    "barrier": 3.0,  # in units of noise, both components together
    "inside": 0.25,  # share of the rays
    "outliers": 0.5,  # features that stand out wholly
    "colors": 10.0,  # Lab, its channels together
}
# Of the maps in their mean. The residual is the best of them by itself.
WEIGHTS = {"residual": 1.5, "barrier": 1.0, "inside": 1.0, "outliers": 1.0, "colors": 1.0}
# Residual, in units of noise, up to which nothing moves and colours do not count: of Gaussian errors along x and y the
# 99th percentile is 2.58 times the median, 1.74 times the noise.
NOISE_LEVEL = 1.75
# What no camera motion fits better than this is a background with depth, not a noisy flow: no level grows further.
MOST_NOISE_PX = 0.7
SAMPLES = 6000  # pixels from which quartiles and percentiles are taken
BORDER_PX, ROUNDS = 3, 3
FLOW_SIGMA_PX, LAB_SIGMA_PX = 1.5, 1.0
LEAST_SPREAD = 0.1  # of quartiles, in pixels and radians
LEAST_SHARE = 0.5  # of all deviation that outliers must hold for a feature to count


@dataclass(frozen=True)
class MotionSeeds:
    """Evidence for objects in one frame.

    Attributes
    ----------
    seed : (h, w) float32 in [0, 1]; mean of the maps, weighted by `WEIGHTS`
    residual : (h, w) float32, motion against the camera in units of noise
    maps : by name (residual, barrier, inside, outliers, colors), (h, w) float32 in [0, 1]
    """

    seed: Any
    residual: Any
    maps: dict[str, Any]


def motion_seeds(
    forward_xy: Any,
    backward_xy: Any,
    lab: Any,
    camera_forward: CameraMotion,
    camera_backward: CameraMotion,
    *,
    cues: Sequence[str] = MAP_NAMES,
) -> MotionSeeds:
    """Where objects may be, from the flow to both neighbours and from the colours.

    ======== ======================================================================================================
    residual flow against the camera's, in units of noise; the smaller of both sides: `motion_saliency_map`
    barrier  how far the flow must rise and fall on the way to the frame's border, in units of noise [Zhang2015]_;
             tolerates parallax
    inside   share of rays that enter motion boundaries an odd number of times [PapazoglouFerrari2013]_
    outliers components, lengths and directions beyond the quartiles of the frame [GriffinCorso2019]_
    colors   as barrier, in Lab; counts only as far as something moves
    ======== ======================================================================================================

    Parameters
    ----------
    forward_xy, backward_xy : (h, w, 2) float32, pixels, finite, from this frame to the next and to the previous one
    lab : (h, w, 3) float32, CIE Lab, on the same device
    camera_forward, camera_backward : the camera motion fitted to each
    cues : names of the maps that count in the mean, at least one

    Returns
    -------
    MotionSeeds, on the device of the flow. About 6000 flow vectors are read back, once, which synchronises.

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError

    Notes
    -----
    Each map is divided by its 99th percentile in the frame, or by `LEAST_FULL` where that is larger, and cut at 1.
    Noise counts up to `MOST_NOISE_PX` there. Colours are weighted by the 99th percentile of the residual: 0 at
    `NOISE_LEVEL`, 1 at the residual's least full level. Percentiles are those of a grid of about 6000 pixels. A frame
    lower or narrower than 7 pixels is all border: no barriers.

    Examples
    --------
    >>> from cvseg.motion import estimate_camera_motion
    >>> flow_xy, lab = np.zeros((40, 60, 2), np.float32), np.full((40, 60, 3), 50, np.float32)
    >>> flow_xy[15:25, 20:35] = 4
    >>> camera = estimate_camera_motion(flow_xy)
    >>> seeds = motion_seeds(flow_xy, flow_xy, lab, camera, camera)
    >>> bool(seeds.seed[20, 27] > 0.7), float(seeds.seed[5, 5])
    (True, 0.0)
    """
    device = common_device("motion_seeds", forward_xy, backward_xy, lab)
    size = check_shapes(
        "motion_seeds", forward_xy=(forward_xy, "H W 2"), backward_xy=(backward_xy, "H W 2"), lab=(lab, "H W 3")
    )
    check_dtype("motion_seeds", np.float32, forward_xy=forward_xy, backward_xy=backward_xy, lab=lab)
    if size["H"] * size["W"] == 0:
        raise ShapeError(f"motion_seeds: forward_xy is {tuple(forward_xy.shape)}; expected at least one pixel.")
    module = array_module(forward_xy)
    forward_xy, backward_xy, lab = (module.ascontiguousarray(values) for values in (forward_xy, backward_xy, lab))
    step = max(1, int(np.sqrt(size["H"] * size["W"] / SAMPLES)))
    grid = slice(step // 2, None, step) if step < min(size["H"], size["W"]) else slice(None, None, step)
    noises_px = FLOW_NOISE_PX + np.array([camera_forward.noise_px, camera_backward.noise_px])

    sampled = to_host(module.stack([forward_xy[grid, grid], backward_xy[grid, grid]])).reshape(2, -1, 2)
    clear_px = LEAST_FULL["residual"] * np.minimum(noises_px, MOST_NOISE_PX)
    tables = np.stack([_outlier_table(vectors, clear) for vectors, clear in zip(sampled, clear_px, strict=True)])
    cameras = np.stack([camera_forward.matrix, camera_backward.matrix]).astype(np.float32)
    residual = motion_saliency(
        forward_xy, backward_xy, to_device(cameras, device), to_device(noises_px.astype(np.float32), device)
    )
    border, rounds = np.int32(BORDER_PX), np.int32(ROUNDS)
    flow_taps = to_device(gaussian_taps(FLOW_SIGMA_PX), device)
    barriers = [
        # Half of each: the mean of both directions
        barrier_distance(
            smooth_planes(flow_xy, flow_taps),
            to_device(np.full(2, 0.5 / noise_px, np.float32), device),
            border,
            rounds,
        )
        for flow_xy, noise_px in zip((forward_xy, backward_xy), noises_px, strict=True)
    ]
    lab_planes = smooth_planes(lab, to_device(gaussian_taps(LAB_SIGMA_PX), device))
    raw = (
        residual,
        barriers[0] + barriers[1],
        inside_votes(motion_boundary(forward_xy, backward_xy)),
        motion_outliers(forward_xy, backward_xy, to_device(tables, device)),
        barrier_distance(lab_planes, to_device(np.ones(3, np.float32), device), border, rounds),
    )
    # On the device: nothing of this is read back.
    seen = module.stack([values[grid, grid].reshape(-1) for values in raw])
    full = module.percentile(seen, module.asarray([99.0]), axis=1)[0]
    least_moving = LEAST_FULL["residual"]
    noise_level = min(1.0, MOST_NOISE_PX / float(noises_px.mean()))  # of what the maps are divided by
    scales = {"residual": noise_level, "barrier": noise_level}
    least = to_device(np.array([LEAST_FULL[name] * scales.get(name, 1.0) for name in MAP_NAMES]), device)
    levels = module.ones((5, 3), np.float32)
    levels[:, 0] = 1.0 / module.maximum(full, least)
    levels[4:, 1] = module.clip((full[:1] / noise_level - NOISE_LEVEL) / (least_moving - NOISE_LEVEL), 0.0, 1.0)
    weights = np.array([WEIGHTS[name] if name in cues else 0.0 for name in MAP_NAMES])
    levels[:, 2] = to_device(weights / weights.sum(), device)
    maps, seed = seed_mean(*raw, levels)
    return MotionSeeds(seed, residual, dict(zip(MAP_NAMES, maps, strict=True)))


def _outlier_table(vectors: NDArray[np.float32], clear_px: float) -> NDArray[np.float32]:
    """Bounds for `motion_outliers` from a sample of the flow, (n, 2); shorter than `clear_px` may be noise."""
    u, v = vectors[:, 0], vectors[:, 1]
    length = np.sqrt(u * u + v * v)
    shortest = np.maximum(length, np.float32(1e-20))
    mean_u, mean_v = float((u / shortest).mean()), float((v / shortest).mean())
    usual = np.arctan2(mean_v, mean_u)
    cosine, sine = np.float32(np.cos(usual)), np.float32(np.sin(usual))
    features = np.stack([u, v, length, np.arctan2(v * cosine - u * sine, u * cosine + v * sine)])
    low, middle, high = _quartiles(features)
    reach = 1.5 * np.maximum(high - low, LEAST_SPREAD)
    away = np.abs(features - middle)
    outside = (features < low - reach) | (features > high + reach)
    share = (away * outside).sum(axis=1) / np.maximum(away.sum(axis=1), 1e-9)
    share[share <= LEAST_SHARE] = 0
    # The largest deviation counts in full, but never one that noise may have.
    most = np.maximum(away.max(axis=1), [clear_px, clear_px, clear_px, LEAST_SPREAD])
    bounds = np.stack([(low - reach)[:, 0], (high + reach)[:, 0], middle[:, 0], most, share], axis=1)
    return np.concatenate([[cosine, sine, clear_px], bounds.ravel()]).astype(np.float32)


def _quartiles(features: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
    """As numpy.percentile at 25, 50 and 75 along the rows, in a third of the time; three columns."""
    ordered = np.sort(features, axis=1)  # float32 sorts in vectors, which beats three partitions
    last = ordered.shape[1] - 1
    found = []
    for share in (0.25, 0.5, 0.75):
        place = int(share * last)
        part = share * last - place
        below, above = ordered[:, place].astype(np.float64), ordered[:, min(place + 1, last)]
        found.append((below + part * (above - below))[:, None])
    return tuple(found)
