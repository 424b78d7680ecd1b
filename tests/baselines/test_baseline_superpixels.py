"""Other libraries' superpixels under our signature."""

import numpy as np
import pytest
from scipy import ndimage

from cvseg.baselines import BASELINE_SUPERPIXEL_METHODS
from cvseg.errors import MissingExtraError


@pytest.mark.parametrize("name", BASELINE_SUPERPIXEL_METHODS)
def test_a_baseline_gives_labels_that_part_two_colours(name):
    image = np.full((64, 96, 3), (30, 60, 200), np.uint8)
    image[:, 40:] = (220, 180, 40)
    try:
        labels = BASELINE_SUPERPIXEL_METHODS[name](image, 24)
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert labels.shape == (64, 96) and labels.dtype == np.int32
    assert labels.min() == 0
    assert not np.intersect1d(labels[8:56, 20], labels[8:56, 60]).size


@pytest.mark.parametrize("name", ["opencv_graph", "skimage_felzenszwalb"])
def test_a_scale_is_searched_for_the_wished_number(name):
    rng = np.random.default_rng(2)
    image = ndimage.gaussian_filter(rng.normal(size=(80, 100, 3)), (3, 3, 0))
    image = np.clip(128 + 300 * image, 0, 255).astype(np.uint8)
    method = BASELINE_SUPERPIXEL_METHODS[name]
    for count in (25, 60):
        try:
            labels = method(image, count)
        except MissingExtraError as error:
            pytest.skip(str(error))
        assert 0.75 * count <= labels.max() + 1 <= 1.25 * count
        assert np.array_equal(method.ready(image, count)(image, count), labels)
