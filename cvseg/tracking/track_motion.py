"""How tracks move: smoothed place, speed, heading and length of the path, in the picture or on the ground."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, RangeError, ShapeError
from cvseg.tracking.kalman_filter import KalmanOptions, box_to_measurement
from cvseg.tracking.track_smoothing import smooth_values

if TYPE_CHECKING:
    from cvseg.formats.mot_challenge import TrackTable

Array = NDArray[np.float64]

POINTS = ("foot", "center")
LARGEST_CONDITION = 1e12  # of a homography whose columns and rows are scaled to length 1


@dataclass(frozen=True, eq=False)
class TrackPath:
    """One track over time; n sights.

    Attributes
    ----------
    id : of the track
    frames : (n,) rising
    times_s : (n,) of the frames
    boxes_xyxy : (n, 4) pixels, as given
    points_xy : (n, 2) the point that is followed, pixels, smoothed
    places_xy : (n, 2) the same on the ground, metres; without a homography equal to `points_xy`
    velocities_xy : (n, 2) of the places, units per second; NaN for a track with one sight
    lengths : (n,) length of the path up to each sight, gaps as straight as the filter sees them
    """

    id: int
    frames: NDArray[np.int64]
    times_s: Array
    boxes_xyxy: Array
    points_xy: Array
    places_xy: Array
    velocities_xy: Array
    lengths: Array

    @property
    def speeds(self) -> Array:
        """(n,) units per second."""
        return np.asarray(np.hypot(self.velocities_xy[:, 0], self.velocities_xy[:, 1]))

    @property
    def headings_deg(self) -> Array:
        """(n,) 0 along x, 90 along y (in the picture: downwards), in [0, 360); NaN where the speed is 0 or unknown."""
        angle = np.degrees(np.arctan2(self.velocities_xy[:, 1], self.velocities_xy[:, 0])) % 360.0
        return np.asarray(np.where(self.speeds > 0, angle, np.nan))


def track_paths(
    table: TrackTable,
    times_s: Any,
    *,
    homography: Array | None = None,
    point: str = "foot",
    options: KalmanOptions | None = None,
) -> list[TrackPath]:
    """Measure the motion of all tracks of a table.

    The followed point is smoothed with all sights before and after it, by the noise model of the tracker's filter; what
    is between two sights of one track is filled by the filter, for the velocities and the length of the path.

    Parameters
    ----------
    table : tracks with ids; any order
    times_s : (frames,) presentation time of each frame up to the last of the table, rising
    homography : (3, 3), takes pixels (x, y, 1) to metres on the ground; see `read_homography`
    point : "foot", the middle of the lower side of the box, which stands on the ground; or "center"
    options : noise of measured boxes and unrest of the motion; a larger acceleration smooths less

    Returns
    -------
    list of TrackPath : by id

    Raises
    ------
    RangeError
        when times do not rise or are too few, or a point lies on or beyond the horizon of the homography.

    References
    ----------
    [Rauch1965]_

    Examples
    --------
    >>> from cvseg.formats.mot_challenge import TrackTable
    >>> frames = np.arange(5)
    >>> boxes = np.array([[0.0, 0, 8, 20]]) + 3.0 * frames[:, None] * np.array([1, 0, 1, 0])
    >>> table = TrackTable(frames.astype(np.int32), np.ones(5, np.int32), boxes, np.ones(5), -np.ones((5, 3)))
    >>> (path,) = track_paths(table, frames / 25)
    >>> path.speeds[2].round(1).item(), path.headings_deg[2].round(1).item(), path.lengths[-1].round(1).item()
    (74.7, 0.0, 12.0)
    """
    options = options or KalmanOptions()
    clock = np.asarray(times_s, np.float64)
    if len(table) and len(clock) <= int(table.frames.max()):
        raise RangeError(
            f"track_paths: {len(clock)} times for frames up to {int(table.frames.max())}; expected a time for each."
        )
    if len(clock) > 1 and not (np.diff(clock) > 0).all():
        raise RangeError("track_paths: the times do not rise from frame to frame; expected presentation times.")
    paths = []
    for number in np.unique(table.ids).tolist():
        rows = np.flatnonzero(table.ids == number)
        rows = rows[np.argsort(table.frames[rows], kind="stable")]
        frames = table.frames[rows].astype(np.int64)
        paths.append(_path(number, frames, table.boxes_xyxy[rows], clock, homography, point, options))
    return paths


def followed_points(boxes_xyxy: Array, point: str) -> Array:
    """(n, 2) the middle of the lower side ("foot") or of the box ("center").

    >>> followed_points(np.array([[0.0, 0, 4, 10]]), "foot").tolist()
    [[2.0, 10.0]]
    """
    x = 0.5 * (boxes_xyxy[:, 0] + boxes_xyxy[:, 2])
    y = boxes_xyxy[:, 3] if point == "foot" else 0.5 * (boxes_xyxy[:, 1] + boxes_xyxy[:, 3])
    return np.stack([x, y], axis=1)


def on_ground(points_xy: Array, homography: Array | None) -> Array:
    """Points (n, 2) of the picture taken to the ground; NaN for those on or beyond the horizon.

    >>> on_ground(np.array([[4.0, 2.0]]), np.diag([0.5, 0.5, 1.0])).tolist()
    [[2.0, 1.0]]
    """
    if homography is None:
        return points_xy
    u, v, w = homography @ np.stack([points_xy[:, 0], points_xy[:, 1], np.ones(len(points_xy))])
    # The sign of w is free in a homography, but it turns at the horizon: most points lie on the near side.
    near = 1.0 if np.median(w) >= 0 else -1.0
    w = np.where(w * near > 1e-12 * np.abs(homography[2]).max(), w, np.nan)
    return np.stack([u / w, v / w], axis=1)


def read_homography(path: str | Path) -> Array:
    """Read a homography, picture to ground: 3 lines of 3 numbers, or JSON, a list of 3 lists or {"homography": ...}.

    Returns
    -------
    (3, 3) float64, as in the file

    Raises
    ------
    FormatError
        when the file is missing or holds no such numbers, or the matrix has no inverse.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a file with 3 x 3 numbers. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected 3 x 3 numbers.") from None
    try:
        if text.lstrip()[:1] in ("[", "{"):
            read = json.loads(text)
            rows: Any = read.get("homography", ()) if isinstance(read, dict) else read
        else:
            rows = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
        matrix = np.array([[float(value) for value in row] for row in rows], np.float64)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path} does not hold 3 lines of 3 numbers ({error}); expected a 3 x 3 matrix.") from None
    try:
        check_homography(matrix)
    except (ShapeError, RangeError) as error:
        raise FormatError(f"{path}: {error}") from None
    return matrix


def check_homography(matrix: Array) -> None:
    """Refuse what cannot take pixels to the ground and back.

    Raises
    ------
    ShapeError, RangeError
    """
    if np.shape(matrix) != (3, 3):
        raise ShapeError(f"the homography is {np.shape(matrix)}; expected (3, 3), picture to ground.")
    if not np.isfinite(matrix).all():
        raise RangeError("the homography holds NaN or infinite numbers; expected 9 finite ones.")
    # Metres per pixel and pixels beside ones: only the directions of the rows and columns say whether it is singular.
    scaled = np.array(matrix, np.float64)
    for axis in (0, 1, 0, 1):
        length = np.linalg.norm(scaled, axis=axis, keepdims=True)
        if not (length > 0).all():
            raise RangeError("the homography has an empty row or column and no inverse; expected picture to ground.")
        scaled = scaled / length
    if np.linalg.cond(scaled) > LARGEST_CONDITION:
        raise RangeError("the homography has no inverse; expected 4 points of the ground, no 3 of them on one line.")


def _path(
    number: int,
    frames: NDArray[np.int64],
    boxes: Array,
    clock: Array,
    homography: Array | None,
    point: str,
    options: KalmanOptions,
) -> TrackPath:
    steps = frames - frames[0]
    points = _smoothed(steps, boxes, followed_points(boxes, point), options)
    places = on_ground(points, homography)
    if not np.isfinite(places).all():
        row = int(np.flatnonzero(~np.isfinite(places).all(1))[0])
        x, y = points[row]
        raise RangeError(
            f"track_paths: track {number} stands at ({x:.0f}, {y:.0f}) px, which the homography takes to or "
            "beyond the horizon; expected points on the ground. Check the homography, or leave that region out."
        )
    times = clock[frames[0] : frames[-1] + 1]
    velocities = np.full(places.shape, np.nan)
    if len(times) > 1:
        velocities[:] = np.gradient(places, times, axis=0)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    return TrackPath(
        number, frames, times[steps], boxes, points[steps], places[steps], velocities[steps], np.asarray(way[steps])
    )


def _smoothed(steps: NDArray[np.int64], boxes: Array, points: Array, options: KalmanOptions) -> Array:
    """(steps[-1] + 1, 2) the point in every frame from the first to the last sight."""
    count = int(steps[-1]) + 1
    values, seen = np.zeros((count, 2)), np.zeros((count, 2), bool)
    values[steps], seen[steps] = points, True
    sides = np.exp(np.median([box_to_measurement(box)[2:] for box in boxes], axis=0))
    noise = np.broadcast_to((options.position_noise * sides + 0.5) ** 2, (count, 2))
    size = float(np.sqrt(sides.prod()))
    push = np.full(2, (options.acceleration * size + 0.05) ** 2)
    return smooth_values(values, seen, noise, np.full(2, 1e-6), push)
