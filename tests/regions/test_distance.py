"""Distances against SciPy on random, hostile, full and empty masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import device_of, to_host
from cvseg.errors import DtypeError, OptionError, RangeError, ShapeError
from cvseg.regions import distance_transform, nearest_background, signed_distance

NONE = 2**31 - 1


def masks():
    rng = np.random.default_rng(3)
    yield from (rng.random(size) >= density for size in ((61, 47), (1, 90), (90, 1)) for density in (0.02, 0.4, 0.97))
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        alone = np.ones((33, 70), bool)
        alone[corner] = False
        yield alone
    comb = np.ones((40, 64), bool)
    comb[::2, ::5] = False
    yield comb
    yield np.hypot(*np.ogrid[-30:31, -30:31]) < 25
    wall = np.ones((50, 50), bool)
    wall[:, 20] = wall[30] = False
    yield wall


def brute(mask):
    """Squared distance and the nearest pixel, leftmost and then uppermost."""
    y, x = np.nonzero(mask == 0)
    order = np.lexsort((y, x))
    y, x = y[order], x[order]
    rows, columns = np.indices(mask.shape)
    squares = (rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2
    best = squares.argmin(-1)
    return squares.min(-1), np.stack((x[best], y[best]), -1)


@pytest.mark.parametrize("mask", list(masks()), ids=lambda mask: f"{mask.shape[0]}x{mask.shape[1]}-{mask.mean():.3f}")
def test_distances_equal_those_of_scipy(device, mask):
    exact = ndimage.distance_transform_edt(mask)
    for metric, expected in (
        ("euclidean", exact.astype(np.float32)),
        ("taxicab", ndimage.distance_transform_cdt(mask, "taxicab")),
        ("chessboard", ndimage.distance_transform_cdt(mask, "chessboard")),
    ):
        distance = distance_transform(device.array(mask), metric)
        assert device_of(distance) == device.name
        assert distance.dtype == (np.float32 if metric == "euclidean" else np.int32)
        assert_array_equal(to_host(distance), expected, metric)
    squares = to_host(distance_transform(device.array(mask), squared=True))
    assert squares.dtype == np.int32
    assert_array_equal(squares, np.rint(exact**2))


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(1, 12), st.integers(1, 20)).flatmap(lambda size: arrays(bool, size)))
def test_any_mask_has_the_distances_and_nearest_pixels_of_a_search_over_all(mask):
    nearest_xy, squares = nearest_background(mask)
    if mask.all():
        assert (squares == NONE).all() and (nearest_xy == -1).all()
        return
    expected, places = brute(mask)
    assert_array_equal(squares, expected)
    assert_array_equal(nearest_xy, places)


@pytest.mark.parametrize("density", [0.01, 0.3])
def test_every_device_finds_the_same_nearest_pixel(device, density):
    mask = np.random.default_rng(5).random((43, 71)) >= density
    nearest_xy, squares = (to_host(result) for result in nearest_background(device.array(mask)))
    expected, places = brute(mask)
    assert_array_equal(squares, expected)
    assert_array_equal(nearest_xy, places)
    assert nearest_xy.dtype == np.int32 and nearest_xy.shape == (43, 71, 2)


def test_full_masks_are_infinitely_far_and_empty_ones_at_zero(device):
    full, empty = device.array(np.ones((5, 7), np.uint8)), device.array(np.zeros((5, 7), np.uint8))
    assert np.isposinf(to_host(distance_transform(full))).all()
    assert (to_host(distance_transform(full, squared=True)) == NONE).all()
    for metric in ("taxicab", "chessboard"):
        assert (to_host(distance_transform(full, metric)) == NONE).all()
        assert not to_host(distance_transform(empty, metric)).any()
    assert not to_host(distance_transform(empty)).any()
    assert np.isposinf(to_host(signed_distance(empty))).all()
    assert np.isneginf(to_host(signed_distance(full))).all()


def test_signed_distance_is_that_of_both_sides(device):
    mask = np.random.default_rng(6).random((31, 44)) < 0.1
    expected = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    assert_array_equal(to_host(signed_distance(device.array(mask))), expected.astype(np.float32))


def test_distances_beyond_what_a_float_counts_are_rounded_once(device):
    # 4100^2 + 3^2 is no float32; the root in float32 of the rounded square would be another number for some.
    mask = np.ones((4, 5001), bool)
    mask[3, 0] = False
    x = np.arange(5001, dtype=np.int64)
    distance = to_host(distance_transform(device.array(mask)))
    for y in range(4):
        assert_array_equal(distance[y], np.sqrt(x**2 + (3 - y) ** 2).astype(np.float32))


def test_distance_grows_by_at_most_one_along_a_row_and_is_symmetric():
    mask = np.random.default_rng(8).random((90, 120)) >= 0.005
    distance = distance_transform(mask)
    assert np.abs(np.diff(distance, axis=1)).max() <= 1.0001
    for axes in ((0,), (1,), (0, 1)):
        assert_array_equal(distance_transform(np.flip(mask, axes)), np.flip(distance, axes))
    assert_array_equal(distance_transform(mask.T), distance.T)


@pytest.mark.parametrize("metric", ["euclidean", "taxicab", "chessboard"])
def test_any_number_of_threads_gives_the_same_bits(metric, use_threads):
    mask = np.random.default_rng(9).random((700, 1300)) >= 0.01
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(distance_transform(mask, metric))
    assert_array_equal(results[1], results[0])
    assert_array_equal(results[2], results[0])


@pytest.mark.parametrize("size_hw", [(0, 4), (4, 0), (1, 1)])
def test_the_smallest_masks_pass(device, size_hw):
    mask = device.array(np.zeros(size_hw, bool))
    assert distance_transform(mask).shape == size_hw
    assert distance_transform(mask, "chessboard").shape == size_hw
    assert signed_distance(mask).shape == size_hw
    assert nearest_background(mask)[0].shape == (*size_hw, 2)


def test_views_give_what_copies_give():
    wide = np.random.default_rng(1).random((40, 60)) >= 0.1
    for view in (wide[::2, ::3], wide[:, ::-1], wide.T):
        assert_array_equal(distance_transform(view), distance_transform(view.copy()))


def test_what_cannot_be_used_is_refused_in_a_sentence():
    with pytest.raises(DtypeError, match="distance_transform: mask is float32; expected bool or uint8"):
        distance_transform(np.zeros((3, 3), np.float32))
    with pytest.raises(ShapeError, match=r"signed_distance: mask is \(3,\)"):
        signed_distance(np.zeros(3, bool))
    with pytest.raises(RangeError, match="sides of at most 32767"):
        nearest_background(np.zeros((1, 32768), bool))
    with pytest.raises(OptionError, match="did you mean 'euclidean'"):
        distance_transform(np.zeros((3, 3), bool), "euclid")
