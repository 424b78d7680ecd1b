"""What is fixed on the screen while the camera moves: captions and logos, which move against the world like objects."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.kernels.filtering.box_mean import box_mean
from cvseg.kernels.warping.warp_backward import warp_backward

LAGS = 8, 16, 24  # frames between two that are compared: the first over which the camera has moved enough
LEAST_CAMERA_PX = 3.0
MEMORY = 15  # frames over which gradients are averaged
LEAST_RUN = 12  # frames that a gradient must have stood
LEAST_PROOFS = 5  # of them in which the camera's motion should have changed the pixel, and did not
MOST_FAILED = 0.2  # share of those in which it should have, and the pixel changed: a run of more is none
LEAST_GRADIENT = 0.04  # grey per pixel
MOST_UNREST = 0.25  # root mean square deviation of the gradient from its mean, as a share of it
BREAK = 0.5  # deviation in one frame, as a share, with which another run begins
NOISE = 0.01  # grey
LEAST_PX = 0.3  # motion against the world that proves something, as change of grey over gradient
EXACT_PX = 0.2  # motion on the screen, as change of grey over gradient: what a camera follows by hand moves more
NEAR_PX = 7  # half the window in which fixed pixels count
# Share of fixed pixels there at which the place begins to count, and counts in full. Text has 5 to 12 %.
FAINT, FULL = 0.015, 0.03
# Length of the mean of their gradients' doubled directions, at which a place counts in full and begins to count. Text
# has up to 0.6; a single line has 1, and is fixed along itself on whatever moves along it.
FULL_ALIKE, MOST_ALIKE = 0.75, 0.95
# Captions keep out of the middle, and what stays there is followed: distances from it, 1 at the middle of each side, at
# which places begin to count, and count in full.
MIDDLE, OUTSIDE = 0.5, 0.7


@dataclass(frozen=True)
class ScreenFixed:
    """What is fixed on the screen around a frame.

    Attributes
    ----------
    share : (h, w) float32 in [0, 1]; 1 is certain
    frames : (h, w) float32, for how long it has been there
    """

    share: Any
    frames: Any


class ScreenFixedMap:
    """Finds what stays at its pixels, exactly, while the camera's motion carries everything else on.

    A pixel is fixed when its gradient has hardly changed for twelve frames, and in at least five of them the frame of
    8, 16 or 24 frames before, moved as the camera has moved since, is unlike this one there, and unmoved it is like it.
    Edges along the camera's motion fit both ways and prove nothing. An object that the camera follows stays in its
    place, but not to a fifth of a pixel, or only edges of one direction do; where it is, in the middle, nothing counts.
    Fixed pixels count where there are several, of several directions, as in text.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> world = np.kron(rng.random((16, 40)), np.ones((6, 6))).astype(np.float32)
    >>> text = np.kron(rng.random((5, 10)) > 0.5, np.ones((3, 3))).astype(np.float32)
    >>> fixed, step = ScreenFixedMap(), np.array([[1, 0, -1], [0, 1, 0], [0, 0, 1.0]])  # to the frame before
    >>> for t in range(25):
    ...     gray = world[:, t : t + 120].copy()
    ...     gray[78:93, 20:50] = text
    ...     found = fixed.push(gray, step)
    >>> bool(found.share[80:91, 22:48].mean() > 0.9), float(found.share[:60].max())
    (True, 0.0)
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, after a cut of the film."""
        self._past: deque[tuple[Any, NDArray]] = deque(maxlen=max(LAGS))
        self._means: Any = None
        self._squares: Any = None
        self._runs: Any = None
        self._proofs: Any = None
        self._failures: Any = None
        self._outside: Any = None

    def push(self, gray: Any, camera_back: NDArray[np.float64]) -> ScreenFixed | None:
        """Take in the next frame.

        Parameters
        ----------
        gray : (h, w) float32 in [0, 1]
        camera_back : (3, 3), where the background goes from this frame to the one before; not used for the first frame

        Returns
        -------
        ScreenFixed, or None where nothing is. Two numbers are read back, which synchronises a GPU.

        Raises
        ------
        ShapeError, DtypeError
        """
        check_shapes("ScreenFixedMap.push", gray=(gray, "h w"))
        check_dtype("ScreenFixedMap.push", "float32", gray=gray)
        xp = array_module(gray)
        if min(gray.shape) < 3:
            return None
        gradient = xp.zeros((2, *gray.shape), np.float32)
        gradient[0, :, 1:-1] = (gray[:, 2:] - gray[:, :-2]) * np.float32(0.5)
        gradient[1, 1:-1] = (gray[2:] - gray[:-2]) * np.float32(0.5)
        self._follow(gradient, xp)
        # To where each frame of the past shows what this one does.
        self._past = deque(((image, matrix @ camera_back) for image, matrix in self._past), maxlen=max(LAGS))
        strength2 = (self._means * self._means).sum(axis=0)
        unrest2 = self._squares - strength2
        steady = (
            (strength2 > np.float32(LEAST_GRADIENT**2))
            & (unrest2 < np.float32(MOST_UNREST**2) * strength2)
            & (self._runs >= np.float32(LEAST_RUN))
        )
        if bool(steady.any()):
            self._prove(gray, steady, xp.sqrt(strength2))
        self._past.append((gray, np.eye(3)))
        failed = self._failures > np.float32(MOST_FAILED) * (self._proofs + self._failures)
        fixed = steady & (self._proofs >= np.float32(LEAST_PROOFS)) & ~failed
        if not bool(fixed.any()):
            return None
        counted, (x, y) = fixed.astype(np.float32), self._means
        direction = counted / xp.maximum(strength2, np.float32(LEAST_GRADIENT**2))
        planes = xp.stack([counted, counted * self._runs, (x * x - y * y) * direction, 2 * x * y * direction])
        near, runs, cosine, sine = box_mean(planes, np.int32(NEAR_PX))
        share = xp.clip((near - np.float32(FAINT)) / np.float32(FULL - FAINT), np.float32(0), np.float32(1))
        near = xp.maximum(near, np.float32(1e-6))
        unlike = np.float32(MOST_ALIKE) - xp.hypot(cosine, sine) / near
        share *= xp.clip(unlike / np.float32(MOST_ALIKE - FULL_ALIKE), np.float32(0), np.float32(1))
        share *= self._outside
        return ScreenFixed(share, runs / near)

    def _follow(self, gradient: Any, xp: Any) -> None:
        """Means of the gradient since its run began, at most of the last frames."""
        squares = (gradient * gradient).sum(axis=0)
        if self._means is None:
            self._means, self._squares = gradient, squares
            self._outside = to_device(_outside(*squares.shape), device_of(gradient))
            self._runs = xp.ones(squares.shape, np.float32)
            self._proofs, self._failures = (xp.zeros(squares.shape, np.float32) for _ in range(2))
            return
        away = gradient - self._means
        limit = np.float32(BREAK**2) * (self._means * self._means).sum(axis=0) + np.float32(NOISE**2)
        goes_on = (away * away).sum(axis=0) <= limit
        self._runs = xp.where(goes_on, self._runs + np.float32(1), np.float32(1))
        self._proofs *= goes_on
        self._failures *= goes_on
        pace = np.float32(1) / xp.minimum(self._runs, np.float32(MEMORY))
        self._means = self._means + pace * away
        self._squares = self._squares + pace * (squares - self._squares)

    def _prove(self, gray: Any, steady: Any, strength: Any) -> None:
        """Where the camera's motion should have brought something else by now."""
        xp = array_module(gray)
        height, width = gray.shape
        for lag in LAGS:
            if lag > len(self._past):
                return
            image, matrix = self._past[-lag]
            camera_xy = _motion(matrix, height, width)
            if float(np.hypot(camera_xy[..., 0], camera_xy[..., 1]).mean()) >= LEAST_CAMERA_PX:
                break
        else:
            return
        carried = warp_backward(image, to_device(camera_xy, device_of(gray)))
        unlike_world, unlike_screen = xp.abs(carried - gray), xp.abs(image - gray)
        tested = steady & (unlike_world > np.float32(LEAST_PX) * strength + np.float32(2 * NOISE))
        exact = unlike_screen < np.float32(EXACT_PX) * strength + np.float32(NOISE)
        self._proofs += tested & exact & (unlike_world > np.float32(2) * unlike_screen)
        self._failures += tested & ~exact


def _outside(height: int, width: int) -> NDArray[np.float32]:
    """(h, w) float32: 0 in the middle of the frame, 1 along its sides."""
    y, x = (np.linspace(-1, 1, side)[:, None] for side in (height, width))
    return np.clip((np.hypot(y, x.T) - MIDDLE) / (OUTSIDE - MIDDLE), 0, 1).astype(np.float32)


def _motion(matrix: NDArray, height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 2) float32, where a camera motion takes each pixel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    to_x = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth
    to_y = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth
    return np.stack([to_x - x, to_y - y], axis=-1).astype(np.float32)
