"""Changes of outlines: the same in every order of the frames, and no outline is kept longer than needed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cvseg.evaluation import outline_change, outline_shape
from cvseg.evaluation.davis_tables import FRAME_STABILITY
from cvseg.evaluation.outline_steps import OutlineSteps
from cvseg.evaluation.protocols import davis
from cvseg.formats.davis import write_mask


def moving_masks(count):
    masks = np.zeros((count, 40, 60), bool)
    for k in range(count):
        masks[k, 6 + k : 24 + 2 * k, 8:40] = True
    return masks


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (0, 2, 4, 3, 1), (3, 0, 1, 4, 2)])
def test_changes_do_not_depend_on_the_order_of_the_frames(order):
    shapes = [outline_shape(mask) for mask in moving_masks(5)]
    steps = OutlineSteps(5)
    for place in order:
        steps.add(place, shapes[place])
    assert math.isnan(steps.changes[0])
    assert steps.changes[1:] == [outline_change(shapes[k], shapes[k + 1]) for k in range(4)]
    assert steps.waiting == {}


def test_frames_in_order_leave_one_outline_waiting():
    steps = OutlineSteps(20)
    held = []
    for place, mask in enumerate(moving_masks(20)[:, :40]):
        steps.add(place, outline_shape(mask))
        held.append(len(steps.waiting))
    assert held == [1] * 19 + [0]


def test_a_sequence_of_one_frame_has_no_change():
    steps = OutlineSteps(1)
    steps.add(0, outline_shape(moving_masks(1)[0]))
    assert math.isnan(steps.changes[0])
    assert steps.waiting == {}


def test_davis_holds_few_outlines_at_a_time_however_long_the_sequence(tmp_path, monkeypatch, use_threads):
    use_threads(2)
    for k in range(60):
        for folder in ("results", "truth"):
            path = tmp_path / folder / "a" / f"{k:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_mask(path, moving_masks(9)[k % 9].astype(np.uint8))
    made, most = [], []

    class Watched(OutlineSteps):
        def __init__(self, frames):
            super().__init__(frames)
            made.append(self)

        def add(self, place, shape):
            super().add(place, shape)
            most.append(len(self.waiting))

    monkeypatch.setattr(davis, "OutlineSteps", Watched)
    evaluation = davis.evaluate(tmp_path / "results", tmp_path / "truth", davis.DavisProtocolOptions())
    assert len(most) == 58
    # Two threads, and what was handed out before them.
    assert max(most) <= 8
    assert made[0].waiting == {}
    assert not any(math.isnan(frame.scores[FRAME_STABILITY.key]) for frame in evaluation.frames[1:])
