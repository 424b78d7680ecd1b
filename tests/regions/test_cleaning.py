"""Specks go, holes close, everything else stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage import morphology, segmentation

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.regions import clear_border, fill_holes, label_components, region_properties, remove_small_regions


def noise(density=0.55):
    return np.random.default_rng(7).random((37, 53)) < density


def test_only_components_of_the_least_area_stay(device):
    mask = noise(0.3)
    cleaned = to_host(remove_small_regions(device.array(mask), 5))
    labels, count = label_components(mask)
    large = np.flatnonzero(region_properties(labels, count=count).area_px >= 5) + 1
    assert 0 < len(large) < count
    assert cleaned.dtype == bool
    assert_array_equal(cleaned, np.isin(labels, large))


def test_labels_that_stay_keep_their_numbers(device):
    labels = np.array([[1, 0, 2, 2], [0, 0, 2, 0], [5, 5, 5, 5]], np.int32)
    assert to_host(remove_small_regions(device.array(labels), 3)).tolist() == [[0, 0, 2, 2], [0, 0, 2, 0], [5, 5, 5, 5]]


def test_a_byte_mask_keeps_its_value(device):
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 1:5] = 255
    mask[0, 5] = 255
    cleaned = to_host(remove_small_regions(device.array(mask), 2, connectivity=4))
    assert cleaned.dtype == np.uint8
    assert cleaned.max() == 255 and cleaned[0, 5] == 0 and cleaned.sum() == 8 * 255


def test_all_holes_close_as_in_scipy(device):
    # Foreground of 8 neighbours: the background passes only over edges, which is SciPy's default.
    mask = noise()
    assert_array_equal(to_host(fill_holes(device.array(mask))), ndimage.binary_fill_holes(mask))
    assert ndimage.binary_fill_holes(mask).sum() > mask.sum()


def test_holes_larger_than_the_limit_stay_open(device):
    mask = np.ones((12, 20), np.uint8) * 7
    mask[2:4, 2:4] = 0
    mask[5:10, 5:10] = 0
    filled = to_host(fill_holes(device.array(mask), max_area=4))
    assert (filled[2:4, 2:4] == 7).all()
    assert not filled[5:10, 5:10].any()
    assert fill_holes(device.array(mask), max_area=3).sum() == mask.sum()


def test_a_bay_at_the_border_is_no_hole(device):
    mask = np.ones((6, 6), bool)
    mask[0:3, 2] = False
    assert_array_equal(to_host(fill_holes(device.array(mask))), mask)


@pytest.mark.parametrize("size_hw", [(0, 3), (1, 1)])
def test_the_smallest_masks_pass(device, size_hw):
    mask = device.array(np.ones(size_hw, bool))
    assert to_host(fill_holes(mask)).all()
    assert to_host(remove_small_regions(mask, 1)).shape == size_hw


def test_floats_and_negative_areas_are_refused():
    with pytest.raises(DtypeError):
        remove_small_regions(np.zeros((2, 2), np.float32), 3)
    with pytest.raises(DtypeError):
        fill_holes(np.zeros((2, 2), np.int64))
    with pytest.raises(RangeError):
        fill_holes(np.zeros((2, 2), bool), max_area=-1)
    with pytest.raises(RangeError):
        remove_small_regions(np.zeros((2, 2), bool), -1)


def label_map(size_hw=(37, 53), seed=5):
    """Blobs of four labels, some in several parts, with background between and inside."""
    rng = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(rng.random(size_hw), 1.5)
    return (np.digitize(values, np.quantile(values, [0.3, 0.5, 0.7, 0.9])) * (rng.random(size_hw) < 0.9)).astype(
        np.int32
    )


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("least", [0, 1, 3, 9, 1000])
def test_specks_go_as_in_scikit_image(device, least, connectivity):
    mask = noise(0.4)
    expected = morphology.remove_small_objects(mask, max_size=least - 1, connectivity=connectivity // 4)
    assert_array_equal(to_host(remove_small_regions(device.array(mask), least, connectivity)), expected)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_small_labels_and_small_parts_of_labels_go(device, connectivity):
    labels = label_map()
    for least in (3, 300):
        expected = morphology.remove_small_objects(labels, max_size=least - 1)
        assert_array_equal(to_host(remove_small_regions(device.array(labels), least)), expected)
    parts, _ = label_components(labels, connectivity)
    expected = labels * (morphology.remove_small_objects(parts, max_size=4) > 0)
    result = to_host(remove_small_regions(device.array(labels), 5, connectivity, by_part=True))
    assert result.dtype == np.int32
    assert_array_equal(result, expected)
    assert 0 < (result != labels).sum() < (labels > 0).sum()


@pytest.mark.parametrize("margin", [0, 1, 4])
def test_the_border_is_cleared_as_in_scikit_image(device, margin):
    mask, labels = noise(0.3), label_map()
    components, _ = label_components(mask)
    expected = segmentation.clear_border(components, margin) > 0
    assert 0 < expected.sum() < mask.sum()
    assert_array_equal(to_host(clear_border(device.array(mask), margin)), expected)
    # There a label counts by its parts; here by default as a whole.
    expected = segmentation.clear_border(labels, margin)
    assert_array_equal(to_host(clear_border(device.array(labels), margin, by_part=True)), expected)
    touching = np.unique(np.concatenate([np.unique(labels[margin::-1]), np.unique(labels[-1 - margin :])]))
    touching = np.union1d(touching, np.union1d(labels[:, : margin + 1], labels[:, -1 - margin :]))
    whole = to_host(clear_border(device.array(labels), margin))
    assert_array_equal(whole, np.where(np.isin(labels, touching), 0, labels))


def test_a_margin_wider_than_the_image_clears_all_and_labels_in_the_middle_stay():
    assert not clear_border(noise(), 100).any()
    labels = np.zeros((9, 9), np.int32)
    labels[4, 4], labels[2, 2], labels[0, 7] = 3, 8, 8
    assert np.unique(clear_border(labels)).tolist() == [0, 3]
    assert np.unique(clear_border(labels, by_part=True)).tolist() == [0, 3, 8]


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 15), st.integers(1, 15)).flatmap(lambda size: arrays(bool, size)),
    st.sampled_from([4, 8]),
    st.integers(0, 9),
)
def test_any_mask_is_filled_and_cleaned_as_by_scipy_and_scikit_image(mask, connectivity, area):
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 8 else 2)
    filled = ndimage.binary_fill_holes(mask, structure)
    assert_array_equal(fill_holes(mask, connectivity=connectivity), filled)
    small = morphology.remove_small_holes(mask, max_size=area, connectivity=1 if connectivity == 8 else 2)
    assert_array_equal(fill_holes(mask, area, connectivity), small & filled | mask)
    cleaned = morphology.remove_small_objects(mask, max_size=area, connectivity=connectivity // 4)
    assert_array_equal(remove_small_regions(mask, area + 1, connectivity), cleaned)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_holes_of_a_label_map_get_the_one_label_that_surrounds_them(device, seed, connectivity):
    labels = label_map(seed=seed)
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 8 else 2)
    holes, count = ndimage.label(labels == 0, structure)
    expected = labels.copy()
    for hole in range(1, count + 1):
        inside = holes == hole
        around = np.unique(labels[ndimage.binary_dilation(inside, structure) & ~inside])
        if len(around) == 1 and not (inside[[0, -1]].any() or inside[:, [0, -1]].any()):
            expected[inside] = around[0]
    result = to_host(fill_holes(device.array(labels), connectivity=connectivity))
    assert_array_equal(result, expected)
    assert 0 < (result != labels).sum() < (labels == 0).sum()


def test_every_function_names_a_wrong_connectivity():
    for function, arguments in ((remove_small_regions, (3,)), (clear_border, (1,)), (fill_holes, (None,))):
        with pytest.raises(RangeError, match=f"{function.__name__}: connectivity is 6; it must be 4 or 8"):
            function(noise(), *arguments, 6)
        with pytest.raises(ShapeError, match="regions is"):
            function(np.zeros((2, 2, 2), bool), *arguments)
        with pytest.raises(DtypeError):
            function(np.zeros((2, 2), np.int64), *arguments)
    with pytest.raises(RangeError, match="margin is -1"):
        clear_border(noise(), -1)
