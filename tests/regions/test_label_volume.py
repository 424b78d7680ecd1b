"""Components along time and of label maps, against SciPy and scikit-image; and the stream against the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage import measure

from cvseg.arrays import device_of, to_host
from cvseg.errors import DeviceMismatchError, DtypeError, RangeError, ShapeError
from cvseg.regions import ComponentStream, label_components, label_volume

STRUCTURES = {k: ndimage.generate_binary_structure(3, n + 1) for n, k in enumerate((6, 18, 26))}
PLANES = {4: ndimage.generate_binary_structure(2, 1), 8: ndimage.generate_binary_structure(2, 2)}


def hostile_masks():
    y, x = np.indices((40, 70))
    yield "checkerboard", (y + x) % 2 == 0
    yield "comb", (x % 2 == 0) | (y == 39)
    yield "columns", x % 2 == 0
    yield "full", np.ones((40, 70), bool)
    yield "empty", np.zeros((40, 70), bool)
    spiral = np.ones((41, 41), bool)
    for ring in range(1, 20, 2):
        spiral[ring, ring - 1 : 41 - ring] = spiral[ring : 41 - ring, 40 - ring] = False
        spiral[40 - ring, ring : 41 - ring] = spiral[ring + 2 : 41 - ring, ring] = False
    yield "spiral", spiral
    yield "one row", np.random.default_rng(1).random((1, 300)) < 0.5
    yield "one column", np.random.default_rng(1).random((300, 1)) < 0.5
    yield "diagonals", (y - x) % 5 == 0


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("mask", [pytest.param(mask, id=name) for name, mask in hostile_masks()])
def test_hostile_masks_are_numbered_as_by_scipy(device, mask, connectivity):
    labels, count = label_components(device.array(mask), connectivity)
    expected, expected_count = ndimage.label(mask, PLANES[connectivity])
    assert count == expected_count
    assert_array_equal(to_host(labels), expected)


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 80)).flatmap(
        lambda size: arrays(np.int32, size, elements=st.integers(-1, 3))
    ),
    st.sampled_from([4, 8]),
)
def test_any_label_map_is_numbered_as_by_scikit_image(labels, connectivity):
    parts, count = label_components(labels, connectivity)
    expected, expected_count = measure.label(labels, background=0, return_num=True, connectivity=connectivity // 4)
    assert count == expected_count
    assert_array_equal(parts, expected)
    mask_parts, _ = label_components(labels != 0, connectivity)
    assert_array_equal(mask_parts, ndimage.label(labels, PLANES[connectivity])[0])


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("density", [0.05, 0.12, 0.3, 0.9])
@pytest.mark.parametrize("size", [(1, 1, 1), (5, 13, 41), (9, 1, 33), (7, 11, 1), (1, 17, 66)])
def test_volumes_are_numbered_as_by_scipy(device, size, density, connectivity):
    volume = np.random.default_rng(7).random(size) < density
    labels, count = label_volume(device.array(volume), connectivity)
    expected, expected_count = ndimage.label(volume, STRUCTURES[connectivity])
    assert device_of(labels) == device.name
    assert count == expected_count
    assert_array_equal(to_host(labels), expected)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 40)).flatmap(
        lambda size: arrays(np.int32, size, elements=st.integers(0, 2))
    ),
    st.sampled_from([6, 18, 26]),
)
def test_any_volume_of_labels_is_numbered_as_by_scikit_image(volume, connectivity):
    labels, count = label_volume(volume, connectivity)
    order = {6: 1, 18: 2, 26: 3}[connectivity]
    expected, expected_count = measure.label(volume, background=0, return_num=True, connectivity=order)
    assert count == expected_count
    assert_array_equal(labels, expected)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_labels_on_every_device_and_any_number_of_threads_are_the_same(cuda_device, use_threads, connectivity):
    volume = np.random.default_rng(3).integers(0, 3, (3, 150, 37), dtype=np.int32)
    on_cuda, count = label_volume(cuda_device.array(volume), connectivity)
    for threads in (1, 2, 5):
        use_threads(threads)
        labels, again = label_volume(volume, connectivity)
        assert again == count
        assert_array_equal(labels, to_host(on_cuda))


def stream_of(masks, connectivity, flows=None):
    """Labels of all frames with all merges applied, and what each update returned."""
    stream = ComponentStream(connectivity)
    found = [stream.update(mask, None if flows is None else flows[t]) for t, mask in enumerate(masks)]
    labels = np.stack([to_host(one.labels) for one in found])
    for one in found:
        for old, new in one.merged.items():
            labels[labels == old] = new
    return labels, found


def assert_same_partition(labels, expected):
    pairs = np.unique(np.stack((labels.ravel(), expected.ravel())), axis=1)
    for side in pairs:
        assert len(np.unique(side)) == pairs.shape[1]
    assert (labels == 0).sum() == (expected == 0).sum()


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("density", [0.03, 0.1, 0.25, 0.6])
def test_the_stream_joins_what_the_whole_video_joins(device, density, connectivity):
    volume = np.random.default_rng(11).random((8, 21, 37)) < density
    volume[5] &= density > 0.05  # an empty frame ends everything
    labels, found = stream_of([device.array(mask) for mask in volume], connectivity)
    assert_same_partition(labels, ndimage.label(volume, STRUCTURES[connectivity])[0])
    assert device_of(found[0].labels) == device.name
    for one in found:
        assert_array_equal(one.ids, np.setdiff1d(np.unique(to_host(one.labels)), 0))


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 5), st.integers(1, 12)).flatmap(lambda size: arrays(bool, size)),
    st.sampled_from([6, 18, 26]),
)
def test_any_stream_joins_what_the_whole_video_joins(volume, connectivity):
    labels, found = stream_of(volume, connectivity)
    assert_same_partition(labels, ndimage.label(volume, STRUCTURES[connectivity])[0])
    born = np.concatenate([one.born for one in found])
    assert_array_equal(born, np.arange(1, len(born) + 1))
    assert len(np.setdiff1d(labels, 0)) == len(born) - sum(len(one.merged) for one in found)


def test_parts_that_met_before_share_a_number_and_merge_together():
    # 1 splits in two; one half ends, the other meets 2: both halves were one all along.
    rows = [[1, 1, 1, 0, 0, 1], [1, 0, 1, 0, 0, 1], [1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]]
    stream = ComponentStream(6)
    found = [stream.update(np.array([row], bool)) for row in rows]
    assert [one.labels.tolist() for one in found] == [
        [[1, 1, 1, 0, 0, 2]], [[1, 0, 1, 0, 0, 2]], [[1, 0, 0, 0, 0, 2]], [[1] * 6],
    ]  # fmt: skip
    assert [one.merged for one in found] == [{}, {}, {}, {2: 1}]
    assert [one.born.tolist() for one in found] == [[1, 2], [], [], []]


def test_a_fast_small_object_keeps_its_number_only_with_its_flow(device):
    masks = np.zeros((4, 9, 60), bool)
    flow_xy = np.zeros((9, 60, 2), np.float32)
    flow_xy[..., 0] = -15
    for t in range(4):
        masks[t, 3:6, 15 * t : 15 * t + 4] = True
    still, _ = stream_of([device.array(mask) for mask in masks], 26)
    moved, _ = stream_of([device.array(mask) for mask in masks], 26, [device.array(flow_xy)] * 4)
    assert still.max() == 4
    assert moved.max() == 1


def test_a_long_stream_holds_two_frames_and_no_more():
    stream = ComponentStream(26)
    rng = np.random.default_rng(0)
    for _ in range(60):
        found = stream.update(rng.random((30, 40)) < 0.05)
        held = sum(value.nbytes for value in vars(stream).values() if isinstance(value, np.ndarray))
        assert held <= 4 * 30 * 40 + 8 * 30 * 40 / 4
    assert found.ids.max() > 1000


@pytest.mark.parametrize("size", [(0, 4), (4, 0)])
def test_empty_frames_and_volumes_pass(device, size):
    assert label_volume(device.array(np.zeros((2, *size), bool)))[1] == 0
    assert label_components(device.array(np.zeros(size, np.int32)))[1] == 0
    found = ComponentStream().update(device.array(np.zeros(size, bool)))
    assert found.labels.shape == size and len(found.ids) == 0


def test_views_give_what_copies_give():
    wide = np.random.default_rng(1).random((6, 20, 30)) < 0.3
    for view in (wide[::2, ::3, ::2], wide.transpose(2, 0, 1)):
        assert_array_equal(label_volume(view)[0], label_volume(view.copy())[0])


def test_what_cannot_be_used_is_refused_in_a_sentence(cuda_device):
    volume = np.zeros((2, 3, 4), bool)
    with pytest.raises(RangeError, match="label_volume: connectivity is 8; it must be 6, 18 or 26"):
        label_volume(volume, 8)
    with pytest.raises(ShapeError, match=r"volume is \(3, 4\)"):
        label_volume(volume[0])
    with pytest.raises(DtypeError, match="volume is float32; expected bool, uint8, or int32 labels"):
        label_volume(volume.astype(np.float32))
    with pytest.raises(RangeError, match="fewer than 2\\^31"):
        label_volume(np.broadcast_to(np.zeros(1, bool), (2**11, 2**10, 2**10)))
    with pytest.raises(RangeError, match="ComponentStream: connectivity"):
        ComponentStream(4)
    stream = ComponentStream()
    stream.update(volume[0])
    with pytest.raises(ShapeError, match=r"mask is \(4, 3\); expected \(3, 4\), as the frames before"):
        stream.update(volume[0].T)
    with pytest.raises(ShapeError, match=r"flow_xy is \(3, 4\)"):
        stream.update(volume[0], np.zeros((3, 4), np.float32))
    with pytest.raises(DtypeError, match="flow_xy is float64"):
        stream.update(volume[0], np.zeros((3, 4, 2)))
    with pytest.raises(DtypeError, match="mask is float32"):
        stream.update(np.zeros((3, 4), np.float32))
    with pytest.raises(DeviceMismatchError):
        stream.update(cuda_device.array(volume[0]))
