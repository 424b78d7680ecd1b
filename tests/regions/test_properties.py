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
    with pytest.raises(DeviceMismatchError):
        region_properties(labels, cuda_device.array(np.zeros((4, 5), np.float32)))
