"""Errors of flow by region, and the folder level of flow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cvseg.errors import FormatError, InputError, RangeError
from cvseg.evaluation import (
    FlowErrorCounts,
    flow_accuracy,
    flow_error_counts,
    motion_boundaries,
    near_motion_boundaries,
    speed_regions,
)
from cvseg.evaluation.protocols.flow import FlowProtocolOptions, evaluate
from cvseg.formats import write_flow
from tests.evaluation import plain_flow_errors


def some_flows(seed, size_hw=(6, 7), scale=20.0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, scale, (*size_hw, 2)).astype(np.float32)
    flow = (truth + rng.normal(0, 3, truth.shape)).astype(np.float32)
    truth[rng.random(size_hw) < 0.1] = np.nan
    truth[0, 0] = 1
    return flow, truth


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.5, 20.0, 90.0]))
def test_each_region_has_the_errors_of_its_pixels_alone(seed, scale):
    flow, truth = some_flows(seed, scale=scale)
    rng = np.random.default_rng(seed)
    regions = {"one": rng.random((6, 7)) < 0.5, "two": rng.random((6, 7)) < 0.2, "none": np.zeros((6, 7), bool)}
    regions["one"][0, 0] = True
    counts = flow_error_counts(flow, truth, regions)
    for name, mask in regions.items():
        expected, found = flow_accuracy(flow, truth, mask), counts[name]
        assert found.pixels == expected.pixels
        assert found.endpoint_error_px == pytest.approx(expected.endpoint_error_px, nan_ok=True)
        assert found.outlier_share == pytest.approx(expected.outlier_share, nan_ok=True)
        assert found.angular_error_deg == pytest.approx(expected.angular_error_deg, nan_ok=True)
        counted = mask & np.isfinite(truth).all(2)
        errors = np.sort(np.hypot(*(flow - truth)[counted].astype(np.float64).T))
        if len(errors):
            assert found.above_1_px_share == pytest.approx((errors > 1).mean())
            for percent in (0, 50, 90, 100):
                exact = errors[max(1, math.ceil(percent / 100 * len(errors))) - 1]
                assert 0 <= found.percentile_px(percent) - exact + 1e-6 <= 0.0101
    assert math.isnan(counts["none"].percentile_px(50))


def patchy_flows(seed, size_hw):
    """Regions of one motion each, among them no motion and an exact multiple of the truth, with holes."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice(np.float32([0, 0, 0.3, 2, 15, -60]), (size_hw[0] // 9 + 1, size_hw[1] // 11 + 1, 2))
    truth = np.ascontiguousarray(coarse.repeat(9, 0).repeat(11, 1)[: size_hw[0], : size_hw[1]])
    flow = truth * rng.choice(np.float32([1, -1, 2, 0]), (size_hw[0], 1, 1))
    flow += rng.normal(0, 1, truth.shape) * rng.choice([0, 1e-6, 1, 400], (1, size_hw[1], 1))
    truth[rng.random(size_hw) < 0.02] = np.nan
    truth[rng.random(size_hw) < 0.02] = 1.7e9
    return flow.astype(np.float32), truth


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 50), width=st.integers(1, 50), count=st.integers(0, 11))
def test_the_kernels_equal_the_plain_twin(seed, height, width, count):
    flow, truth = patchy_flows(seed, (height, width))
    rng = np.random.default_rng(seed)
    regions = {f"region {k}": rng.random((height, width)) < rng.random() for k in range(count)}
    counts = flow_error_counts(flow, truth, regions)
    assert list(counts) == list(regions)
    for name, mask in regions.items():
        pixels, outliers, above, errors, angles, histogram = plain_flow_errors.error_counts(flow, truth, mask)
        found = counts[name]
        assert (found.pixels, found.outliers, found.above_1_px) == (pixels, outliers, above)
        assert found.error_sum_px == pytest.approx(errors, rel=1e-12, abs=1e-12)
        assert found.angle_sum_deg == pytest.approx(angles, rel=1e-12, abs=1e-12)
        assert found.histogram.tolist() == histogram.tolist()
    for name, mask in plain_flow_errors.speeds(truth).items():
        assert np.array_equal(speed_regions(truth)[name], mask)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 50),
    width=st.integers(1, 50),
    distance=st.sampled_from([0.0, 1.0, math.sqrt(2), math.sqrt(5), 2.9, 10.0, 1e9]),
    step=st.sampled_from([0.0, 1.0, 2.0]),
)
def test_near_is_the_exact_distance_to_a_motion_boundary(seed, height, width, distance, step):
    _, truth = patchy_flows(seed, (height, width))
    assert np.array_equal(motion_boundaries(truth, step_px=step), plain_flow_errors.boundaries(truth, step))
    expected = plain_flow_errors.near_boundaries(truth, distance, step)
    assert np.array_equal(near_motion_boundaries(truth, distance_px=distance, step_px=step), expected)


def test_angles_are_those_of_the_arc_tangent_in_every_direction():
    turns = np.linspace(-np.pi, np.pi, 1001, dtype=np.float32)
    lengths = np.float32([0, 1e-12, 1e-3, 1, 50, 1e5])
    flow = (lengths[:, None, None] * np.stack([np.cos(turns), np.sin(turns)], -1)).astype(np.float32)
    for x, y in ((0, 0), (1, 0), (-3, 4), (1e6, -1e6)):
        truth = np.broadcast_to(np.float32([x, y]), flow.shape)
        for k in range(0, flow.shape[1], 50):
            one = np.zeros(flow.shape[:2], bool)
            one[:, k] = True
            found = flow_error_counts(flow, truth, {"one": one})["one"].angle_sum_deg
            assert found == pytest.approx(plain_flow_errors.error_counts(flow, truth, one)[4], rel=1e-12)


def test_counts_of_frames_add_up():
    first, second = ((some_flows(seed)) for seed in (1, 2))
    everywhere = {"all": np.ones((6, 7), bool)}
    total = flow_error_counts(*first, everywhere)["all"] + flow_error_counts(*second, everywhere)["all"]
    both = flow_accuracy(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    assert (total + FlowErrorCounts()).endpoint_error_px == pytest.approx(both.endpoint_error_px)
    assert total.pixels == both.pixels


def test_a_missing_flow_at_a_counted_pixel_is_refused():
    flow, truth = some_flows(3)
    flow[0, 0] = np.nan
    with pytest.raises(RangeError, match="shrink the regions"):
        flow_error_counts(flow, truth, {"all": np.ones((6, 7), bool)})


def test_motion_boundaries_lie_where_neighbours_move_apart_and_not_at_unknown_pixels():
    truth = np.zeros((3, 6, 2), np.float32)
    truth[:, 3:, 0] = 2
    truth[0, 5] = 1e10
    boundary = motion_boundaries(truth)
    assert boundary.astype(int).tolist() == [[0, 0, 1, 0, 0, 0]] * 3
    assert not motion_boundaries(truth, step_px=2.0).any()
    near = near_motion_boundaries(truth, distance_px=1.0)
    assert near.astype(int).tolist() == [[0, 1, 1, 1, 0, 0]] * 3
    assert not near_motion_boundaries(np.zeros_like(truth)).any()


def test_speed_regions_part_at_10_and_40_pixels():
    truth = np.zeros((1, 5, 2), np.float32)
    truth[0, :, 0] = [0, 9.9, 10, 40, np.nan]
    regions = speed_regions(truth)
    assert [regions[name][0].astype(int).tolist() for name in ("s0-10", "s10-40", "s40+")] == [
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
    ]


def make(tmp_path, names=("a/1", "a/2", "b/1"), ending=".flo"):
    for seed, name in enumerate(names):
        flow, truth = some_flows(seed)
        for kind, values in (("results", flow), ("truth", truth)):
            path = tmp_path / kind / f"{name}{ending if kind == 'results' else '.flo'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_flow(path, values)


def run(tmp_path, **options):
    return evaluate(tmp_path / "results", tmp_path / "truth", FlowProtocolOptions(**options))


@pytest.mark.parametrize("ending", [".flo", ".npy"])
def test_all_pixels_of_all_frames_count_alike(tmp_path, ending):
    make(tmp_path, ending=ending)
    evaluation = run(tmp_path)
    flows = [some_flows(seed) for seed in range(3)]
    flow, truth = (np.concatenate([pair[i] for pair in flows]) for i in (0, 1))
    expected = flow_accuracy(flow, truth)
    assert evaluation.overall["epe"] == pytest.approx(expected.endpoint_error_px)
    assert evaluation.overall["fl"] == pytest.approx(100 * expected.outlier_share)
    assert evaluation.overall["aae"] == pytest.approx(expected.angular_error_deg)
    assert evaluation.rows["b"]["epe"] == pytest.approx(flow_accuracy(*flows[2]).endpoint_error_px)
    assert evaluation.frames[1].scores["epe"] == pytest.approx(flow_accuracy(*flows[1]).endpoint_error_px)
    assert evaluation.frames[1].picture().shape == (18, 7, 3)
    assert "epe_hidden" not in evaluation.overall
    cumulated = evaluation.curves[0].lines["a"][1]
    assert cumulated == sorted(cumulated)


def save_mask(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def test_masks_part_hidden_from_visible_pixels_and_leave_others_out(tmp_path):
    make(tmp_path, names=("a/1",))
    flow, truth = some_flows(0)
    hidden, invalid = np.zeros((6, 7), bool), np.zeros((6, 7), bool)
    hidden[:3], invalid[:, :2] = True, True
    save_mask(tmp_path / "hidden" / "a" / "1.png", hidden)
    save_mask(tmp_path / "invalid" / "a" / "1.png", invalid)
    overall = run(tmp_path, occlusions=str(tmp_path / "hidden"), invalid=str(tmp_path / "invalid")).overall
    for key, mask in (("epe", ~invalid), ("epe_hidden", hidden & ~invalid), ("epe_visible", ~hidden & ~invalid)):
        assert overall[key] == pytest.approx(flow_accuracy(flow, truth, mask).endpoint_error_px)
    inner = run(tmp_path, border_px=1).overall["epe"]
    assert inner == pytest.approx(flow_accuracy(flow, truth, border_px=1).endpoint_error_px)
    with pytest.raises(FormatError, match=r"1\.png does not exist"):
        run(tmp_path, occlusions=str(tmp_path / "nowhere"))


def test_missing_frames_and_missing_pixels_count_as_no_motion_and_are_remarked(tmp_path):
    make(tmp_path)
    flow, _ = some_flows(0)
    flow[0, 0] = np.nan
    write_flow(tmp_path / "results" / "a" / "1.flo", flow)
    (tmp_path / "results" / "b" / "1.flo").unlink()
    with pytest.raises(InputError, match="b/1"):
        run(tmp_path)
    evaluation = run(tmp_path, missing_as_empty=True)
    _, truth = some_flows(2)
    assert evaluation.rows["b"]["epe"] == pytest.approx(flow_accuracy(0 * flow_of(truth), truth).endpoint_error_px)
    assert any("1 pixels of 1 results have no flow" in remark and "a/1" in remark for remark in evaluation.remarks)


def flow_of(truth):
    return np.nan_to_num(truth)


def test_wrong_sizes_and_a_file_beside_a_folder_are_refused(tmp_path):
    make(tmp_path, names=("1",))
    assert run(tmp_path).rows.keys() == {"flow"}
    files = tmp_path / "results" / "1.flo", tmp_path / "truth" / "1.flo"
    assert evaluate(*files, FlowProtocolOptions()).overall["epe"] == run(tmp_path).overall["epe"]
    with pytest.raises(InputError, match="expected two files or two folders"):
        evaluate(files[0], tmp_path / "truth", FlowProtocolOptions())
    write_flow(files[0], np.zeros((3, 4, 2), np.float32))
    with pytest.raises(FormatError, match=r"1\.flo is 4x3 pixels; expected 7x6"):
        run(tmp_path)


def test_truth_without_a_known_pixel_is_remarked(tmp_path):
    make(tmp_path, names=("1",))
    write_flow(tmp_path / "truth" / "1.flo", np.full((6, 7, 2), np.nan, np.float32))
    evaluation = run(tmp_path)
    assert math.isnan(evaluation.overall["epe"])
    assert any("no pixel to count" in remark for remark in evaluation.remarks)
    assert evaluation.frames[0].picture().shape == (18, 7, 3)
