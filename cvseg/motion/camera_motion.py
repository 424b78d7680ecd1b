"""Camera motion: the one motion that most of the picture agrees on, by iteratively reweighted least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import ShapeError
from cvseg.options import Options, option

LEAST_DEPTH = 0.1  # of a homography, relative to the frame's centre


@dataclass(frozen=True, kw_only=True)
class CameraMotionOptions(Options):
    """How the camera motion is fitted."""

    model: str = option(
        "affine", "affine absorbs less of the objects; homography follows tilt", choices=("affine", "homography")
    )
    samples: int = option(3000, "flow vectors used; more is slower and hardly better", low=100)
    iterations: int = option(12, "reweighting rounds", low=1)
    noise_floor_px: float = option(0.15, "smallest flow noise that is believed; larger forgives more", low=1e-3)
    ring: float = option(0.075, "width of the frame's border, as a share, that counts double", low=0.0, high=0.5)


@dataclass(frozen=True)
class CameraMotion:
    """Motion of the background between two frames.

    Attributes
    ----------
    matrix : (3, 3) float64; (x, y, 1) of a background pixel times this, divided by the third, is where it goes
    noise_px : robust standard deviation of the flow around it, over the pixels that follow it
    inlier_share : share of the samples that follow it, 0 to 1
    residual_px : (n, m) float32, distance of the flow from it on the grid of samples; 0 where the flow is not finite
    displacement_px : mean length of the camera's own motion over the frame
    """

    matrix: NDArray[np.float64]
    noise_px: float
    inlier_share: float
    residual_px: NDArray[np.float32]
    displacement_px: float


def estimate_camera_motion(flow_xy: Any, options: CameraMotionOptions | None = None) -> CameraMotion:
    """Fit an affine or projective camera motion to a dense flow, ignoring what moves otherwise.

    Parameters
    ----------
    flow_xy : (H, W, 2) float32, pixels, on either device; a grid of about `options.samples` vectors is read back,
        which synchronises. Vectors that are not finite are left out
    options : CameraMotionOptions

    Returns
    -------
    CameraMotion

    Raises
    ------
    ShapeError, DtypeError

    Notes
    -----
    Tukey's biweight with c = 4.685 robust standard deviations [OdobezBouthemy1995]_, started from the median of the
    frame's border, where objects are rarer. c is half as large again in the first third of the rounds, so that a poor
    start does not cut the background off. Departure: the robust scale is taken from all residuals in each round.

    Examples
    --------
    >>> flow_xy = np.full((48, 64, 2), (2.0, -1.0), np.float32)
    >>> flow_xy[10:20, 20:40] = 9
    >>> camera = estimate_camera_motion(flow_xy)
    >>> np.round(camera.matrix @ [5, 5, 1], 3).tolist(), camera.inlier_share > 0.9
    ([7.0, 4.0, 1.0], True)
    """
    options = options or CameraMotionOptions()
    size = check_shapes("estimate_camera_motion", flow_xy=(flow_xy, "H W 2"))
    check_dtype("estimate_camera_motion", np.float32, flow_xy=flow_xy)
    height, width = size["H"], size["W"]
    if height * width == 0:
        raise ShapeError(f"estimate_camera_motion: flow_xy is {tuple(flow_xy.shape)}; expected at least one pixel.")
    step = max(1, int(np.sqrt(height * width / options.samples)))
    flow = to_host(flow_xy[::step, ::step].copy()).astype(np.float64)
    rows, columns = np.mgrid[0:height:step, 0:width:step]
    grid_shape = rows.shape

    # Coordinates of about [-1, 1] keep the equations well conditioned.
    half = max(width, height) / 2.0
    to_unit = np.array([[1 / half, 0, -width / 2 / half], [0, 1 / half, -height / 2 / half], [0, 0, 1]])
    x = (columns.ravel() - width / 2) / half
    y = (rows.ravel() - height / 2) / half
    u, v = flow[..., 0].ravel() / half, flow[..., 1].ravel() / half
    valid = np.isfinite(u) & np.isfinite(v)
    margin_x, margin_y = options.ring * width, options.ring * height
    in_ring = (
        (columns < margin_x) | (columns >= width - margin_x) | (rows < margin_y) | (rows >= height - margin_y)
    ).ravel()
    base = np.where(in_ring, 2.0, 1.0) * valid
    u, v = np.where(valid, u, 0.0), np.where(valid, v, 0.0)

    start = valid & in_ring if (valid & in_ring).any() else valid
    matrix = np.eye(3)
    if start.any():
        matrix[0, 2], matrix[1, 2] = np.median(u[start]), np.median(v[start])
    floor = options.noise_floor_px / half
    fit = _fit_homography if options.model == "homography" else _fit_affine
    error = _residual(matrix, x, y, u, v)
    cutoff = np.inf
    for iteration in range(options.iterations):
        scale = 1.4826 * _median(error[valid]) if valid.any() else 0.0
        cutoff = 4.685 * max(scale, floor) * (1.5 if iteration < options.iterations // 3 else 1.0)
        weight = base * np.maximum(0.0, 1.0 - (error / cutoff) ** 2) ** 2
        fitted = fit(x, y, u, v, weight)
        if fitted is None:
            break  # too few points follow one motion (a tiny frame): keep what is known
        matrix = fitted
        error = _residual(matrix, x, y, u, v)

    inlier = valid & (error < cutoff)
    noise_px = 1.4826 * _median(error[inlier]) * half if inlier.any() else options.noise_floor_px
    in_pixels = np.linalg.inv(to_unit) @ matrix @ to_unit
    own = _residual(np.eye(3), x, y, *_camera_flow(matrix, x, y))
    return CameraMotion(
        matrix=in_pixels / in_pixels[2, 2],
        noise_px=noise_px,
        inlier_share=float(inlier.sum()) / max(1, int(valid.sum())),
        residual_px=np.where(valid, error * half, 0.0).reshape(grid_shape).astype(np.float32),
        displacement_px=float(own.mean()) * half,
    )


def _camera_flow(matrix: NDArray, x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    if matrix[2, 0] or matrix[2, 1] or matrix[2, 2] != 1:
        depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
        u, v = u / depth, v / depth
    return u - x, v - y


def _residual(matrix: NDArray, x: NDArray, y: NDArray, u: NDArray, v: NDArray) -> NDArray:
    camera_u, camera_v = _camera_flow(matrix, x, y)
    away_u, away_v = u - camera_u, v - camera_v
    return np.sqrt(away_u * away_u + away_v * away_v)  # in shares of the frame: no overflow, a fifth of hypot's time


def _median(values: NDArray) -> float:
    """As numpy.median, in a fifth of the time; at least one value, all finite."""
    middle = values.size // 2
    lower = middle - 1 if values.size % 2 == 0 else middle
    sorted_there = np.partition(values, (lower, middle))
    return 0.5 * float(sorted_there[lower] + sorted_there[middle])


def _solve(columns: NDArray, targets: NDArray, weight: NDArray) -> NDArray | None:
    """Weighted least squares on (columns, n) and (targets, n); a row of the result per column, a column per target."""
    # einsum without optimisation adds in one thread: a matrix product would round by the number of BLAS threads.
    weighted = columns * weight
    normal = np.einsum("in,jn->ij", weighted, columns)
    right = np.einsum("in,jn->ij", weighted, targets)
    if not np.isfinite(normal).all() or np.linalg.cond(normal) > 1e12:
        return None
    return np.linalg.solve(normal, right)


def _fit_affine(x: NDArray, y: NDArray, u: NDArray, v: NDArray, weight: NDArray) -> NDArray | None:
    solution = _solve(np.stack([x, y, np.ones_like(x)]), np.stack([x + u, y + v]), weight)
    return None if solution is None else np.vstack([solution.T, [0.0, 0.0, 1.0]])


def _fit_homography(x: NDArray, y: NDArray, u: NDArray, v: NDArray, weight: NDArray) -> NDArray | None:
    # x' (h6 x + h7 y + 1) = h0 x + h1 y + h2, and the same for y': linear in the eight unknowns.
    to_x, to_y = x + u, y + v
    zero = np.zeros_like(x)
    first = [x, y, np.ones_like(x), zero, zero, zero, -x * to_x, -y * to_x]
    second = [zero, zero, zero, x, y, np.ones_like(x), -x * to_y, -y * to_y]
    rows = np.stack([np.concatenate(pair) for pair in zip(first, second, strict=True)])
    solution = _solve(rows, np.concatenate([to_x, to_y])[None], np.concatenate([weight, weight]))
    if solution is None:
        return None
    matrix = np.append(solution[:, 0], 1.0).reshape(3, 3)
    # A depth that vanishes inside the frame throws pixels to infinity: no camera does that from frame to frame.
    return matrix if (matrix[2, 0] * x + matrix[2, 1] * y + 1.0).min() > LEAST_DEPTH else None
