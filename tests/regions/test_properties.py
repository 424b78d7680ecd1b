"""region_properties as users call it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage.measure import regionprops

from cvseg.errors import DeviceMismatchError, DtypeError, RangeError, ShapeError
from cvseg.regions import label_components, region_properties


def test_measures_equal_those_of_scikit_image(device):
    mask = np.random.default_rng(4).random((31, 43)) < 0.4
    labels, count = label_components(mask)
    weights = np.random.default_rng(5).random(mask.shape, dtype=np.float32)
    table = region_properties(*device.arrays(labels, weights))
    expected = regionprops(labels, weights)
    assert len(table) == count == len(expected)
    for k, region in enumerate(expected):
        assert table.area_px[k] == region.area
        assert_allclose(table.centroid_xy[k], region.centroid[::-1], atol=1e-9)
        top, left, bottom, right = region.bbox
        assert table.box_xyxy[k].tolist() == [left, top, right, bottom]
        # float32 means of scikit-image carry a rounding of 1e-6.
        assert_allclose(table.mean_weight[k], region.intensity_mean, atol=2e-6)
        assert table.touches_border[k] == (left == 0 or top == 0 or right == 43 or bottom == 31)
        x, y = region.coords[:, 1], region.coords[:, 0]
        assert_allclose(table.covariance[k], [np.var(x), np.mean(x * y) - x.mean() * y.mean(), np.var(y)], atol=1e-9)


def random_regions(seed, size_hw=(33, 47)):
    """Labels in blocks with noise, some in several parts, some of one pixel, and a label that does not occur."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 14, (size_hw[0] // 6 + 1, size_hw[1] // 5 + 1)).astype(np.int32)
    labels = np.ascontiguousarray(blocks.repeat(6, 0).repeat(5, 1)[: size_hw[0], : size_hw[1]])
    noise = rng.random(size_hw) < 0.15
    labels[noise] = rng.integers(0, 14, size_hw)[noise]
    labels[labels == 9] = 0
    labels[20, 30], labels[0, 0] = 15, 16
    return labels


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shapes_colours_and_perimeters_equal_those_of_scikit_image(seed, device):
    labels = random_regions(seed)
    image = np.random.default_rng(seed + 50).integers(0, 256, (*labels.shape, 3), np.uint8)
    table = region_properties(device.array(labels), image=device.array(image), perimeter=True)
    assert len(table) == 16
    for region in regionprops(labels, image):
        k = region.label - 1
        assert_allclose(table.axes_px[k], [region.axis_major_length, region.axis_minor_length], atol=1e-6)
        # At eccentricities near 1 the square root doubles the digits that are lost.
        assert_allclose(table.eccentricity[k], region.eccentricity, atol=1e-7)
        assert_allclose(table.extent[k], region.extent, atol=1e-12)
        assert_allclose(table.perimeter_px[k], region.perimeter, atol=1e-9)
        assert_allclose(table.mean_color[k], region.intensity_mean, atol=1e-9)
        assert_allclose(table.std_color[k], region.intensity_std, atol=1e-9)
        if region.area > 1:
            # Theirs counts from the rows, ours from x to y; half a turn makes no difference.
            turn = table.orientation_rad[k] + region.orientation - np.pi / 2
            assert_allclose(np.sin(turn), 0, atol=1e-7)


def test_perimeters_of_thin_and_whole_pictures_equal_those_of_scikit_image(device):
    rng = np.random.default_rng(8)
    for size_hw in ((1, 1), (1, 9), (7, 1), (2, 5), (3, 3), (12, 17)):
        labels = rng.integers(0, 3, size_hw).astype(np.int32)
        labels.flat[0] = 2
        for one in (labels, np.ones(size_hw, np.int32)):
            table = region_properties(device.array(one), perimeter=True)
            expected = {region.label: region.perimeter for region in regionprops(one)}
            assert_allclose(table.perimeter_px, [expected.get(k + 1, 0) for k in range(len(table))], atol=1e-9)


def test_axes_of_an_upright_and_of_a_slanted_bar():
    labels = np.zeros((40, 60), np.int32)
    labels[3:33, 20:24] = 1
    labels[np.arange(12), 40 + np.arange(12)] = 2
    labels[np.arange(12), 39 - np.arange(12)] = 3
    labels[36:39, 50:53] = 4
    table = region_properties(labels)
    # A row of n pixels has the variance (n^2 - 1) / 12.
    assert_allclose(table.axes_px[0], 4 * np.sqrt([(30**2 - 1) / 12, (4**2 - 1) / 12]), atol=1e-12)
    assert_allclose(table.orientation_rad, [np.pi / 2, np.pi / 4, -np.pi / 4, 0], atol=1e-12)
    assert table.eccentricity[1:].tolist() == [1, 1, 0]
    assert_allclose(table.extent, [1, 12 / 144, 12 / 144, 1])


def test_a_thin_region_far_from_the_corner_keeps_its_short_axis():
    labels = np.zeros((3, 30000), np.int32)
    labels[1, 29000:] = 1
    labels[2, 29500] = 1
    table = region_properties(labels)
    assert_allclose(table.axes_px[0, 1], regionprops(labels)[0].axis_minor_length, rtol=1e-6)


def test_colours_of_grey_and_of_float_pictures_are_those_of_bytes(device):
    labels = random_regions(3)
    grey = np.random.default_rng(4).integers(0, 256, labels.shape, np.uint8)
    table = region_properties(device.array(labels), image=device.array(grey))
    inside = labels == 4
    assert_allclose(table.mean_color[3], [grey[inside].mean()] * 3)
    assert_allclose(table.std_color[3], [grey[inside].std()] * 3)
    assert np.isnan(table.mean_color[8]).all()
    assert np.isnan(table.std_color[8]).all()
    from_floats = region_properties(device.array(labels), image=device.array(grey.astype(np.float32) / 255))
    assert from_floats.mean_color.tobytes() == table.mean_color.tobytes()
    flat = region_properties(device.array(labels), image=device.array(np.full((*labels.shape, 3), 201, np.uint8)))
    assert flat.std_color[table.area_px > 0].max() == 0


def test_what_was_not_asked_for_is_not_measured():
    table = region_properties(np.ones((3, 3), np.int32))
    assert table.perimeter_px is None
    assert table.mean_color is None
    assert table.std_color is None


def test_an_empty_region_has_no_extent_no_axes_and_no_perimeter():
    table = region_properties(np.array([[0, 2]], np.int32), perimeter=True)
    row = table.extent[0], *table.axes_px[0], table.eccentricity[0], table.orientation_rad[0], table.perimeter_px[0]
    assert row == (0, 0, 0, 0, 0, 0)
    assert region_properties(np.zeros((3, 4), np.int32), perimeter=True).perimeter_px.shape == (0,)


def test_an_empty_region_has_no_centre_and_an_empty_box(device):
    table = region_properties(device.array(np.array([[0, 2]], np.int32)))
    assert table.area_px.tolist() == [0, 1]
    assert np.isnan(table.centroid_xy[0]).all()
    assert table.box_xyxy[0].tolist() == [0, 0, 0, 0]
    assert table.touches_border.tolist() == [False, True]
    assert table.mean_weight[1] == 1


def test_a_map_without_regions_gives_an_empty_table(device):
    assert len(region_properties(device.array(np.zeros((3, 4), np.int32)))) == 0
    assert len(region_properties(device.array(np.zeros((0, 4), np.int32)))) == 0


def test_shifting_the_map_shifts_centres_and_boxes_and_nothing_else(device):
    labels = np.zeros((30, 40), np.int32)
    labels[5:12, 6:9] = 1
    labels[14:20, 10:25] = 2
    before = region_properties(device.array(labels))
    after = region_properties(device.array(np.roll(labels, (4, 7), (0, 1))))
    assert_allclose(after.centroid_xy - before.centroid_xy, [[7, 4]] * 2, atol=1e-9)
    assert (after.box_xyxy - before.box_xyxy).tolist() == [[7, 4, 7, 4]] * 2
    assert_allclose(after.covariance, before.covariance, atol=1e-9)


def test_wrong_arguments_are_named(cuda_device):
    labels = np.zeros((4, 5), np.int32)
    with pytest.raises(DtypeError, match="labels is int64"):
        region_properties(labels.astype(np.int64))
    with pytest.raises(ShapeError, match="weights is"):
        region_properties(labels, np.zeros((5, 4), np.float32))
    with pytest.raises(DtypeError, match="weights is float64"):
        region_properties(labels, np.zeros((4, 5)))
    with pytest.raises(RangeError, match="count"):
        region_properties(labels, count=-1)
    with pytest.raises(ShapeError, match="image"):
        region_properties(labels, image=np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(DtypeError, match="image is float64"):
        region_properties(labels, image=np.zeros((4, 5)))
    with pytest.raises(RangeError, match="image"):
        region_properties(labels, image=np.full((4, 5), np.nan, np.float32))
    with pytest.raises(DeviceMismatchError):
        region_properties(labels, cuda_device.array(np.zeros((4, 5), np.float32)))
    with pytest.raises(DeviceMismatchError):
        region_properties(labels, image=cuda_device.array(np.zeros((4, 5), np.uint8)))
