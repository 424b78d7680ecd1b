"""Flow in colours: known directions, unknown pixels, the scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.report.flow_picture import flow_picture, full_color_px


def flow(*vectors):
    return np.float32([vectors])


def test_directions_have_their_colours_and_length_is_depth(device):
    angles = np.deg2rad([0, 60, 120, 180, 240, 300])
    vectors = device.array(flow(*np.c_[4 * np.cos(angles), 4 * np.sin(angles)]))
    full = [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]]
    picture = to_host(flow_picture(vectors, 4.0))[0]
    assert np.abs(picture.astype(int) - full).max() <= 1
    half = to_host(flow_picture(vectors, 8.0))[0]
    assert np.abs(half.astype(int) - (np.array(full) + 255) / 2).max() <= 1


def test_still_is_white_unknown_is_black_and_beyond_the_scale_is_full():
    picture = flow_picture(flow((0, 0), (np.nan, 1), (np.inf, 0), (90, 0)), 3.0)
    assert picture[0].tolist() == [[255, 255, 255], [0, 0, 0], [0, 0, 0], [255, 0, 0]]


def test_the_scale_passes_over_single_wild_vectors_and_what_is_unknown():
    wild = np.full((20, 20, 2), 3, np.float32)
    wild[0, 0] = 1000
    wild[1] = np.nan
    assert full_color_px([wild]) == pytest.approx(np.hypot(3, 3), rel=1e-5)
    assert full_color_px([np.zeros((2, 2, 2), np.float32)]) == 1.0
    assert full_color_px([np.full((2, 2, 2), np.nan, np.float32)]) == 1.0
    assert_array_equal(flow_picture(wild), flow_picture(wild, full_color_px([wild])))


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match="flow_xy"):
        flow_picture(np.zeros((2, 3), np.float32))
    with pytest.raises(DtypeError, match="float64"):
        flow_picture(np.zeros((2, 3, 2)))
    with pytest.raises(RangeError, match="largest_px"):
        flow_picture(np.zeros((2, 3, 2), np.float32), 0.0)
