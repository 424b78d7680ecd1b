"""Superpixels of a video: they follow what moves, keep their numbers, and no number is given twice."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, OptionError, RangeError, ShapeError
from cvseg.superpixels import SuperpixelStream, SuperpixelStreamOptions, segment

SHIFT_XY = (3, -2)


def scene(frames, size_hw=(72, 100), shift_xy=SHIFT_XY, seed=1):
    """Frames of coloured patches that move by `shift_xy` each, and their flow."""
    height, width = size_hw
    margin = max(map(abs, shift_xy)) * frames
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(height + 2 * margin, width + 2 * margin, 3)), (4, 4, 0))
    big = (np.digitize(smooth / smooth.std(), [-1, -0.3, 0.3, 1]) * 50 + 20).astype(np.uint8)
    images = []
    for t in range(frames):
        y, x = margin - t * shift_xy[1], margin - t * shift_xy[0]
        images.append(np.ascontiguousarray(big[y : y + height, x : x + width]))
    return images, np.full((height, width, 2), shift_xy, np.float32)


def run(stream, frames, shift_xy=SHIFT_XY, **how):
    images, flow_xy = scene(frames, shift_xy=shift_xy, **how)
    return [stream.update(image, flow_xy if t else None) for t, image in enumerate(images)]


def assert_connected(labels):
    for label in np.unique(labels):
        assert ndimage.label(labels == label)[1] == 1, f"superpixel {label} has several parts"


def test_labels_stay_on_what_moves():
    labels = run(SuperpixelStream(count=60), 6)
    x, y = SHIFT_XY
    for before, after in itertools.pairwise(labels):
        height, width = before.shape
        moved = before[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
        seen = after[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
        assert (moved == seen).mean() > 0.85


def test_without_its_flow_the_same_scene_loses_more():
    images, flow_xy = scene(6)
    x, y = SHIFT_XY
    kept = []
    for flow in (flow_xy, None):
        stream = SuperpixelStream(count=60)
        labels = [stream.update(image, flow) for image in images]
        kept.append((labels[-2][-y:, :-x] == labels[-1][:y, x:]).mean())
    assert kept[0] > kept[1] + 0.1


def test_superpixels_are_connected_and_their_number_stays_near_the_wish():
    for labels in run(SuperpixelStream(count=50), 8):
        assert_connected(labels)
        assert 35 <= len(np.unique(labels)) <= 65


def test_a_number_that_was_retired_never_comes_back():
    stream = SuperpixelStream(count=60)
    images, flow_xy = scene(10, shift_xy=(7, 4))
    alive, gone = set(), set()
    for t, image in enumerate(images):
        now = set(np.unique(stream.update(image, flow_xy if t else None)).tolist())
        assert not now & gone
        assert set(stream.born.tolist()) == now - alive
        assert set(stream.retired.tolist()) == alive - now
        gone |= alive - now
        alive = now
    assert gone, "nothing left the picture"
    stream.reset()
    assert not set(np.unique(stream.update(images[0])).tolist()) & (gone | alive)


def test_a_still_scene_keeps_every_number():
    image = scene(1)[0][0]
    stream = SuperpixelStream(count=40)
    first = stream.update(image)
    for _ in range(5):
        last = stream.update(image)
    assert len(np.intersect1d(first, last)) >= 0.95 * len(np.unique(first))
    assert (last == stream.update(image)).mean() > 0.97


def test_motion_of_less_than_a_block_adds_up():
    shifted = run(SuperpixelStream(count=12, options=SuperpixelStreamOptions(block_sweeps=0, pixel_sweeps=0)), 1)[0]
    stream = SuperpixelStream(count=12, options=SuperpixelStreamOptions(block_sweeps=0, pixel_sweeps=0))
    image = np.full((48, 64, 3), 90, np.uint8)
    flow_xy = np.zeros((48, 64, 2), np.float32)
    flow_xy[..., 0] = 0.5
    labels = [stream.update(image, flow_xy if t else None) for t in range(9)]
    assert shifted.shape == (72, 100)
    place = [np.nonzero(label == labels[0][24, 30])[1].mean() for label in labels]
    assert abs(place[-1] - place[0] - 4) <= 1


def test_the_first_frame_is_as_segment_gives_it():
    image = scene(1)[0][0]
    assert_array_equal(SuperpixelStream(count=40).update(image), segment(image, count=40))


def test_labels_are_the_same_on_every_device_and_number_of_threads(device, use_threads):
    use_threads(1)
    expected = run(SuperpixelStream(count=40), 4)
    use_threads(3)
    images, flow_xy = scene(4)
    stream = SuperpixelStream(count=40)
    for t, (image, wanted) in enumerate(zip(images, expected, strict=True)):
        flow = device.array(flow_xy) if t else None
        assert_array_equal(to_host(stream.update(device.array(image), flow)), wanted)


def test_a_stream_goes_on_from_its_state():
    images, flow_xy = scene(6)
    whole, other = SuperpixelStream(count=40), SuperpixelStream(count=40)
    for image in images[:3]:
        whole.update(image, flow_xy)
    other.load_state_dict(whole.state_dict())
    for image in images[3:]:
        assert_array_equal(other.update(image, flow_xy), whole.update(image, flow_xy))
    assert other.frames == whole.frames == 6


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (37, 1), (2, 3), (5, 4)])
def test_tiny_frames_are_taken(size_hw):
    rng = np.random.default_rng(0)
    stream = SuperpixelStream(count=min(4, size_hw[0] * size_hw[1]))
    for _ in range(3):
        labels = stream.update(rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.ones((*size_hw, 2), np.float32))
        assert labels.shape == size_hw
        assert_connected(labels)


def test_a_flow_that_is_unknown_or_huge_is_no_harm():
    images, flow_xy = scene(3)
    stream = SuperpixelStream(count=30)
    stream.update(images[0])
    flow_xy[:20], flow_xy[20:30], flow_xy[30:40] = np.nan, np.inf, 1e9
    assert_connected(stream.update(images[1], flow_xy))
    assert_connected(stream.update(images[2], np.full_like(flow_xy, 1000)))  # everything has left


def test_a_cut_to_another_scene_leaves_valid_superpixels():
    stream = SuperpixelStream(count=30)
    stream.update(scene(1, seed=1)[0][0])
    assert_connected(stream.update(scene(1, seed=2)[0][0]))


def test_what_cannot_be_used_is_refused():
    images, flow_xy = scene(1)
    stream = SuperpixelStream(count=30)
    stream.update(images[0])
    with pytest.raises(ShapeError, match="as the frames before"):
        stream.update(images[0][:-1])
    with pytest.raises(ShapeError, match="flow"):
        stream.update(images[0], flow_xy[:-1])
    with pytest.raises(DtypeError, match="float64"):
        stream.update(images[0], flow_xy.astype(np.float64))
    with pytest.raises(RangeError, match="pixels"):
        SuperpixelStream(count=100).update(np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(OptionError, match="SuperpixelStreamOptions"):
        SuperpixelStream(options=3)
    with pytest.raises(OptionError, match="compactness"):
        SuperpixelStream(compactness=-1.0)
    with pytest.raises(OptionError, match="count 30"):
        SuperpixelStream(count=31).load_state_dict(stream.state_dict())
