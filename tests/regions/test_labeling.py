"""label_components as users call it."""

import numpy as np
import pytest

from cvseg.arrays import device_of, to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.regions import label_components


def test_bool_and_bytes_give_the_same_labels(device):
    mask = np.random.default_rng(1).random((19, 45)) < 0.5
    labels, count = label_components(device.array(mask))
    other, other_count = label_components(device.array(mask.astype(np.uint8) * 255))
    assert device_of(labels) == device.name
    assert labels.dtype == np.int32
    assert count == other_count == to_host(labels).max()
    assert np.array_equal(to_host(labels), to_host(other))


def test_a_view_with_gaps_is_accepted(device):
    mask = device.array(np.ones((6, 8), bool))[::2, ::2]
    assert label_components(mask)[1] == 1


def test_what_is_no_mask_is_refused():
    with pytest.raises(ShapeError, match="mask is"):
        label_components(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DtypeError, match="threshold"):
        label_components(np.zeros((2, 2), np.float32))
    with pytest.raises(RangeError, match="4 or 8"):
        label_components(np.zeros((2, 2), bool), connectivity=6)
