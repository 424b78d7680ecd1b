"""Instances: labels at full size inside the mask, repeats, shots; numbers that last through a crossing of a clip."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from cvseg import segment
from cvseg.arrays import to_host
from cvseg.evaluation import ObjectOverlaps, TrackingMeasure
from cvseg.objects.instances import Instances
from cvseg.records import Frame
from cvseg.shots import REPEAT, SEEN
from cvseg.synthetic import SCENES, render_clip

STILL = SimpleNamespace(matrix=np.eye(3))


def work(device, factor, small_hw, *, flow_x=0.0, role=SEEN, begins_shot=False):
    """What `Instances` reads of a `WorkFrame`; everything moves `flow_x` to the left back in time."""
    backward_xy = np.zeros((*small_hw, 2), np.float32)
    backward_xy[..., 0] = -flow_x
    arrays = device.arrays(
        np.zeros((*small_hw, 3), np.uint8), np.zeros(small_hw, np.float32), backward_xy, -backward_xy
    )
    return SimpleNamespace(
        factor=factor,
        small=arrays[0],
        gray=arrays[1],
        backward_xy=arrays[2],
        forward_xy=arrays[3],
        camera_backward=STILL,
        camera_forward=STILL,
        role=role,
        begins_shot=begins_shot,
    )


@pytest.mark.parametrize(
    ("factor", "size_hw", "small_hw"), [(1, (24, 40), (24, 40)), (2, (47, 79), (24, 40)), (3, (70, 118), (24, 40))]
)
def test_every_pixel_of_the_mask_has_a_label_at_any_factor(device, factor, size_hw, small_hw):
    mask = np.zeros(size_hw, bool)
    mask[2 * factor : 8 * factor + 1, factor : 9 * factor] = True
    mask[12 * factor :, 20 * factor - 1 :] = True
    labels, layers = Instances().push(work(device, factor, small_hw, begins_shot=True), device.array(mask))
    labels = to_host(labels)
    assert labels.dtype == np.int32
    assert ((labels > 0) == mask).all()
    assert len(layers.numbers) == 2
    assert set(np.unique(labels[mask])) == {1, 2}


def test_a_repeat_gets_the_labels_again_and_a_shot_begins_anew(device):
    instances, mask = Instances(), np.zeros((24, 40), bool)
    mask[5:15, 5:15] = True
    mask = device.array(mask)
    first = instances.push(work(device, 1, (24, 40), begins_shot=True), mask)[1]
    again = instances.push(work(device, 1, (24, 40), role=REPEAT), mask)[1]
    cut = instances.push(work(device, 1, (24, 40), begins_shot=True), mask)[1]
    assert again is first
    assert first.numbers.tolist() == cut.numbers.tolist() == [1]
    assert cut is not first


@pytest.mark.slow
def test_two_that_cross_in_a_clip_keep_their_numbers():
    options = dataclasses.replace(SCENES["crossing"], size_hw=(160, 284), frames=36)
    clip = render_clip(options)
    tracking, overlaps = TrackingMeasure(), ObjectOverlaps()
    frames = [Frame(t, Fraction(t, 25), clip[t].image, str(t)) for t in range(len(clip))]
    for result in segment(frames, device="cpu"):
        tracking.add_labels(result.labels, clip[result.frame.index].labels)
        overlaps.add(result.labels, clip[result.frame.index].labels)
    assert tracking.score.identity_switches == 0
    assert min(overlaps.object_overlaps().values()) > 0.8
