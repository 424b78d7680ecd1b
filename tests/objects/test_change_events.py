"""Events of masks: their begin, end, place and size are those of the thing that was seen."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.objects.change_events import ChangeEvents
from cvseg.records import Frame

SIZE_HW = (40, 60)


def frame(index):
    # Two thirds of a second apart from the tenth frame on: seconds are presentation times, not index / rate.
    time_s = Fraction(index, 25) if index < 10 else Fraction(10, 25) + Fraction(2 * (index - 10), 3)
    return Frame(index, time_s, np.full((*SIZE_HW, 3), 90, np.uint8), f"{index:05}")


def square(left, top=10, side=8):
    mask = np.zeros(SIZE_HW, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_an_event_has_the_times_the_box_and_the_area_of_what_was_seen():
    events = ChangeEvents(min_frames=3)
    results = []
    for index in range(20):
        mask = square(2 * index) if 4 <= index < 15 else np.zeros(SIZE_HW, bool)
        results += events.update(frame(index), mask, np.where(mask, 0.9, 0.1).astype(np.float32))
    results += events.finish()
    assert [result.frame.index for result in results] == list(range(20))
    (event,) = events.events
    assert (event.id, event.first_frame, event.last_frame, event.frames) == (1, 4, 14, 11)
    assert event.start_s == 4 / 25 and event.end_s == pytest.approx(0.4 + 8 / 3)
    assert event.box_xyxy == (8, 10, 36, 18)
    assert event.first_xy == (11.5, 13.5) and event.last_xy == (31.5, 13.5)
    assert (event.mean_area_px, event.largest_area_px) == (64, 64)
    assert event.confidence == pytest.approx(0.9)
    # Known from its first frame on, because frames are held until it has its number.
    assert (results[4].labels == square(8)).all()
    assert not results[3].labels.any() and not results[15].labels.any()


def test_frames_come_out_as_many_frames_later_as_make_an_event_less_one():
    for count in (1, 4):
        events = ChangeEvents(min_frames=count)
        assert [len(events.update(frame(index), square(5))) for index in range(6)] == [0] * (count - 1) + [1] * (
            7 - count
        )
        assert len(events.finish()) == count - 1


def test_what_is_gone_too_soon_or_too_small_is_no_event():
    events = ChangeEvents(min_frames=4, min_area=20)
    for index in range(12):
        mask = square(30, 20, side=4)  # 16 pixels
        if index < 3:
            mask |= square(5)
        events.update(frame(index), mask)
    events.finish()
    assert events.events == []


def test_two_things_are_two_events():
    events = ChangeEvents(min_frames=2)
    for index in range(8):
        events.update(frame(index), square(index) | square(45 - index, 25))
    events.finish()
    assert [(event.id, event.frames) for event in events.events] == [(1, 8), (2, 8)]
    assert [event.box_xyxy for event in events.events] == [(0, 10, 15, 18), (38, 25, 53, 33)]


def test_a_number_that_was_soon_taken_back_is_no_event(monkeypatch):
    events = ChangeEvents(min_frames=3)
    update, changed = events._tracker.update, []

    def taken_back(index, *arguments, **settings):
        """A tracker that takes the thing for a new one in one frame, and knows it again in the next."""
        tracked = update(index, *arguments, **settings)
        if index == 6:
            (track,) = tracked.tracks
            changed.append(track.id)
            return SimpleNamespace(tracks=(replace(track, id=9),), labels=tracked.labels * 9)
        return tracked

    monkeypatch.setattr(events._tracker, "update", taken_back)
    for index in range(12):
        events.update(frame(index), square(2 * index))
    events.finish()
    assert changed == [1]
    assert [(event.id, event.frames) for event in events.events] == [(1, 11)]


def test_wrong_arguments_are_refused():
    with pytest.raises(RangeError, match="min_frames"):
        ChangeEvents(min_frames=0)
    with pytest.raises(RangeError, match="min_area"):
        ChangeEvents(min_area=-1)
    events = ChangeEvents()
    with pytest.raises(DtypeError, match="mask is uint8"):
        events.update(frame(0), square(3).astype(np.uint8))
    with pytest.raises(ShapeError, match="mask is"):
        events.update(frame(0), square(3)[1:])
