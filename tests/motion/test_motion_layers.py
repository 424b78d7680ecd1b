"""MotionLayers on exact flow: crossings, stops, first seen merged, limbs, poles, empty frames; and on any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import DtypeError, ShapeError
from cvseg.motion.motion_layers import MotionLayers
from tests.motion.moving_layers import SIZE_HW, Thing, agreement, followed


def test_two_that_cross_keep_their_numbers_and_their_pixels():
    things = [Thing((10, 30), (30, 30), (2, 0)), Thing((110, 40), (24, 24), (-2, 0))]
    found = followed(things, 50, noise=0.1)
    numbers = []
    for truth, layer_map, labels in found:
        assert len(layer_map.numbers) <= 2
        for thing in (1, 2):
            if (truth == thing).sum() > 100:
                overlap, number = agreement(truth, labels, thing)
                assert overlap > 0.85
                numbers.append((thing, number))
    assert len(set(numbers)) == 2
    assert found[-1][1].proven.all(), "they have touched, and are known to be two"


def test_two_that_touch_and_stop_stay_two():
    def until(x, speed, stop):
        return lambda t: (x + speed * min(t, stop), 30)

    things = [Thing((0, 0), (30, 30), path=until(10, 2, 20)), Thing((0, 0), (30, 30), path=until(120, -2, 20))]
    found = followed(things, 45, noise=0.1)
    first = [agreement(found[5][0], found[5][2], thing)[1] for thing in (1, 2)]
    last = [agreement(found[-1][0], found[-1][2], thing) for thing in (1, 2)]
    assert [number for _, number in last] == first
    assert min(overlap for overlap, _ in last) > 0.9


@pytest.mark.parametrize("camera_xy", [(0.0, 0.0), (3.0, -1.0)])
def test_two_that_are_first_seen_as_one_part_after_some_frames(camera_xy):
    things = [Thing((30, 20), (40, 40), (0, 0)), Thing((40, 30), (30, 26), (2, 0))]
    found = followed(things, 30, noise=0.1, camera_xy=camera_xy)
    counts = [len(layer_map.numbers) for _, layer_map, _ in found]
    assert counts[0] == 1
    split = counts.index(2)
    assert 5 <= split <= 14
    assert set(counts[split:]) == {2}, "and they never become one again"
    for truth, _, labels in found[split + 3 :]:
        assert min(agreement(truth, labels, thing)[0] for thing in (1, 2)) > 0.85


def test_a_leg_that_swings_is_no_object():
    # Below a body that goes its way a leg turns around its hip, six frames there and six back, its foot by 24 pixels.
    layers, still, rng = MotionLayers(), np.eye(3), np.random.default_rng(0)
    image = np.full((*SIZE_HW, 3), 120, np.uint8)
    y = np.arange(SIZE_HW[0], dtype=np.float32)[:, None]
    for t in range(30):
        mask, leg = np.zeros(SIZE_HW, bool), np.zeros(SIZE_HW, bool)
        mask[20:52, 30 + 2 * t : 90 + 2 * t] = True
        leg[52:80, 44 + 2 * t : 56 + 2 * t] = True
        forward_xy = np.zeros((*SIZE_HW, 2), np.float32)
        forward_xy[mask, 0] = 2
        turn = np.where(leg, (4 if t % 12 < 6 else -4) * (y - 52) / 28, 0)
        forward_xy[..., 0] += np.where(leg, 2 + turn, 0)
        noise = rng.normal(0, 0.1, (2, *SIZE_HW, 2)).astype(np.float32)
        found = layers.push(mask | leg, image, noise[0] - forward_xy, noise[1] + forward_xy, still, still)
        assert len(found.numbers) == 1


def test_what_moves_alike_is_never_parted():
    things = [Thing((20, 20), (40, 40), (2, 1)), Thing((60, 30), (30, 20), (2, 1))]
    assert {len(layer_map.numbers) for _, layer_map, _ in followed(things, 30, noise=0.3)} == {1}


def test_one_label_on_two_that_go_apart_becomes_two():
    things = [Thing((30, 30), (30, 30), (0, 0)), Thing((60, 30), (30, 30), (0.5, 0))]
    found = followed(things, 60)
    truth, layer_map, labels = found[-1]
    assert len(layer_map.numbers) == 2
    assert agreement(truth, labels, 1)[1] != agreement(truth, labels, 2)[1]


def test_one_behind_a_pole_stays_one_when_both_halves_show():
    things = [Thing((5, 30), (40, 30), (2, 0))]
    found = followed(things, 40, noise=0.1, hidden=[(60, 64)])
    truth, _, labels = found[-1]
    # Until the halves meet again each is labelled; from then on they are one.
    assert agreement(truth, labels, 1)[0] > 0.95 or len(np.unique(labels[truth > 0])) == 2
    assert len(np.unique(labels[truth > 0])) <= 2


def test_the_labels_cover_the_mask_and_nothing_else_and_both_devices_agree(device):
    things = [Thing((30, 20), (40, 40), (0, 0)), Thing((40, 30), (30, 26), (2, 0))]
    here = followed(things, 14, noise=0.1)
    there = followed(things, 14, noise=0.1, convert=lambda *arrays: device.arrays(*arrays))
    for (truth, layer_map, labels), (_, other_map, other) in zip(here, there, strict=True):
        assert ((labels > 0) == (truth > 0)).all()
        assert (labels == other).all()
        assert (layer_map.numbers == other_map.numbers).all()
        assert (layer_map.proven == other_map.proven).all()


def test_an_empty_frame_ends_all_layers_and_numbers_are_not_used_again():
    layers, still = MotionLayers(), np.eye(3)
    image, flow_xy = np.zeros((*SIZE_HW, 3), np.uint8), np.zeros((*SIZE_HW, 2), np.float32)
    mask = np.zeros(SIZE_HW, bool)
    mask[20:50, 20:50] = True
    numbers = [
        layers.push(shown, image, flow_xy, flow_xy, still, still).numbers.tolist()
        for shown in (mask, np.zeros_like(mask), mask, mask)
    ]
    assert numbers == [[1], [], [2], [2]]


def test_wrong_arrays_are_named():
    layers, still = MotionLayers(), np.eye(3)
    image, flow_xy = np.zeros((*SIZE_HW, 3), np.uint8), np.zeros((*SIZE_HW, 2), np.float32)
    mask = np.zeros(SIZE_HW, bool)
    with pytest.raises(ShapeError, match=r"MotionLayers\.push"):
        layers.push(mask[1:], image, flow_xy, flow_xy, still, still)
    with pytest.raises(DtypeError, match=r"MotionLayers\.push"):
        layers.push(mask.astype(np.uint8), image, flow_xy, flow_xy, still, still)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    density=st.floats(0, 1),
    speed=st.floats(0, 8),
)
def test_any_masks_and_flows_give_a_label_to_every_pixel_inside(seed, height, width, density, speed):
    rng = np.random.default_rng(seed)
    layers, still, last = MotionLayers(), np.eye(3), 0
    for _ in range(4):
        coarse = rng.random((height // 5 + 1, width // 5 + 1)) < density
        mask = np.ascontiguousarray(coarse.repeat(5, 0).repeat(5, 1)[:height, :width])
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        backward_xy, forward_xy = rng.normal(0, speed, (2, height, width, 2)).astype(np.float32)
        found = layers.push(mask, image, backward_xy, forward_xy, still, still)
        assert ((found.labels > 0) == mask).all()
        assert set(np.unique(found.labels[mask])) == set(range(1, len(found.numbers) + 1))
        assert len(set(found.numbers.tolist())) == len(found.numbers) == len(found.proven)
        new = [number for number in found.numbers.tolist() if number > last]
        last = max([last, *new])
