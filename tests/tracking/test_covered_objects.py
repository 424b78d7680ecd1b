"""What slides behind something keeps its speed, and is known again from a sliver."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.tracking import Tracker
from cvseg.tracking.covered import whole_box


def passing(speed, hidden, frames=110, width=30):
    """An object 30 px wide that passes behind a wall, out of sight for `hidden` frames."""
    wall = 120, 120 + int(width + speed * hidden)
    for t in range(frames):
        mask = np.zeros((60, 420), np.int32)
        left = round(20 + speed * t)
        mask[20:40, left : left + width] = 1
        mask[:, wall[0] : wall[1]] = 0
        yield mask


@pytest.mark.parametrize("hidden", [4, 25, 48])
@pytest.mark.parametrize("speed", [1.5, 3.0])
def test_an_object_behind_a_wall_for_up_to_two_seconds_returns_with_its_number(speed, hidden):
    tracker = Tracker()
    last = None
    for t, mask in enumerate(passing(speed, hidden, frames=int(140 / speed + hidden + 30))):
        frame = tracker.update(t, mask)
        if frame.tracks:
            last = frame.tracks
    assert last is not None and [track.id for track in last] == [1]
    assert last[0].box_xyxy[0] > 120


def test_the_speed_stays_while_an_object_slides_behind_a_wall():
    tracker = Tracker()
    speeds = [
        track.velocity_xy[0]
        for t, mask in enumerate(passing(2.0, 20, frames=50))
        for track in tracker.update(t, mask).tracks
    ]
    assert len(speeds) >= 45
    assert min(speeds[15:]) > 1.4


def test_what_shrinks_at_both_sides_is_taken_as_seen():
    assert whole_box((13, 0, 17, 8), (10, 0, 20, 8), (10.0, 8.0)) == ((13.0, 0.0, 17.0, 8.0), False)


def test_the_seen_edge_places_an_object_that_is_covered_on_either_side():
    assert whole_box((10, 0, 14, 8), (10.5, 0, 20.5, 8), (10.0, 8.0)) == ((10.0, 0.0, 20.0, 8.0), True)
    assert whole_box((16, 0, 20, 8), (10, 0, 20, 8), (10.0, 8.0)) == ((10.0, 0.0, 20.0, 8.0), True)
