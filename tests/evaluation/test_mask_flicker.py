"""Flicker of masks, on squares with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cvseg.errors import DtypeError, ShapeError
from cvseg.evaluation import mask_flicker

STILL = np.zeros((20, 30, 2), np.float32)


def square(x=5, side=10):
    mask = np.zeros((20, 30), bool)
    mask[5 : 5 + side, x : x + side] = True
    return mask


def test_a_mask_that_moves_with_the_picture_does_not_flicker():
    down_right = np.tile(np.float32([3, 2]), (20, 30, 1))
    assert mask_flicker(square(), np.roll(square(), (2, 3), (0, 1)), down_right) == 0
    assert mask_flicker(square(), square(), STILL) == 0


def test_what_comes_and_goes_counts_as_a_share_of_both():
    assert mask_flicker(square(), square(side=5), STILL) == pytest.approx(0.75)
    assert mask_flicker(square(side=5), square(), STILL) == pytest.approx(0.75)
    assert mask_flicker(square(), square(x=10), STILL) == pytest.approx(1 - 50 / 150)


def test_a_mask_that_vanishes_flickers_wholly_and_one_that_never_was_has_no_value():
    nothing = np.zeros((20, 30), bool)
    assert mask_flicker(square(), nothing, STILL) == 1
    assert mask_flicker(nothing, square(), STILL) == 1
    assert math.isnan(mask_flicker(nothing, nothing, STILL))


def test_hidden_pixels_do_not_count():
    hidden = np.zeros((20, 30), bool)
    hidden[10:] = True
    shorter = square()
    shorter[10:] = False
    assert mask_flicker(square(), shorter, STILL) == 0.5
    assert mask_flicker(square(), shorter, STILL, hidden) == 0
    assert math.isnan(mask_flicker(square(), shorter, STILL, np.ones((20, 30), bool)))


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="mask_flicker: flow_xy"):
        mask_flicker(square(), square(), STILL[1:])
    with pytest.raises(ShapeError, match="mask_flicker: hidden"):
        mask_flicker(square(), square(), STILL, np.zeros((2, 2), bool))
    with pytest.raises(DtypeError, match="mask_flicker: after"):
        mask_flicker(square(), square().astype(np.uint8), STILL)
