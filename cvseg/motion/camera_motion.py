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
    from cvseg.kernels.motion.camera_fit import camera_fit

    options = options or CameraMotionOptions()
    size = check_shapes("estimate_camera_motion", flow_xy=(flow_xy, "H W 2"))
    check_dtype("estimate_camera_motion", np.float32, flow_xy=flow_xy)
    height, width = size["H"], size["W"]
    if height * width == 0:
        raise ShapeError(f"estimate_camera_motion: flow_xy is {tuple(flow_xy.shape)}; expected at least one pixel.")
    step = max(1, int(np.sqrt(height * width / options.samples)))
    fit = camera_fit(
        np.ascontiguousarray(to_host(flow_xy[::step, ::step].copy())),
        step,
        (height, width),
        ring=options.ring,
        floor_px=options.noise_floor_px,
        iterations=options.iterations,
        projective=options.model == "homography",
    )
    # Coordinates of about [-1, 1] kept the equations well conditioned.
    half = max(width, height) / 2.0
    to_unit = np.array([[1 / half, 0, -width / 2 / half], [0, 1 / half, -height / 2 / half], [0, 0, 1]])
    in_pixels = np.linalg.inv(to_unit) @ fit.matrix @ to_unit
    return CameraMotion(
        matrix=in_pixels / in_pixels[2, 2],
        noise_px=fit.scale * half if np.isfinite(fit.scale) else options.noise_floor_px,
        inlier_share=fit.inlier_share,
        residual_px=(fit.error * half).astype(np.float32),
        displacement_px=fit.displacement * half,
    )
