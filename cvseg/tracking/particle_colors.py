"""`TargetColors`: what a particle filter remembers of the colours of its target and of what surrounds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import device_of, to_device, to_host

Array = NDArray[np.float64]

HUES, SATURATIONS, VALUES = 10, 10, 10
BINS = HUES * SATURATIONS + VALUES
LEAST_SATURATION, LEAST_VALUE = 0.1, 0.2  # below, a hue is noise
GRID_HW = (24, 16)  # points across the box
MOST_WEIGHT = 16  # of a point in the middle
RING = 1.45  # outer side of the ring, in sides of the box
RING_POINTS = 14  # along a side of the ring
AROUND_HW = (40, 40)  # points from which foreground and background are learned
AROUND = 2.2  # side of the region that they cover, in sides of the box
SHARE_BINS = 16  # per channel, for the foreground share
UNKNOWN_SHARE = 0.35  # of a colour never seen: it is likelier part of the much larger background
PRIOR = 0.004  # of all pixels of a side: what a colour needs to speak clearly
BACKGROUND_RATE = 0.1
MOST_DIFFERENCE = 160.0  # as in kernels/particles/particle_scores.py
SIZE_AS_IT_IS = 30.0  # of a target, pixels: pictures of larger ones are shrunk, or points would fall between details
MOST_SHRUNK = 16
STATE = ("_first", "_recent", "_first_sides", "_sides", "_known")


@dataclass(frozen=True)
class WorkPicture:
    """A frame as it is looked at: (h, w, 3) uint8, `factor` times smaller than it came."""

    image: Any
    factor: int


def work_picture(image: Any, size_px: float) -> WorkPicture:
    """Shrink a frame so that neighbouring sample points of a target see neighbouring pixels."""
    from cvseg.kernels.color.shrink_rgb import shrink_rgb

    factor = min(max(round(size_px / SIZE_AS_IT_IS), 1), MOST_SHRUNK)
    return WorkPicture(image if factor == 1 else shrink_rgb(image, np.int32(factor)), factor)


class SamplePoints:
    """Where the colours of a box are read: a grid in an ellipse, heavier in the middle, and a ring around the box.

    Attributes
    ----------
    offsets : (k, 2) float32 in half sides from the centre
    bands : (k,) int32 horizontal band from above, `parts` for the ring
    weights : (k,) int32
    scales : (parts + 2,) float32, what makes means of sums, for the kernel
    inside : (k,) bool, not of the ring
    """

    def __init__(self, parts: int) -> None:
        rows, columns = GRID_HW
        down, right = (2 * np.arange(rows) + 1) / rows - 1, (2 * np.arange(columns) + 1) / columns - 1
        y, x = (axis.ravel() for axis in np.meshgrid(down, right, indexing="ij"))
        weight = np.rint(MOST_WEIGHT * (1 - x**2 - y**2)).astype(np.int32)
        kept = weight > 0
        band = np.minimum((y + 1) * 0.5 * parts, parts - 1).astype(np.int32)
        # The ring: a frame of points between the box and `RING` times the box.
        edge = np.linspace(-1, 1, RING_POINTS)
        frames = []
        for radius in (1.15, RING):
            frames += [(radius * v, -radius) for v in edge] + [(radius * v, radius) for v in edge]
            frames += [(-radius, radius * v) for v in edge[1:-1]] + [(radius, radius * v) for v in edge[1:-1]]
        ring = np.array(frames)
        self.parts = parts
        self.offsets = np.concatenate([np.stack([x[kept], y[kept]], 1), ring]).astype(np.float32)
        self.bands = np.concatenate([band[kept], np.full(len(ring), parts)]).astype(np.int32)
        self.weights = np.concatenate([weight[kept], np.ones(len(ring))]).astype(np.int32)
        self.inside = self.bands < parts
        totals = np.bincount(self.bands, self.weights, parts + 1)
        inside = totals[:parts]
        self.scales = np.concatenate([1 / np.sqrt(inside), [1 / inside.sum() / 255, 1 / totals[parts] / 255]]).astype(
            np.float32
        )


@lru_cache(maxsize=8)
def sample_points(parts: int) -> SamplePoints:
    """The points for a number of bands; they are the same for every target."""
    return SamplePoints(parts)


@lru_cache(maxsize=1)
def color_bins() -> NDArray[np.uint8]:
    """Histogram bin of every colour of 5 bits a channel, (32768,) uint8.

    10 x 10 bins of hue and saturation where a colour is vivid and bright enough, else one of 10 bins of its value.

    References
    ----------
    [Perez2002]_ section 3.1.
    """
    levels = (np.arange(32) * 8 + 4) / 255
    red, green, blue = (axis.ravel() for axis in np.meshgrid(levels, levels, levels, indexing="ij"))
    value, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    spread = value - least
    saturation = spread / value
    safe = np.where(spread > 0, spread, 1)
    sector = np.where(
        value == red,
        ((green - blue) / safe) % 6,
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue_bin = np.minimum(sector / 6 * HUES, HUES - 1).astype(int)
    saturation_bin = np.minimum(saturation * SATURATIONS, SATURATIONS - 1).astype(int)
    value_bin = np.minimum(value * VALUES, VALUES - 1).astype(int)
    vivid = (saturation > LEAST_SATURATION) & (value > LEAST_VALUE)
    return np.where(vivid, hue_bin * SATURATIONS + saturation_bin, HUES * SATURATIONS + value_bin).astype(np.uint8)


class TargetColors:
    """Histograms of the bands of a target, and how far each colour speaks for it against its surroundings.

    Parameters
    ----------
    parts : number of horizontal bands
    first_share : share of the colours of the start that is kept for ever
    """

    def __init__(self, parts: int, first_share: float) -> None:
        self.points = sample_points(parts)
        self.first_share = first_share
        empty = np.zeros((parts, BINS))
        self._first, self._recent = empty, empty
        self._first_sides = self._sides = np.zeros((2, SHARE_BINS**3))
        self._known = np.zeros((len(self.points.bands), 3))
        self._tables: dict[str, tuple[Any, ...]] = {}

    def start(self, picture: WorkPicture, box: Array, mask: Any = None) -> None:
        """Learn a target from its first sight; `box` is (4,) centre x, y and half sides, pixels of the whole frame."""
        self._first = self._recent = self._histograms(picture, box, mask)
        self._first_sides = self._sides = self._evidence(picture, box, mask)
        self._known = self._point_colors(picture, box)
        self._tables = {}

    def learn(self, picture: WorkPicture, box: Array, rate: float, point_rate: float) -> None:
        """Blend what is seen now into the memory."""
        self._recent = (1 - rate) * self._recent + rate * self._histograms(picture, box, None)
        self._known = (1 - point_rate) * self._known + point_rate * self._point_colors(picture, box)
        sides = self._evidence(picture, box, None)
        # The background changes with every step, the target slowly.
        rates = np.array([rate, BACKGROUND_RATE if rate else 0.0])[:, None]
        self._sides = (1 - rates) * self._sides + rates * sides
        self._tables = {}

    def scores(self, picture: WorkPicture, boxes: Array) -> Array:
        """(n, parts + 3) on the host.

        Likeness of every band, foreground share inside, foreground share of the ring, mean difference of the points.
        """
        from cvseg.kernels.particles.particle_scores import particle_scores

        device = device_of(picture.image)
        if device not in self._tables:
            self._tables[device] = tuple(to_device(array, device) for array in self._make_tables())
        placed = to_device((boxes / picture.factor).astype(np.float32), device)
        return np.asarray(to_host(particle_scores(picture.image, placed, *self._tables[device])), np.float64)

    def _make_tables(self) -> tuple[NDArray[Any], ...]:
        """What the kernel takes after image and boxes."""
        share = self.first_share
        target = share * self._first + (1 - share) * self._recent
        sides = np.stack([share * self._first_sides[0] + (1 - share) * self._sides[0], self._sides[1]])
        foreground, background = _blurred(sides)
        chance = (foreground + PRIOR * UNKNOWN_SHARE) / (foreground + background + PRIOR)
        fine = np.rint(chance * 255).astype(np.uint8).reshape((SHARE_BINS,) * 3)
        for axis in range(3):
            fine = fine.repeat(2, axis)
        fine = fine.reshape(-1)
        known = np.rint(self._known).astype(np.uint8)
        # Points whose colour belongs to the surroundings are no part of the target, such as those between its legs.
        weight = fine[_packed(known)].astype(np.float64) / 255 * self.points.weights * self.points.inside
        weight = np.rint(weight if weight.any() else self.points.weights * self.points.inside).astype(np.uint8)
        scale = 1 / (MOST_DIFFERENCE * max(float(weight.sum()), 1.0))
        return (
            self.points.offsets,
            self.points.bands,
            self.points.weights,
            np.stack([color_bins(), fine], axis=1),
            np.sqrt(target).astype(np.float32),
            np.concatenate([known, weight[:, None]], axis=1),
            np.append(self.points.scales, np.float32(scale)),
        )

    def _point_colors(self, picture: WorkPicture, box: Array) -> Array:
        """(k, 3) what the points see; outside the picture what they are known to see."""
        xy = (box[:2] + self.points.offsets * box[2:]) / picture.factor
        return np.where(_visible(picture.image, xy)[:, None], _values_at(picture.image, xy), self._known)

    def _histograms(self, picture: WorkPicture, box: Array, mask: Any) -> Array:
        """(parts, BINS), each row adding up to 1; what lies outside the picture is left out."""
        points, parts, inside = self.points, self.points.parts, self.points.inside
        xy = box[:2] + points.offsets[inside] * box[2:]
        colors, visible = _colors_at(picture, xy)
        weight = np.where(visible, points.weights[inside], 0).astype(np.float64)
        if mask is not None:
            within = _values_at(mask, xy) & visible
            weight = np.where(within, weight, 0) if within.any() else weight
        cells = points.bands[inside].astype(np.int64) * BINS + color_bins()[colors]
        counts = np.bincount(cells, weight, parts * BINS).reshape(parts, BINS)
        # A band without a single point (a mask that leaves it free) looks like the whole.
        whole = counts.sum(0, keepdims=True)
        whole = whole / max(whole.sum(), 1e-9)
        totals = counts.sum(1, keepdims=True)
        return np.where(totals > 0, counts / np.maximum(totals, 1e-9), whole)

    def _evidence(self, picture: WorkPicture, box: Array, mask: Any) -> Array:
        """(2, SHARE_BINS ** 3) colours of the target and of its surroundings, each adding up to 1."""
        rows, columns = AROUND_HW
        y, x = (
            axis.ravel()
            for axis in np.meshgrid(
                AROUND * ((2 * np.arange(rows) + 1) / rows - 1),
                AROUND * ((2 * np.arange(columns) + 1) / columns - 1),
                indexing="ij",
            )
        )
        xy = box[:2] + np.stack([x, y], 1) * box[2:]
        colors, visible = _colors_at(picture, xy)
        # The corners of a box are mostly background: neither side takes them.
        inside = x**2 + y**2 < 0.8
        outside = np.maximum(np.abs(x), np.abs(y)) > 1.1
        if mask is not None:
            within = _values_at(mask, xy)
            if (within & visible).any():
                inside, outside = within, ~within
        coarse = ((colors >> 11) << 8) | (((colors >> 6) & 15) << 4) | ((colors >> 1) & 15)
        sides = [np.bincount(coarse[visible & side], minlength=SHARE_BINS**3) for side in (inside, outside)]
        return np.stack([side / max(side.sum(), 1) for side in sides])

    def state_dict(self) -> dict[str, Any]:
        return {name: np.array(getattr(self, name)) for name in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name in STATE:
            setattr(self, name, np.array(state[name], np.float64))
        self._tables = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tables": {}}  # arrays of a GPU stay there


def _values_at(values: Any, xy: Array) -> NDArray[Any]:
    """Values at pixel places (n, 2); those outside take the border."""
    height, width = values.shape[:2]
    x = np.clip(np.floor(xy[:, 0]), 0, width - 1).astype(np.int64)
    y = np.clip(np.floor(xy[:, 1]), 0, height - 1).astype(np.int64)
    device = device_of(values)
    return np.asarray(to_host(values[to_device(y, device), to_device(x, device)]))


def _visible(image: Any, xy: Array) -> NDArray[np.bool_]:
    height, width = image.shape[:2]
    return np.asarray((xy[:, 0] >= 0) & (xy[:, 1] >= 0) & (xy[:, 0] < width) & (xy[:, 1] < height))


def _packed(colors: NDArray[Any]) -> NDArray[np.int64]:
    """Colours (n, 3) uint8 as numbers of 5 bits a channel."""
    red, green, blue = (colors >> 3).astype(np.int64).T
    return np.asarray((red << 10) | (green << 5) | blue)


def _colors_at(picture: WorkPicture, xy: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Colours of 5 bits a channel at places (n, 2) of the whole frame, and which of them lie in it."""
    placed = xy / picture.factor
    return _packed(_values_at(picture.image, placed)), _visible(picture.image, placed)


def _blurred(sides: Array) -> Array:
    """Blur (2, bins) with 1/4, 1/2, 1/4 along red, green and blue: neighbouring colours speak for each other."""
    cubes = sides.reshape(2, *(SHARE_BINS,) * 3)
    for axis in (1, 2, 3):
        padded = np.take(cubes, np.clip(np.arange(-1, SHARE_BINS + 1), 0, SHARE_BINS - 1), axis)
        below, middle, above = (np.take(padded, np.arange(first, first + SHARE_BINS), axis) for first in (0, 1, 2))
        cubes = 0.25 * below + 0.5 * middle + 0.25 * above
    return cubes.reshape(2, -1)
