"""Manual and semi-automatic starts: of all tracks, those of the named targets, from the named frame on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cvseg.errors import OptionError
from cvseg.tracking.association import box_iou
from cvseg.tracking.kalman_filter import Box

if TYPE_CHECKING:
    from cvseg.formats.mot_challenge import TrackTable

LEAST_OVERLAP = 0.3


@dataclass(frozen=True)
class StartTarget:
    """A target: where it is in one frame, and the number it shall have."""

    frame: int
    id: int
    box_xyxy: Box


def chosen_ids(tracks: TrackTable, targets: list[StartTarget]) -> dict[int, StartTarget]:
    """Id of the track of each target: the one whose box overlaps most in the target's frame, each track once.

    Raises
    ------
    OptionError
        naming the target that nothing was tracked at.

    Examples
    --------
    >>> from cvseg.formats.mot_challenge import TrackTable
    >>> boxes = np.array([[0.0, 0, 9, 9], [50, 0, 59, 9]])
    >>> tracks = TrackTable(np.int32([4, 4]), np.int32([1, 2]), boxes, np.ones(2), -np.ones((2, 3)))
    >>> chosen_ids(tracks, [StartTarget(4, 7, (48.0, 0.0, 58.0, 9.0))])[2].id
    7
    """
    from scipy.optimize import linear_sum_assignment

    chosen: dict[int, StartTarget] = {}
    for frame in sorted({target.frame for target in targets}):
        asked = [target for target in targets if target.frame == frame]
        rows = np.flatnonzero((tracks.frames == frame) & ~np.isin(tracks.ids, list(chosen)))
        overlap = box_iou([target.box_xyxy for target in asked], tracks.boxes_xyxy[rows])
        places = dict(zip(*linear_sum_assignment(overlap, maximize=True), strict=True))
        for place, target in enumerate(asked):
            column = places.get(place, -1)
            if column < 0 or overlap[place, column] < LEAST_OVERLAP:
                best = float(overlap[place].max(initial=0))
                x0, y0, x1, y1 = target.box_xyxy
                raise OptionError(
                    f"target {target.id} at {x0:g},{y0:g},{x1 - x0:g},{y1 - y0:g} (x,y,w,h) in frame {frame + 1} is no "
                    f"tracked object: the best overlap is {best:.2f}, {LEAST_OVERLAP} is needed. Check the frame and "
                    "the box, or whether the input has this object there."
                )
            chosen[int(tracks.ids[rows[column]])] = target
    return chosen


def only_targets(tracks: TrackTable, chosen: dict[int, StartTarget]) -> TrackTable:
    """The rows of the chosen tracks from their start on, with the numbers of the targets."""
    keep = np.zeros(len(tracks), bool)
    ids = tracks.ids.copy()
    for number, target in chosen.items():
        own = (tracks.ids == number) & (tracks.frames >= target.frame)
        keep |= own
        ids[own] = target.id
    fields = {name: getattr(tracks, name)[keep] for name in tracks.__dataclass_fields__ if name != "ids"}
    return type(tracks)(ids=ids[keep], **fields)
