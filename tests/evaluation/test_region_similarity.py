"""J of masks, of labelled objects, and DAVIS's statistics of a sequence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import DtypeError, InputError, ShapeError
from cvseg.evaluation import object_similarity, region_similarity, sequence_statistics


def slow_similarity(result, truth, void):
    """Pixel by pixel, as the definition reads."""
    shared = union = 0
    for r, t, v in zip(result.ravel(), truth.ravel(), void.ravel(), strict=True):
        if not v:
            shared += bool(r and t)
            union += bool(r or t)
    return 1.0 if union == 0 else shared / union


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), fill=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_similarity_equals_counting_pixel_by_pixel(seed, fill):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 9, 2)
    result, truth = rng.random((height, width)) < fill, rng.random((height, width)) < 0.4
    void = rng.random((height, width)) < 0.3
    assert region_similarity(result, truth, void) == slow_similarity(result, truth, void)
    assert region_similarity(result, truth) == slow_similarity(result, truth, np.zeros_like(void))
    assert region_similarity(result, truth) == region_similarity(truth, result)


def test_two_empty_masks_agree_and_an_empty_one_shares_nothing_with_a_full_one():
    empty, full = np.zeros((3, 5), bool), np.ones((3, 5), bool)
    assert region_similarity(empty, empty) == 1.0
    assert region_similarity(empty, full) == region_similarity(full, empty) == 0.0
    assert region_similarity(full, empty, void=full) == 1.0


def test_masks_of_another_size_or_type_are_refused():
    mask = np.zeros((3, 5), bool)
    with pytest.raises(ShapeError, match=r"truth is \(3, 4\); expected \(3, 5\)"):
        region_similarity(mask, np.zeros((3, 4), bool))
    with pytest.raises(DtypeError, match="truth is uint8"):
        region_similarity(mask, np.zeros((3, 5), np.uint8))


def test_objects_are_compared_one_by_one_through_the_given_names():
    truth = np.array([[1, 1, 2, 2, 0, 0]], np.int32)
    result = np.array([[7, 7, 7, 0, 0, 9]], np.int32)
    scores = object_similarity(result, truth, {1: 7, 3: 8, 4: 9})
    # 2 is found by nobody; 3 is in neither map; 4 is absent and 9 claims a pixel for it.
    assert scores == {1: 2 / 3, 2: 0.0, 3: 1.0, 4: 0.0}


def test_statistics_leave_out_the_ends_and_compare_the_first_and_last_quarters():
    values = [0.0, *[0.8, 0.8, 0.6, 0.6, 0.6, 0.6, 0.4, 0.4, 0.4], 0.0]
    statistics = sequence_statistics(values)
    assert statistics.frames == 9
    assert statistics.mean == pytest.approx(5.2 / 9)
    assert statistics.recall == pytest.approx(6 / 9)
    # Nine frames: quarters of three that share their border frames.
    assert statistics.decay == pytest.approx((0.8 + 0.8 + 0.6) / 3 - 0.4)
    assert sequence_statistics(values, leave_out_ends=False).frames == 11


def test_statistics_skip_frames_without_a_value():
    statistics = sequence_statistics([np.nan, 0.2, 0.8, np.nan, 0.9], leave_out_ends=False)
    assert (statistics.frames, statistics.recall) == (3, pytest.approx(2 / 3))


@pytest.mark.parametrize("values", [[], [0.5, 0.5], [0.1, np.nan, 0.1]])
def test_statistics_without_a_frame_are_refused(values):
    with pytest.raises(InputError, match="no frame to count"):
        sequence_statistics(values)


def test_long_sequences_are_quartered_like_short_ones():
    values = np.repeat([0.9, 0.5, 0.5, 0.1], 300)
    assert sequence_statistics(values.tolist(), leave_out_ends=False).decay == pytest.approx(0.8, abs=0.01)
