"""Dense inverse search: accuracy with known truth, and what its options do."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.errors import OptionError
from cvseg.evaluation.endpoint_error import endpoint_error
from cvseg.flow import estimate_flow
from cvseg.flow.dense_inverse_search_2016 import DenseInverseSearchOptions, dense_inverse_search_2016
from cvseg.synthetic import SCENES, render_clip

steps = importlib.import_module("cvseg.flow.dense_inverse_search_2016")  # the package names the function alike


@pytest.fixture(scope="module")
def crossing():
    """A rendered pair: two objects cross a meadow under a panning camera."""
    from dataclasses import replace

    clip = render_clip(replace(SCENES["crossing"], size_hw=(120, 214)))
    return clip[20], clip[21]


@pytest.mark.parametrize(("preset", "bound_px"), [("fast", 0.3), ("balanced", 0.12), ("quality", 0.12)])
def test_rendered_motion_is_found(preset, bound_px, crossing):
    frame, following = crossing
    flow_xy = estimate_flow(frame.image, following.image, preset=preset)
    # Measured 0.27, 0.10 and 0.09 on what stays visible; zero flow has 0.9. The picture is small for fast, whose
    # patches cover 32 pixels: searched at half size as well, it would have 0.18, in half as much time again.
    assert endpoint_error(flow_xy, frame.flow_xy, ~frame.occluded) < bound_px


def test_a_change_of_light_is_not_motion(shifted_pair):
    image0, image1 = shifted_pair((64, 80), 1, 0)
    flow_xy = estimate_flow(image0, np.float32(0.8) * image1 + np.float32(0.05))
    inside = flow_xy[12:-12, 12:-12]
    assert np.hypot(inside[..., 0] - 1, inside[..., 1]).max() < 0.1


def test_a_coarser_finest_level_is_less_accurate(crossing):
    frame, following = crossing
    errors = []
    for level in (0, 1, 2):
        options = DenseInverseSearchOptions(finest_level=level)
        from cvseg.color.gray import gray_image

        flow_xy = dense_inverse_search_2016(gray_image(frame.image), gray_image(following.image), options)
        errors.append(endpoint_error(flow_xy, frame.flow_xy, ~frame.occluded))
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize(
    "options",
    [
        DenseInverseSearchOptions(),
        DenseInverseSearchOptions(finest_level=1, stride=3),
        DenseInverseSearchOptions(finest_level=2, search_level=3, warps=0),
        DenseInverseSearchOptions(search_level=1, finest_warps=1, finest_sweeps=7, warps=3, fixed_points=3),
        DenseInverseSearchOptions(finest_candidates=0, finest_stride=5, finest_iterations=2),
    ],
    ids=["default", "half size", "quarter size", "finest only refined", "finest on its own"],
)
@pytest.mark.parametrize("size_hw", [(120, 157), (45, 61), (8, 8), (9, 31), (33, 12)])
def test_the_program_has_the_bits_of_the_kernels_one_by_one(size_hw, options, use_threads):
    rng = np.random.default_rng(0)
    image0 = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    image1 = np.roll(image0, 2, axis=1)
    initial = rng.normal(0, 2, (*size_hw, 2)).astype(np.float32)
    levels = steps._levels(size_hw, options)
    pyramids = [steps.levels_by_kernels(image, options) for image in (image0, image1)]
    for start in (None, initial):
        arguments = steps._plan(levels, options), steps._coarse_flow(start, levels[1]), steps._weights(options)
        expected = steps.flow_by_kernels(*pyramids, size_hw, *arguments)
        for count in (1, 3):
            use_threads(count)
            assert_array_equal(dense_inverse_search_2016(image0, image1, options, start), expected)
        both = steps.dense_inverse_search_both_ways(image0, image1, options, start)
        assert_array_equal(both[0], expected)


def test_the_finest_level_can_have_settings_of_its_own(shifted_pair):
    image0, image1 = shifted_pair((64, 80), 1.3, 0.4)
    flows = [
        dense_inverse_search_2016(image0, image1, DenseInverseSearchOptions(**changes))
        for changes in (
            {},
            {"finest_stride": 7},
            {"finest_iterations": 1},
            {"finest_candidates": 0},
            {"finest_warps": 1},
            {"finest_fixed_points": 1},
            {"finest_sweeps": 1},
        )
    ]
    for other in flows[1:]:
        assert not np.array_equal(flows[0], other)
        assert np.abs(flows[0] - other)[12:-12, 12:-12].max() < 0.2


def test_every_option_can_be_left_out_or_be_extreme(shifted_pair):
    image0, image1 = shifted_pair((40, 52), 1, 1)
    for changes in (
        {"warps": 0},
        {"spread_iterations": 0},
        {"search_level": 6},
        {"finest_level": 6},
        {"stride": 8, "iterations": 1},
        {"stride": 1},
        {"smoothness": 0.0},
        {"brightness": 0.0, "gradient": 0.0},
        {"relaxation": 1.95, "sweeps": 1},
        {"smallest_side": 40},
    ):
        flow_xy = dense_inverse_search_2016(image0, image1, DenseInverseSearchOptions(**changes))
        assert np.isfinite(flow_xy).all(), changes
        assert np.abs(flow_xy).max() < 60, changes
    with pytest.raises(OptionError, match="stride is 9 px; expected at least 1 and at most 8"):
        DenseInverseSearchOptions(stride=9)
