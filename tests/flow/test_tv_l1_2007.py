"""TV-L1: sharp motion boundaries, outliers, and what the options do."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import OptionError
from cvseg.flow.tv_l1_2007 import TV_L1_PRESETS, TvL1Options, tv_l1_2007


def error_px(flow_xy, truth_xy):
    return np.hypot(*(flow_xy - np.asarray(truth_xy)).transpose(2, 0, 1))


def test_a_motion_boundary_stays_sharp(shifted_pair):
    still, moved = shifted_pair((80, 120), 0, 0), shifted_pair((80, 120), 3, 0)
    # The left half moves by 3 pixels over the right one; 3 columns of the right are covered.
    image0, image1 = still[0], still[0].copy()
    image1[:, :63] = moved[1][:, :63]
    flow_xy = tv_l1_2007(image0, image1)
    truth = np.zeros((80, 120, 2), np.float32)
    truth[:, :60, 0] = 3
    error = error_px(flow_xy, truth)[10:-10]
    assert error[:, 10:57].mean() < 0.1
    assert error[:, 67:-10].mean() < 0.1


def test_pixels_that_fit_nothing_do_little_harm(shifted_pair):
    image0, image1 = shifted_pair((80, 120), 1.4, -0.8)
    spoiled = image1.copy()
    spoiled[np.random.default_rng(0).random(spoiled.shape) < 0.02] = 1
    clean, outliers = (error_px(tv_l1_2007(image0, other), [1.4, -0.8])[8:-8, 8:-8] for other in (image1, spoiled))
    assert clean.mean() < 0.05
    assert np.median(outliers) < 0.1
    assert outliers.mean() < 0.2


def test_a_change_of_light_is_no_motion(shifted_pair):
    image0, image1 = shifted_pair((80, 120), 1.4, -0.8)
    shade = 1 - 0.2 * np.exp(-((np.arange(120) - 40) ** 2) / 800)
    for other in (1.1 * image1 + 0.03, 0.9 * image1, image1 * shade):
        error = error_px(tv_l1_2007(image0, other.astype(np.float32)), [1.4, -0.8])[8:-8, 8:-8]
        assert error.mean() < 0.2
    without = error_px(tv_l1_2007(image0, 1.1 * image1 + np.float32(0.03), TvL1Options(light=0.0)), [1.4, -0.8])
    assert without[8:-8, 8:-8].mean() > 1


def test_more_data_weight_gives_less_smooth_flow(shifted_pair):
    rng = np.random.default_rng(0)
    image0, image1 = (image + rng.normal(0, 0.02, image.shape) for image in shifted_pair((64, 80), 1, 0))
    image0, image1 = image0.astype(np.float32), image1.astype(np.float32)
    rough = [
        float(np.abs(np.diff(tv_l1_2007(image0, image1, TvL1Options(data_weight=weight, median=0)), axis=1)).mean())
        for weight in (0.3, 1.2, 5.0)
    ]
    assert rough[0] < rough[1] < rough[2]


def test_larger_presets_are_more_exact(shifted_pair):
    image0, image1 = shifted_pair((96, 128), 5.3, -2.6)
    errors = [
        float(error_px(tv_l1_2007(image0, image1, options), [5.3, -2.6])[12:-12, 12:-12].mean())
        for options in TV_L1_PRESETS.values()
    ]
    assert errors[2] <= errors[1] <= errors[0] < 0.1


def test_an_initial_flow_is_taken_up(shifted_pair):
    image0, image1 = shifted_pair((64, 128), 30, 0)
    alone = TvL1Options(smallest_side=64)  # one level: 30 pixels are out of reach
    guess = np.tile(np.float32([30, 0]), (64, 128, 1))
    inside = np.s_[8:-8, 8:-40]
    assert error_px(tv_l1_2007(image0, image1, alone), [30, 0])[inside].mean() > 5
    assert error_px(tv_l1_2007(image0, image1, alone, guess), [30, 0])[inside].mean() < 0.1


def test_options_are_checked():
    with pytest.raises(OptionError, match=r"median is 3 px; expected at least 0 and at most 2"):
        TvL1Options(median=3)
    with pytest.raises(OptionError, match=r"warps is 0; expected at least 1"):
        TvL1Options(warps=0)
