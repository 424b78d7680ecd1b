"""Connected parts of label maps against SciPy, and which pixels may leave a superpixel."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.kernels.labeling.connected_labels import connected_labels
from cvseg.kernels.labeling.part_table import part_table
from cvseg.kernels.superpixels.boundary_moves import removable_table
from cvseg.kernels.superpixels.lab_levels import UNITS, lab_level_tables, lab_levels


def by_scipy(labels):
    """Parts numbered in raster order of their first pixels."""
    parts = np.zeros(labels.shape, np.int64)
    for label in np.unique(labels):
        found = ndimage.label(labels == label)[0]
        parts += np.where(found > 0, found + parts.max(), 0)
    _, first, index = np.unique(parts, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    return rank[index].reshape(labels.shape)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 30), (23, 1), (40, 61)])
@pytest.mark.parametrize("values", [1, 2, 3, 9])
def test_parts_are_those_of_scipy_in_raster_order(size_hw, values):
    labels = np.random.default_rng(values).integers(-1, values - 1, size_hw, dtype=np.int32)
    parts, count = connected_labels(labels)
    assert_array_equal(parts, by_scipy(labels))
    assert count[0] == parts.max()


def test_the_table_of_parts_says_area_first_pixel_label_and_what_lies_before():
    labels = np.array([[5, 5, 2], [2, 5, 2], [2, 2, 2]], np.int32)
    parts, count = connected_labels(labels)
    assert parts.tolist() == [[1, 1, 2], [2, 1, 2], [2, 2, 2]]
    assert part_table(parts, labels, np.int32(count[0])).tolist() == [[3, 0, 5, 0], [6, 2, 2, 1]]


def test_a_pixel_may_leave_exactly_when_the_rest_of_its_neighbourhood_stays_joined():
    table = removable_table()
    around = [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]  # clockwise from the upper one
    for bits in range(256):
        own = np.zeros((3, 3), bool)
        for bit, place in enumerate(around):
            own[place] = bits >> bit & 1
        parts, _ = ndimage.label(own)
        touching = {int(parts[place]) for place in around[::2]} - {0}
        assert table[bits] == (len(touching) == 1), f"{bits:08b}"


def test_whole_numbered_lab_is_near_that_of_scikit_image():
    from skimage.color import rgb2lab

    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    difference = np.abs(lab_levels(image, lab_level_tables())[:, :, :3] / UNITS - rgb2lab(image))
    assert difference[..., 0].max() < 0.3 and difference.mean() < 0.2
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert not lab_levels(gray, lab_level_tables())[:, :, 1:].any()
