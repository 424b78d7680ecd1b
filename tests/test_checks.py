"""Checks of arguments: what passes, and the sentence for what does not."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.checks import check_dtype, check_finite, check_range, check_shapes
from cvseg.errors import DtypeError, RangeError, ShapeError


def test_letters_bind_one_size_for_the_whole_call(device):
    image, flow_xy = device.array(np.zeros((4, 5))), device.array(np.zeros((4, 5, 2)))
    assert check_shapes("f", image=(image, "H W"), flow_xy=(flow_xy, "H W 2")) == {"H": 4, "W": 5}


@pytest.mark.parametrize(
    ("image", "flow", "message"),
    [
        ((4, 5), (4, 5), r"f: flow_xy is (4, 5); expected (H, W, 2)."),
        ((4, 5), (4, 5, 3), r"f: flow_xy is (4, 5, 3); expected (4, 5, 2)."),
        ((4, 5), (4, 6, 2), r"f: flow_xy is (4, 6, 2); expected (4, 5, 2) to match image."),
        ((4, 5, 3), (4, 5, 2), r"f: image is (4, 5, 3); expected (H, W)."),
    ],
)
def test_a_wrong_shape_is_named_with_the_shape_that_is_needed(image, flow, message):
    with pytest.raises(ShapeError) as caught:
        check_shapes("f", image=(np.zeros(image), "H W"), flow_xy=(np.zeros(flow), "H W 2"))
    assert str(caught.value) == message


def test_one_letter_demands_a_square():
    assert check_shapes("f", matrix=(np.eye(3), "N N")) == {"N": 3}
    with pytest.raises(ShapeError, match=r"matrix is \(2, 3\); expected \(2, 2\)"):
        check_shapes("f", matrix=(np.zeros((2, 3)), "N N"))


def test_dtypes_are_not_converted(device):
    check_dtype("f", np.float32, image=device.array(np.zeros(3, np.float32)))
    with pytest.raises(DtypeError) as caught:
        check_dtype("f", np.float32, image=device.array(np.zeros(3, np.uint8)))
    assert str(caught.value) == (
        "f: image is uint8; expected float32. Convert it with image.astype('float32') if the values mean the same."
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(device, bad):
    values = np.ones(50, np.float32)
    check_finite("f", image=device.array(values))
    values[17] = bad
    with pytest.raises(RangeError, match="f: image holds NaN or infinite values"):
        check_finite("f", image=device.array(values))


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (-1, {"low": 0}, "f: size is -1; it must be at least 0."),
        (9, {"high": 5}, "f: size is 9; it must be at most 5."),
        (9, {"low": 0, "high": 5}, "f: size is 9; it must be at least 0 and at most 5."),
        (float("nan"), {"low": 0}, "f: size is nan; it must be at least 0."),
        (float("nan"), {"high": 5}, "f: size is nan; it must be at most 5."),
    ],
)
def test_a_number_outside_its_range_is_named_with_the_range(value, bounds, message):
    with pytest.raises(RangeError) as caught:
        check_range("f", "size", value, **bounds)
    assert str(caught.value) == message


def test_the_ends_of_a_range_belong_to_it():
    check_range("f", "size", 0, low=0, high=5)
    check_range("f", "size", 5, low=0, high=5)
    check_range("f", "size", -1e30)
