"""`TrackState`: what a tracker remembers of one object, and how it is born, confirmed, lost and ended.

tentative --(seen in min_hits frames; a child: split_after frames apart)--> confirmed
    |                                                             |
    +--(not seen once)--> ended                                   +--(max_age frames not seen)--> ended
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.covered import whole_box
from cvseg.tracking.kalman_filter import Box, BoxKalmanFilter, KalmanOptions

TENTATIVE, CONFIRMED, LOST, ENDED = "tentative", "confirmed", "lost", "ended"
# The usual area follows growth fast and shrinking slowly: most shrinking is a passing obstacle.
AREA_RISE, AREA_FALL = 0.3, 0.15
AREA_RISE_LATER = 0.08
COVERED_FALL = 0.015  # where one side is seen to be covered
YOUNG = 15
COVERED = 1.8  # usual area per area from which the sides of the box say nothing
MOST_COVER_NOISE = 3.0
EDGE = 1.5  # pixels from the edge of the picture, at most, at which it must have been seen to have walked out
WHOLE, COVERED_MOSTLY = 0.8, 0.5  # shares of its usual area from which it is seen well, and below which it is not
WELL_AFTER = 5  # frames seen well that make it known
HISTOGRAM_RATE = 0.1  # share of the newest colour histogram; small, so that a moment's occluder leaves no trace
PAST = (
    "id",
    "first_frame",
    "before_area",
    "before_wh",
    "before_histogram",
    "before_xy",
    "before_velocity_xy",
    "lost_for",
)


@dataclass
class TrackState:
    """One object.

    Attributes
    ----------
    filter : its predicted box
    slot : value of its pixels in the tracker's own label map; 0 while it has none
    id : public number, 0 until confirmed
    status : tentative, confirmed, lost or ended
    hits, missed : frames seen in all, frames not seen in a row
    first_frame : number of the frame, among those given to the tracker, in which it was first seen
    own_from : number of the frame from which its pixels carry its number
    area_px : usual number of pixels, of frames in which it was alone in its component
    usual_wh : usual sides of the box, of the same frames
    mask_px : number of pixels when last seen
    box_xyxy : box when last seen
    frames_alone : frames in which it had a component to itself
    frames_shared : frames in a row in which it shared a component with other tracks
    frames_since_shared : frames since it last did
    group : non-zero and equal for tracks that shared one component in the last frame
    parent : the track that it came off; its pixels carry the parent's number until it is confirmed
    frames_apart : frames in a row in which it was large or far from its parent and kept its share of the area
    far : as a child: there is a gap between it and its parent, which is then measured without it
    part_share : that share when the count began
    histogram : (512,) colours, adding up to 1; None without images
    birth_xy : centre of the box at the first sight, or at the return
    before_area, before_wh, before_histogram : usual area, sides and colours when it was last lost; area 0: never
    before_xy, before_velocity_xy : where it was last seen before that, and how it moved
    lost_for : frames since then
    seen_well : frames in a row in which it was seen alone and whole
    known : it has been seen well since it was last hidden
    in_doubt : it shares a component or is mostly covered; what appears then may be another
    late_px : number of pixels of late, to see whether it still grows
    back_for : frames since it came back
    """

    filter: BoxKalmanFilter
    slot: int
    id: int = 0
    status: str = TENTATIVE
    hits: int = 1
    missed: int = 0
    first_frame: int = 0
    own_from: int = 0
    area_px: float = 0.0
    usual_wh: tuple[float, float] = (0.0, 0.0)
    mask_px: float = 0.0
    box_xyxy: Box = (0.0, 0.0, 0.0, 0.0)
    frames_alone: int = 0
    frames_shared: int = 0
    frames_since_shared: int = 1_000_000
    group: int = 0
    parent: TrackState | None = field(default=None, repr=False)
    frames_apart: int = 0
    far: bool = False
    part_share: float = 0.0
    histogram: NDArray[np.float64] | None = field(default=None, repr=False)
    birth_xy: tuple[float, float] = (0.0, 0.0)
    before_area: float = 0.0
    before_wh: tuple[float, float] = (0.0, 0.0)
    before_histogram: NDArray[np.float64] | None = field(default=None, repr=False)
    before_xy: tuple[float, float] = (0.0, 0.0)
    before_velocity_xy: tuple[float, float] = (0.0, 0.0)
    lost_for: int = 0
    late_px: float = 0.0
    seen_well: int = 0
    known: bool = False
    in_doubt: bool = False
    back_for: int = 0

    def move(self, camera_matrix: NDArray[np.float64]) -> None:
        """Carry all places along with the camera."""
        self.filter.move(camera_matrix)
        self.birth_xy = _moved(self.birth_xy, camera_matrix)
        self.before_xy = _moved(self.before_xy, camera_matrix)

    def see(self, box_xyxy: Box, area_px: float, *, own_px: float, shared: bool, shared_noise: float) -> None:
        """Take in this frame's pixels, `own_px` of them its own and the others its children's.

        A part of a shared component moves the centre a little, and no side.
        """
        if shared:
            self.filter.update(box_xyxy, noise=shared_noise, keep_size=True)
            self.frames_shared += 1
            self.frames_since_shared = 0
        else:
            # Much smaller than usual: something covers a part, and the centre of the rest lies elsewhere.
            cover = self.area_px / max(area_px, 1.0)
            whole, one_sided = whole_box(box_xyxy, self.filter.box_xyxy, self.usual_wh)
            if one_sided:
                self.filter.update(whole, noise=1.5)
            else:
                self.filter.update(box_xyxy, noise=min(max(cover, 1.0), MOST_COVER_NOISE), keep_size=cover > COVERED)
            rise = AREA_RISE if self.frames_alone < YOUNG else AREA_RISE_LATER
            fall = COVERED_FALL if one_sided or cover > COVERED else AREA_FALL
            self.area_px = _followed(self.area_px, area_px, rise, fall) if self.hits > 1 else area_px
            sides = box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1]
            self.usual_wh = (
                (_followed(self.usual_wh[0], sides[0], rise, fall), _followed(self.usual_wh[1], sides[1], rise, fall))
                if self.hits > 1
                else sides
            )
            self.frames_alone += 1
            self.frames_shared = 0
            self.frames_since_shared += 1
        little = shared or area_px < COVERED_MOSTLY * self.area_px
        if self.known and little:
            self._remember()
            self.in_doubt = True
        if self.hits == 0 or self.missed or (self.in_doubt and not little):
            self.birth_xy = 0.5 * (box_xyxy[0] + box_xyxy[2]), 0.5 * (box_xyxy[1] + box_xyxy[3])
            self.back_for = 0
            self.late_px = area_px
            self.in_doubt = False
        self.seen_well = 0 if shared or area_px < WHOLE * self.area_px else self.seen_well + 1
        self.known = self.known or self.seen_well >= WELL_AFTER
        self.late_px = 0.7 * self.late_px + 0.3 * area_px
        self.back_for += 1
        self.lost_for += 1
        self.box_xyxy = box_xyxy
        self.mask_px = own_px
        self.hits += 1
        self.missed = 0
        if self.status == LOST:
            self.status = CONFIRMED

    def miss(self, max_age: int, size_hw: tuple[int, int]) -> None:
        """Not seen in this frame."""
        if not self.missed and self.frames_alone and (self.known or self.before_area == 0):
            self._remember()
        self.seen_well = 0
        self.in_doubt = False
        self.missed += 1
        self.lost_for += 1
        self.frames_shared = 0
        self.frames_since_shared += 1
        self.frames_apart = self.group = 0
        self.slot = 0
        gone = self._left(size_hw)
        if self.status == TENTATIVE or self.missed > max_age or gone:
            self.status = ENDED
        else:
            self.status = LOST

    def _remember(self) -> None:
        """It is about to be hidden, or is for the greater part: keep what it was."""
        self.before_area, self.before_wh, self.before_histogram = self.area_px, self.usual_wh, self.histogram
        x0, y0, x1, y1 = self.filter.seen_box_xyxy
        self.before_xy = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
        self.before_velocity_xy = self.filter.seen_velocity_xy
        self.lost_for = 0
        self.known = False

    def _left(self, size_hw: tuple[int, int]) -> bool:
        """Whether it has walked out of the picture. Who vanished in the middle of it is behind something."""
        height, width = size_hw
        x, y = self.filter.center_xy
        if 0 <= x < width and 0 <= y < height:
            return False
        x0, y0, x1, y1 = self.filter.seen_box_xyxy
        return min(x0, y0, width - x1, height - y1) <= EDGE

    def learn_colors(self, counts: NDArray[np.int32]) -> None:
        """Blend this frame's colour counts (512,) into the histogram."""
        total = int(counts.sum())
        # What is seen between a loss and a good sight may be another's.
        if total == 0 or (self.histogram is not None and self.before_area > 0 and not self.known):
            return
        newest = counts / total
        if self.histogram is None:
            self.histogram = newest
        else:
            self.histogram = (1 - HISTOGRAM_RATE) * self.histogram + HISTOGRAM_RATE * newest

    def become(self, lost: TrackState) -> None:
        """Turn out to be `lost`, seen again: take over its number and its past."""
        self.id, self.status = lost.id, CONFIRMED
        self.first_frame, self.hits = lost.first_frame, lost.hits + self.hits
        self.frames_alone += lost.frames_alone
        self.before_area, self.before_wh, self.before_histogram = lost.before_area, lost.before_wh, lost.histogram
        self.before_xy, self.before_velocity_xy = lost.before_xy, lost.before_velocity_xy
        self.lost_for = lost.lost_for
        self.histogram = lost.histogram if lost.histogram is not None else self.histogram

    def exchange_past(self, other: TrackState) -> None:
        """Two tracks had each other's numbers."""
        for name in PAST:
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, its)
            setattr(other, name, mine)
        for track in (self, other):
            if track.before_histogram is not None:
                track.histogram = track.before_histogram
            if track.status == LOST:
                track.area_px, track.usual_wh = track.before_area, track.before_wh
                track.filter.restart(track.before_xy, track.before_velocity_xy, track.before_wh, track.lost_for)

    def state_dict(self) -> dict[str, Any]:
        names = [name for name in self.__dataclass_fields__ if name not in ("filter", "parent")]
        return {"filter": self.filter.state_dict(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], options: KalmanOptions) -> TrackState:
        values = dict(state)
        kalman = BoxKalmanFilter(values["box_xyxy"], options)
        kalman.load_state_dict(values.pop("filter"))
        return cls(filter=kalman, **values)


def _followed(usual: float, newest: float, rise: float, fall: float) -> float:
    rate = rise if newest > usual else fall
    return (1 - rate) * usual + rate * newest


def _moved(point_xy: tuple[float, float], matrix: NDArray[np.float64]) -> tuple[float, float]:
    u, v, w = matrix @ np.array([*point_xy, 1.0])
    return (float(u / w), float(v / w)) if abs(w) > 1e-9 else point_xy
