"""Pictures of the errors of flow."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import ShapeError
from cvseg.report.flow_error_picture import ERROR_COLORS, flow_error_picture


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
        flow_error_picture(np.zeros((4, 5, 2), np.float32), np.zeros((4, 6, 2), np.float32))
