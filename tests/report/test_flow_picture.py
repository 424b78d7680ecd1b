"""Pictures of flow and of its errors."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.report.flow_picture import ERROR_COLORS, flow_error_picture, flow_picture


def directions(length=1.0):
    angles = np.deg2rad(np.arange(0, 360, 30))
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)[None].astype(np.float32) * np.float32(length)


def test_every_direction_has_its_own_colour_and_length_only_pales_it():
    full = flow_picture(directions(4), largest_px=4.0)[0].astype(int)
    assert len(np.unique(full, axis=0)) == 12
    half = flow_picture(directions(2), largest_px=4.0)[0].astype(int)
    # Half way to white, one grey level for rounding.
    assert np.abs(half - (full + 255) / 2).max() <= 1
    np.testing.assert_array_equal(flow_picture(directions(40), largest_px=4.0)[0], full)


def test_by_default_the_long_vectors_get_the_full_colour_and_noise_stays_pale():
    assert flow_picture(directions(7)).min() < 10
    assert flow_picture(directions(0.05)).min() > 240
    np.testing.assert_array_equal(flow_picture(np.full((2, 3, 2), np.nan, np.float32)), np.full((2, 3, 3), 96))


def test_errors_change_colour_where_an_outlier_begins():
    truth = np.zeros((1, 6, 2), np.float32)
    truth[0, 3:5, 0] = 100  # 5 % are 5 px there
    truth[0, 5] = np.nan
    flow = np.nan_to_num(truth)
    flow[0, :, 1] = [0, 2.9, 3.1, 4.9, 5.1, 1]
    picture = flow_error_picture(flow, truth)[0].tolist()
    right, wrong = ERROR_COLORS[4].tolist(), ERROR_COLORS[5].tolist()
    assert picture == [ERROR_COLORS[0].tolist(), right, wrong, right, wrong, [0, 0, 0]]


def test_missing_flow_is_white_and_pixels_that_are_not_valid_are_black():
    truth = np.zeros((1, 3, 2), np.float32)
    flow = truth.copy()
    flow[0, 0] = np.nan
    picture = flow_error_picture(flow, truth, np.array([[True, True, False]]))
    assert picture[0].tolist() == [[255] * 3, ERROR_COLORS[0].tolist(), [0] * 3]


def test_wrong_arrays_are_refused():
    with pytest.raises(ShapeError):
        flow_picture(np.zeros((4, 5), np.float32))
    with pytest.raises(DtypeError):
        flow_picture(np.zeros((4, 5, 2)))
    with pytest.raises(RangeError):
        flow_picture(np.zeros((4, 5, 2), np.float32), largest_px=0.0)
    with pytest.raises(ShapeError):
        flow_error_picture(np.zeros((4, 5, 2), np.float32), np.zeros((4, 6, 2), np.float32))
