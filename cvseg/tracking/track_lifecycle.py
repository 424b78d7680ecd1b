"""`TrackState`: what a tracker remembers of one object, and how it is born, confirmed, lost and ended.

tentative --(seen in min_hits frames; a child: split_after frames apart)--> confirmed
    |                                                             |
    +--(not seen once)--> ended                                   +--(max_age frames not seen)--> ended
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.covered import whole_box
from cvseg.tracking.kalman_filter import Box, BoxKalmanFilter, KalmanOptions
from cvseg.tracking.look import Look, color_unlikeness, size_features, unlikeness

TENTATIVE, CONFIRMED, LOST, ENDED = "tentative", "confirmed", "lost", "ended"
# The usual area follows growth fast and shrinking slowly: most shrinking is a passing obstacle.
AREA_RISE, AREA_FALL = 0.3, 0.15
AREA_RISE_LATER = 0.08
COVERED_FALL = 0.015  # where one side is seen to be covered
YOUNG = 15
COVERED = 1.8  # usual area per area from which the sides of the box say nothing
MOST_COVER_NOISE = 3.0
EDGE = 1.5  # pixels from the edge of the picture, at most, at which it must have been seen to have walked out
OUTSIDE = 0.25  # sides that its centre must be outside then
WHOLE, COVERED_MOSTLY = 0.8, 0.5  # shares of its usual area from which it is seen well, and below which it is not
WELL_AFTER = 5  # frames seen well that make it known
HISTOGRAM_RATE = 0.1  # share of the newest colour histogram; small, so that a moment's occluder leaves no trace
MORE = 1.25  # area per area of the look from which it may be more than the object
FOR_GOOD = 60  # frames after which a new look is the look
UNALIKE = 3.0  # `unlikeness` from which a new look is kept apart from the old one
GROWING = 1.05  # growth from which it is still coming out from behind something


@dataclass
class Past:
    """Who an object was when it was last known well: what a track that is seen again takes up, if it suits.

    Attributes
    ----------
    id : its number
    first_frame : number of the frame in which it was first seen
    look : its appearance
    area_px, wh, histogram : its usual area, sides and colours
    xy, velocity_xy : where it was last seen, and how it moved
    lost_for : frames since then
    unseen : those of them in which it was not seen at all
    """

    id: int
    first_frame: int
    look: Look
    area_px: float
    wh: tuple[float, float]
    histogram: NDArray[np.float64] | None
    xy: tuple[float, float]
    velocity_xy: tuple[float, float]
    lost_for: int = 0
    unseen: int = 0


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
    numbers : (frame, id) its public numbers, each with the frame from which its pixels carry it
    area_px : usual number of pixels, of frames in which it was alone in its component
    usual_wh : usual sides of the box, of the same frames
    mask_px : number of pixels when last seen
    box_xyxy : box when last seen
    center_xy : its centre then, as estimated
    frames_alone : frames in which it had a component to itself
    frames_shared : frames in a row in which it shared a component with other tracks
    frames_since_shared : frames since it last did
    group : non-zero and equal for tracks that shared one component in the last frame
    host : the track in whose component it was last seen and is hidden, while it is lost
    born_apart : there was nothing near when it was first seen: it is no piece
    parent : the track that it came off; its pixels carry the parent's number until it is confirmed
    frames_apart : frames in a row in which it was large or far from its parent and kept its share of the area
    far : as a child: there is a gap between it and its parent, which is then measured without it
    part_share : that share when the count began
    histogram : (512,) colours, adding up to 1; None without images
    birth_xy : centre of the box at the first sight, or at the return
    past : who it was before it was last hidden, or None: seen whole ever since
    look : its appearance since it is seen again
    in_doubt : it shares a component or is mostly covered; what appears then may be another
    whole_px : number of pixels when it had stopped growing
    hid : it hid another in the last frame
    back_for : frames since it came back
    number_of_label : of its main component, where that is known to go on; else 0
    followed : it was found by that number: it is nobody else, however little is seen of it
    """

    filter: BoxKalmanFilter
    slot: int
    id: int = 0
    status: str = TENTATIVE
    hits: int = 1
    missed: int = 0
    first_frame: int = 0
    numbers: list[tuple[int, int]] = field(default_factory=list)
    area_px: float = 0.0
    usual_wh: tuple[float, float] = (0.0, 0.0)
    mask_px: float = 0.0
    box_xyxy: Box = (0.0, 0.0, 0.0, 0.0)
    center_xy: tuple[float, float] = (0.0, 0.0)
    frames_alone: int = 0
    frames_shared: int = 0
    frames_since_shared: int = 1_000_000
    group: int = 0
    parent: TrackState | None = field(default=None, repr=False)
    born_apart: bool = False
    host: TrackState | None = field(default=None, repr=False)
    frames_apart: int = 0
    far: bool = False
    part_share: float = 0.0
    histogram: NDArray[np.float64] | None = field(default=None, repr=False)
    birth_xy: tuple[float, float] = (0.0, 0.0)
    past: Past | None = field(default=None, repr=False)
    look: Look = field(default_factory=Look.unknown, repr=False)
    whole_px: float = 0.0
    in_doubt: bool = False
    hid: bool = False
    back_for: int = 0
    number_of_label: int = 0
    followed: bool = False

    @property
    def known(self) -> bool:
        """It has been seen alone and whole for some frames since it was last hidden."""
        return self.look.sizes.n >= WELL_AFTER

    def move(self, camera_matrix: NDArray[np.float64]) -> None:
        """Carry all places along with the camera."""
        self.filter.move(camera_matrix)
        self.birth_xy = _moved(self.birth_xy, camera_matrix)
        if self.past is not None:
            self.past.xy = _moved(self.past.xy, camera_matrix)

    def see(
        self,
        box_xyxy: Box,
        area_px: float,
        *,
        own_px: float,
        shared: bool,
        hides: bool,
        shared_noise: float,
        followed: bool = False,
    ) -> None:
        """Take in this frame's pixels, `own_px` of them its own and the others its children's.

        A part of a shared component moves the centre a little, and no side. Who `hides` another is alone, but what is
        seen may be more than itself.
        """
        just_back = self.hits == 0 or self.missed > 0 or self.frames_shared > 0 or (self.hid and not hides)
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
            rise = 0.0 if hides else AREA_RISE if self.frames_alone < YOUNG else AREA_RISE_LATER
            fall = 0.0 if hides else COVERED_FALL if one_sided or cover > COVERED else AREA_FALL
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
        little = shared or (hides and not self.hid) or (not just_back and area_px < COVERED_MOSTLY * self.whole_px)
        # Suddenly larger: another may have come to it.
        little = little or (self.known and area_px > MORE * math.exp(self.look.sizes.mean.sum()))
        self.followed = followed
        if self.known and little and not followed:
            self._remember()
        if not little and (just_back or self.in_doubt) and not followed:
            self.birth_xy = 0.5 * (box_xyxy[0] + box_xyxy[2]), 0.5 * (box_xyxy[1] + box_xyxy[3])
            self.back_for = 0
            self.whole_px, self.look = area_px, Look.unknown()
        self.in_doubt, self.hid, self.host = little and not followed, hides, None
        if not little:
            self._learn_size(box_xyxy, area_px)
        self.back_for += 1
        if self.past is not None:
            self.past.lost_for += 1
        self.box_xyxy, self.center_xy = box_xyxy, self.filter.center_xy
        self.mask_px = own_px
        self.hits += 1
        self.missed = 0
        if self.status == LOST:
            self.status = CONFIRMED

    def miss(self, max_age: int, size_hw: tuple[int, int]) -> None:
        """Not seen in this frame."""
        if not self.missed and self.frames_alone and (self.known or self.past is None):
            self._remember()
        self.in_doubt = False
        self.missed += 1
        if self.past is not None:
            self.past.lost_for += 1
            self.past.unseen += 1
        self.frames_shared = 0
        self.frames_since_shared += 1
        self.frames_apart = self.group = 0
        self.slot = 0
        gone = self._left(size_hw)
        if self.status == TENTATIVE or self.missed > max_age or gone:
            self.status = ENDED
        else:
            self.status = LOST

    def _learn_size(self, box_xyxy: Box, area_px: float) -> None:
        if area_px > GROWING * self.whole_px and not self.known:
            # What was seen so far was only a part.
            self.whole_px, self.look = area_px, Look.unknown()
        elif area_px >= WHOLE * self.whole_px:
            self.look.sizes.learn(size_features(box_xyxy, area_px))

    def _remember(self) -> None:
        """It is about to be hidden, or is for the greater part: keep what it was."""
        x0, y0, x1, y1 = self.filter.seen_box_xyxy
        self.past = Past(
            id=self.id,
            first_frame=self.first_frame,
            look=self._merged_look(),
            area_px=self.area_px,
            wh=self.usual_wh,
            histogram=self.histogram,
            xy=(0.5 * (x0 + x1), 0.5 * (y0 + y1)),
            velocity_xy=self.filter.seen_velocity_xy,
        )
        self.look = Look.unknown()

    def _merged_look(self) -> Look:
        if self.past is None:
            return self.look
        # What was another for some frames does not spoil what is known of this one.
        if unlikeness(self.past.look, self.look, partial=False) < UNALIKE:
            return self.past.look.merged(self.look)
        return self.look if self.back_for > FOR_GOOD else self.past.look

    def _left(self, size_hw: tuple[int, int]) -> bool:
        """Whether it has walked out of the picture. Who vanished in the middle of it is behind something."""
        height, width = size_hw
        x, y = self.filter.center_xy
        # Who is cut by the edge is not gone when its centre has drifted over it.
        out_x, out_y = (OUTSIDE * side for side in self.filter.size_wh)
        if -out_x <= x < width + out_x and -out_y <= y < height + out_y:
            return False
        x0, y0, x1, y1 = self.filter.seen_box_xyxy
        return min(x0, y0, width - x1, height - y1) <= EDGE

    def learn_colors(self, counts: NDArray[np.int32], features: NDArray[np.float64]) -> None:
        """Blend this frame's colour counts (512,) into the histogram and its `color_features` (12,) into the look."""
        total = int(counts.sum())
        if total == 0:
            return
        if not self.in_doubt and self.mask_px >= WHOLE * self.whole_px:
            if self.known and not self.followed and color_unlikeness(self.look.colors, features) > UNALIKE:
                # Somebody else came as it went: what is seen from now on may be that one.
                self._remember()
                self.in_doubt = True
            else:
                self.look.colors.learn(features)
        # What is seen between a loss and a good sight may be another's.
        if self.histogram is not None and self.past is not None and not self.known:
            return
        newest = counts / total
        if self.histogram is None:
            self.histogram = newest
        else:
            self.histogram = (1 - HISTOGRAM_RATE) * self.histogram + HISTOGRAM_RATE * newest

    def take(self, past: Past, from_frame: int) -> None:
        """Turn out to be who has that past; frames from `from_frame` on show its number."""
        self.past, self.first_frame = past, past.first_frame
        self.area_px, self.usual_wh = past.area_px, past.wh
        if past.histogram is not None:
            self.histogram = past.histogram
        self.name(past.id, from_frame)

    def name(self, number: int, from_frame: int) -> None:
        """Carry a number from a frame on."""
        self.id, self.status = number, CONFIRMED
        if self.past is not None:
            self.past.id = number
        self.numbers = [(frame, old) for frame, old in self.numbers if frame < from_frame]
        self.numbers.append((from_frame, number))

    def number_at(self, frame: int) -> int:
        """Its number in a frame, 0 where it had none."""
        return next((number for first, number in reversed(self.numbers) if frame >= first), 0)

    @classmethod
    def lost(cls, past: Past, missed: int, options: KalmanOptions) -> TrackState:
        """Whoever has that past is still unseen, for `missed` frames now."""
        x, y, width, height = *past.xy, *past.wh
        box = x - 0.5 * width, y - 0.5 * height, x + 0.5 * width, y + 0.5 * height
        kalman = BoxKalmanFilter(box, options)
        kalman.restart(past.xy, past.velocity_xy, past.wh, max(past.lost_for, 1))
        return cls(
            filter=kalman,
            slot=0,
            id=past.id,
            status=LOST,
            missed=missed,
            first_frame=past.first_frame,
            area_px=past.area_px,
            usual_wh=past.wh,
            box_xyxy=box,
            frames_alone=WELL_AFTER,
            past=past,
            histogram=past.histogram,
        )

    def state_dict(self) -> dict[str, Any]:
        names = [name for name in self.__dataclass_fields__ if name not in ("filter", "parent", "host", "past", "look")]
        past = self.past and {**vars(self.past), "look": self.past.look.state_dict()}
        parts = {"filter": self.filter.state_dict(), "past": past, "look": self.look.state_dict()}
        return {**parts, **{name: getattr(self, name) for name in names}, "numbers": list(self.numbers)}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], options: KalmanOptions) -> TrackState:
        values = dict(state)
        kalman = BoxKalmanFilter(values["box_xyxy"], options)
        kalman.load_state_dict(values.pop("filter"))
        values["look"] = Look.from_state_dict(values["look"])
        if values["past"] is not None:
            values["past"] = Past(**{**values["past"], "look": Look.from_state_dict(values["past"]["look"])})
        return cls(filter=kalman, **{**values, "numbers": list(values["numbers"])})


def _followed(usual: float, newest: float, rise: float, fall: float) -> float:
    rate = rise if newest > usual else fall
    return (1 - rate) * usual + rate * newest


def _moved(point_xy: tuple[float, float], matrix: NDArray[np.float64]) -> tuple[float, float]:
    u, v, w = matrix @ np.array([*point_xy, 1.0])
    return (float(u / w), float(v / w)) if abs(w) > 1e-9 else point_xy
