"""Morphology against SciPy, scikit-image and OpenCV's conventions, with every kind of footprint and border."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage import morphology as reference

from cvseg.arrays import device_of, to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.regions import (
    black_hat,
    closing,
    cross,
    diamond,
    dilate,
    disc,
    ellipse,
    erode,
    morphological_gradient,
    opening,
    rectangle,
    top_hat,
)

DTYPES = [bool, np.uint8, np.uint16, np.float32]
sizes = st.tuples(st.integers(1, 23), st.integers(1, 140))


def picture(dtype, size_hw=(37, 71), seed=1):
    rng = np.random.default_rng(seed)
    if dtype is bool:
        return ndimage.gaussian_filter(rng.random(size_hw), 2) > 0.5
    return (rng.normal(0, 50, size_hw) if dtype is np.float32 else rng.integers(0, 256, size_hw)).astype(dtype)


def footprints():
    lopsided = np.zeros((4, 7), bool)
    lopsided[0, 1:4] = lopsided[2, 6] = lopsided[3, ::2] = True
    wide = np.random.default_rng(2).random((3, 90)) < 0.7
    return [
        rectangle(3, 3), rectangle(4, 2), rectangle(1, 9), rectangle(12, 1), rectangle(9, 33), rectangle(80, 150),
        disc(1), disc(5), disc(2.5), ellipse(5, 11), ellipse(4, 6), cross(5, 7), diamond(4), lopsided, wide,
        np.eye(6, dtype=bool),
    ]  # fmt: skip


every_footprint = pytest.mark.parametrize("footprint", footprints(), ids=lambda f: f"{f.shape[0]}x{f.shape[1]}")


@every_footprint
@pytest.mark.parametrize("border", [0, 1])
def test_masks_equal_those_of_scipy(footprint, border):
    mask = picture(bool)
    for ours, theirs in ((erode, ndimage.binary_erosion), (dilate, ndimage.binary_dilation)):
        assert_array_equal(
            ours(mask, footprint, border_value=border), theirs(mask, footprint, border_value=border), ours.__name__
        )


@every_footprint
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("border", [0, 7])
def test_pictures_equal_those_of_scipy(footprint, dtype, border):
    image = picture(dtype)
    for ours, theirs in ((erode, ndimage.grey_erosion), (dilate, ndimage.grey_dilation)):
        expected = theirs(image, footprint=footprint, mode="constant", cval=border)
        result = ours(image, footprint, border_value=border)
        assert result.dtype == dtype
        assert_array_equal(result, expected, ours.__name__)


@every_footprint
@pytest.mark.parametrize("dtype", DTYPES)
def test_without_a_border_value_the_outside_is_left_out(footprint, dtype):
    image = picture(dtype)
    most, least = (1, 0) if dtype is bool else (np.inf, -np.inf) if dtype is np.float32 else (np.iinfo(dtype).max, 0)
    assert_array_equal(erode(image, footprint), erode(image, footprint, border_value=most))
    assert_array_equal(dilate(image, footprint), dilate(image, footprint, border_value=least))


@pytest.mark.parametrize("footprint", [rectangle(5, 9), disc(6), ellipse(5, 9), diamond(3)], ids=lambda f: str(f.shape))
def test_leaving_the_outside_out_is_the_mirrored_border_of_scipy_for_symmetric_footprints(footprint):
    image = picture(np.uint8)
    assert_array_equal(erode(image, footprint), ndimage.grey_erosion(image, footprint=footprint, mode="reflect"))
    assert_array_equal(dilate(image, footprint), ndimage.grey_dilation(image, footprint=footprint, mode="reflect"))


@pytest.mark.parametrize("footprint", [rectangle(5, 9), disc(6), cross(5, 3)], ids=lambda f: str(f.shape))
def test_every_operation_equals_that_of_scikit_image(footprint):
    image = picture(np.uint8)
    for ours, theirs in (
        (erode, reference.erosion),
        (dilate, reference.dilation),
        (opening, reference.opening),
        (closing, reference.closing),
        (top_hat, reference.white_tophat),
        (black_hat, reference.black_tophat),
    ):
        assert_array_equal(ours(image, footprint), theirs(image, footprint), ours.__name__)
    gradient = reference.dilation(image, footprint) - reference.erosion(image, footprint)
    assert_array_equal(morphological_gradient(image, footprint), gradient)


@pytest.mark.parametrize("footprint", [rectangle(5, 5), disc(3), rectangle(2, 4)], ids=lambda f: str(f.shape))
def test_operations_on_masks_equal_those_of_scipy(footprint):
    mask = picture(bool)
    assert_array_equal(opening(mask, footprint, border_value=0), ndimage.binary_opening(mask, footprint))
    assert_array_equal(closing(mask, footprint, border_value=0), ndimage.binary_closing(mask, footprint))
    assert_array_equal(top_hat(mask, footprint), mask & ~opening(mask, footprint))
    assert_array_equal(black_hat(mask, footprint), closing(mask, footprint) & ~mask)
    edge = morphological_gradient(mask, footprint)
    assert_array_equal(edge, dilate(mask, footprint) & ~erode(mask, footprint))
    assert edge.dtype == bool and edge.any()


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 9), st.integers(1, 9), st.data())
def test_any_mask_and_footprint_equal_those_of_scipy(size_hw, rows, columns, data):
    mask = data.draw(arrays(bool, size_hw))
    footprint = data.draw(arrays(bool, (rows, columns)))
    footprint[rows // 3, columns // 3] = True
    border = data.draw(st.integers(0, 1))
    for image in (mask, mask.astype(np.uint8)):
        eroded, dilated = (op(image, footprint, border_value=border) for op in (erode, dilate))
        assert_array_equal(eroded, ndimage.binary_erosion(mask, footprint, border_value=border))
        assert_array_equal(dilated, ndimage.binary_dilation(mask, footprint, border_value=border))


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 40), st.integers(1, 40), st.sampled_from(DTYPES), st.integers(0, 99))
def test_opening_is_below_closing_above_and_both_stand_when_repeated(size_hw, rows, columns, dtype, seed):
    image = picture(dtype, size_hw, seed)
    opened, closed = opening(image, (rows, columns)), closing(image, (rows, columns))
    assert (opened <= image).all() and (closed >= image).all()
    assert_array_equal(opening(opened, (rows, columns)), opened)
    assert_array_equal(closing(closed, (rows, columns)), closed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("footprint", [(3, 3), (1, 40), (37, 2), disc(4), (600, 1100)], ids=str)
def test_every_device_gives_the_same(device, dtype, footprint):
    image = picture(dtype, (45, 83))
    for function in (erode, dilate):
        for border in (None, 1):
            result = function(device.array(image), footprint, border_value=border)
            assert device_of(result) == device.name
            assert_array_equal(to_host(result), function(image, footprint, border_value=border))


@pytest.mark.parametrize("footprint", [rectangle(9, 7), disc(4)], ids=lambda f: str(f.shape))
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same_bits(footprint, dtype, use_threads):
    image = picture(dtype, (1200, 900))
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(dilate(image, footprint))
    assert_array_equal(results[1], results[0])
    assert_array_equal(results[2], results[0])


def test_views_give_what_copies_give_and_nothing_is_written_into_them():
    wide = picture(np.uint8, (60, 90))
    before = wide.copy()
    for view in (wide[::2, ::3], wide[::-1], wide.T):
        assert_array_equal(erode(view, disc(2)), erode(view.copy(), disc(2)))
        assert_array_equal(dilate(view, 3), dilate(view.copy(), 3))
    assert_array_equal(wide, before)


@pytest.mark.parametrize("size_hw", [(0, 5), (5, 0), (1, 1), (1, 200), (200, 1)])
@pytest.mark.parametrize("footprint", [4, disc(3)], ids=["square", "disc"])
def test_the_smallest_and_thinnest_pictures_pass(device, size_hw, footprint):
    mask = np.zeros(size_hw, bool)
    mask[: size_hw[0] // 2 + 1, : size_hw[1] // 2 + 1] = True
    eroded = to_host(erode(device.array(mask), footprint))
    assert eroded.shape == size_hw and eroded.dtype == bool
    if mask.size:
        shape = np.ones((4, 4), bool) if isinstance(footprint, int) else footprint
        assert_array_equal(eroded, ndimage.binary_erosion(mask, shape, border_value=1))


def test_infinite_and_negative_zero_values_keep_their_order():
    image = np.float32([[np.inf, -np.inf, 3, -0.0, 0.0, 5, 7]])
    assert_array_equal(erode(image, (1, 3)), [[-np.inf, -np.inf, -np.inf, 0, 0, 0, 5]])
    assert_array_equal(dilate(image, (1, 3)), [[np.inf, np.inf, 3, 3, 5, 7, 7]])


def test_shapes_of_pixels_are_those_of_scikit_image():
    for radius in (0, 1, 2, 5, 8):
        assert_array_equal(disc(radius), reference.disk(radius).astype(bool))
        assert_array_equal(diamond(radius), reference.diamond(radius).astype(bool))
    assert_array_equal(ellipse(9, 9), disc(4.5)[0:9, 0:9])
    assert_array_equal(ellipse(4, 6), ellipse(4, 6)[::-1, ::-1])
    assert cross(3, 4).sum() == 6


def test_what_cannot_be_used_is_refused_in_a_sentence(device):
    image = device.array(np.zeros((4, 5), np.uint8))
    with pytest.raises(ShapeError, match=r"erode: image is \(4, 5, 3\)"):
        erode(np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(DtypeError, match="image is int64; expected bool, uint8, uint16 or float32"):
        dilate(np.zeros((4, 5), np.int64))
    with pytest.raises(RangeError, match="image holds NaN"):
        opening(device.array(np.float32([[1, np.nan]])))
    for bad, error, words in (
        (0, RangeError, "height is 0; it must be at least 1"),
        ((3, 2**15), RangeError, "width is 32768"),
        ((3, 3, 3), ShapeError, r"expected \(height, width\)"),
        ((3, 1.5), DtypeError, "width is 1.5; expected a whole number"),
        (True, DtypeError, "footprint is a bool"),
        ([[1]], DtypeError, "footprint is a list"),
        (np.ones((3, 3), np.uint8), DtypeError, "footprint is uint8; expected bool"),
        (np.ones(3, bool), ShapeError, r"footprint is \(3,\)"),
        (np.zeros((3, 3), bool), RangeError, "no pixel that is set"),
    ):
        with pytest.raises(error, match=words):
            closing(image, bad)
    for border, words in ((256, "border_value is 256"), (-1, "border_value is -1"), (1.5, "needs a whole number")):
        with pytest.raises(RangeError, match=words):
            erode(image, 3, border_value=border)
    with pytest.raises(RangeError, match="border_value is NaN"):
        erode(np.zeros((4, 5), np.float32), 3, border_value=np.nan)
    for function, value in ((disc, -1), (diamond, -1)):
        with pytest.raises(RangeError, match="radius is -1"):
            function(value)
    with pytest.raises(RangeError, match="width is 0"):
        rectangle(3, 0)
    with pytest.raises(RangeError, match="height is 0"):
        ellipse(0, 3)
