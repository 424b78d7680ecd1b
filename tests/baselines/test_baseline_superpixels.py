"""Other libraries' superpixels under our signature."""

import numpy as np
import pytest

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
