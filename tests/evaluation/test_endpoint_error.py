"""Errors of optical flow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import RangeError, ShapeError
from cvseg.evaluation import endpoint_error, flow_accuracy


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.1, 4.0, 80.0]))
def test_errors_equal_the_formulas_pixel_by_pixel(seed, scale):
    rng = np.random.default_rng(seed)
    flow = rng.normal(0, scale, (5, 7, 2)).astype(np.float32)
    truth = (flow + rng.normal(0, 3, flow.shape)).astype(np.float32)
    valid = rng.random((5, 7)) < 0.8
    valid[0, 0] = True
    errors, outliers, angles = [], [], []
    for y in range(5):
        for x in range(7):
            if valid[y, x]:
                (u, v), (s, t) = flow[y, x].tolist(), truth[y, x].tolist()
                error = math.dist((u, v), (s, t))
                errors.append(error)
                outliers.append(error > 3 and error > 0.05 * math.hypot(s, t))
                cosine = (u * s + v * t + 1) / math.sqrt((u * u + v * v + 1) * (s * s + t * t + 1))
                angles.append(math.degrees(math.acos(min(1.0, cosine))))
    accuracy = flow_accuracy(flow, truth, valid)
    assert accuracy.endpoint_error_px == pytest.approx(np.mean(errors))
    assert accuracy.outlier_share == pytest.approx(np.mean(outliers))
    assert accuracy.angular_error_deg == pytest.approx(np.mean(angles), abs=1e-4)
    assert accuracy.pixels == valid.sum()


def test_unknown_truth_and_the_border_are_not_counted():
    truth = np.zeros((6, 8, 2), np.float32)
    flow = truth.copy()
    flow[0] = 100
    flow[2, 3] = flow[3, 3] = 50
    truth[2, 3] = np.nan
    truth[3, 3] = 1.7e9
    assert endpoint_error(flow, truth, border_px=1) == 0
    assert flow_accuracy(flow, truth, border_px=1).pixels == 4 * 6 - 2
    assert endpoint_error(flow, truth) > 0


def test_nothing_to_count_gives_nan_and_not_a_warning():
    flow = np.zeros((3, 3, 2), np.float32)
    accuracy = flow_accuracy(flow, flow, np.zeros((3, 3), bool))
    assert math.isnan(accuracy.endpoint_error_px)
    assert accuracy.pixels == 0


def test_a_flow_that_is_nan_where_it_counts_is_refused():
    flow = np.zeros((3, 3, 2), np.float32)
    flow[1, 1] = np.nan
    truth = np.zeros_like(flow)
    with pytest.raises(RangeError, match="NaN"):
        flow_accuracy(flow, truth)
    valid = np.ones((3, 3), bool)
    valid[1, 1] = False
    assert endpoint_error(flow, truth, valid) == 0
    with pytest.raises(ShapeError):
        endpoint_error(flow, truth[:2])
