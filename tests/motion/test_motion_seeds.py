"""Motion seeds: high on what moves, zero where nothing does, on either device."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from cvseg.arrays import to_host
from cvseg.errors import DeviceMismatchError, DtypeError, ShapeError
from cvseg.motion import CameraMotion, estimate_camera_motion, motion_seeds
from cvseg.motion.motion_seeds import LEAST_FULL, MAP_NAMES, MOST_NOISE_PX, WEIGHTS, _outlier_table, _quartiles
from cvseg.objects.work_frame import WorkFrames
from cvseg.synthetic.clip import render_clip
from cvseg.synthetic.scenes import SCENES

SIZE_HW = (60, 90)
OBJECT = np.s_[22:40, 30:55]


def gray_lab(size_hw=SIZE_HW):
    return np.full((*size_hw, 3), (50, 0, 0), np.float32)


def colored_lab(size_hw=SIZE_HW):
    lab = gray_lab(size_hw)
    lab[OBJECT] = (70, 30, 10)
    return lab


def noise(rng, sigma_px, size_hw=SIZE_HW):
    """Errors of a flow: neighbours err alike."""
    errors = gaussian_filter(rng.normal(0, 1, (*size_hw, 2)), (2, 2, 0))
    return (errors / errors.std() * sigma_px).astype(np.float32)


def seeds_of(device, forward_xy, backward_xy, lab, cameras=None):
    cameras = cameras or (estimate_camera_motion(forward_xy), estimate_camera_motion(backward_xy))
    found = motion_seeds(*device.arrays(forward_xy, backward_xy, lab), *cameras)
    assert list(found.maps) == list(MAP_NAMES)
    return to_host(found.seed), {name: to_host(values) for name, values in found.maps.items()}


def moving_object(rng, speed_xy=(5, -2), sigma_px=0.05):
    forward_xy, backward_xy = noise(rng, sigma_px) + np.float32([1, 0]), noise(rng, sigma_px) - np.float32([1, 0])
    forward_xy[OBJECT] += np.float32(speed_xy)
    backward_xy[OBJECT] -= np.float32(speed_xy)
    return forward_xy, backward_xy


def test_every_map_is_high_on_a_moving_object_and_low_beside_it(device):
    seed, maps = seeds_of(device, *moving_object(np.random.default_rng(1)), colored_lab())
    inner, outside = np.zeros(SIZE_HW, bool), np.ones(SIZE_HW, bool)
    inner[26:36, 34:51] = True
    outside[18:44, 26:59] = False
    for name, values in maps.items():
        assert values[inner].mean() > 0.7, name
        assert values[outside].mean() < 0.12, name
    assert seed[inner].min() > 0.75
    assert seed[outside].max() < 0.3


def test_the_seed_is_the_mean_of_the_maps_and_all_are_in_range(device):
    seed, maps = seeds_of(device, *moving_object(np.random.default_rng(2)), colored_lab())
    stacked = np.stack(list(maps.values()))
    assert stacked.dtype == seed.dtype == np.float32
    assert_allclose(seed, np.average(stacked, axis=0, weights=list(WEIGHTS.values())), atol=1e-6)
    assert stacked.min() >= 0
    assert stacked.max() == 1


@pytest.mark.parametrize("flow_px", [(0, 0), (3.25, -1.5)])
def test_one_flow_everywhere_gives_zeros_whatever_the_colours(flow_px, device):
    flow_xy = np.broadcast_to(np.float32(flow_px), (*SIZE_HW, 2)).copy()
    seed, maps = seeds_of(device, flow_xy, -flow_xy, colored_lab())
    assert seed.max() < 1e-4  # the fitted camera is exact to rounding
    assert not maps["barrier"].any()
    assert not maps["inside"].any()
    assert not maps["outliers"].any()
    assert not maps["colors"].any()


@pytest.mark.parametrize("sigma_px", [0.02, 0.1, 0.3])
def test_noise_of_the_flow_is_not_stretched(sigma_px):
    rng = np.random.default_rng(3)
    flows = noise(rng, sigma_px, (120, 160)), noise(rng, sigma_px, (120, 160))
    cameras = [estimate_camera_motion(flow_xy) for flow_xy in flows]
    lab = rng.uniform(0, 100, (120, 160, 3)).astype(np.float32)
    found = motion_seeds(*flows, lab, *cameras)
    assert np.percentile(found.seed, 99) < 0.2
    assert not found.maps["colors"].any()
    assert not found.maps["inside"].any()


@pytest.mark.parametrize("scene", ["nothing_moves", "camera_only"])
def test_scenes_without_objects_stay_low(scene):
    clip = render_clip(dataclasses.replace(SCENES[scene], size_hw=(120, 214), frames=4))
    frames, highest = WorkFrames("cpu", 120, "fast"), []
    for frame in clip.frames():
        for work in frames.push(frame):
            cameras = work.camera_forward, work.camera_backward
            found = motion_seeds(work.forward_xy, work.backward_xy, work.lab, *cameras)
            highest.append(float(np.percentile(found.seed, 99)))
    assert len(highest) == 3
    assert max(highest) < 0.2


def test_what_one_side_only_says_is_no_residual_but_may_be_another_map():
    forward_xy, _ = moving_object(np.random.default_rng(4))
    still = noise(np.random.default_rng(5), 0.05)
    cameras = estimate_camera_motion(forward_xy), estimate_camera_motion(still)
    maps = motion_seeds(forward_xy, still, gray_lab(), *cameras).maps
    assert maps["residual"][OBJECT].mean() < 0.5
    assert maps["barrier"][OBJECT].mean() > 0.7
    assert maps["inside"][30, 42] == 1  # eight of sixteen rays, which is more than the least full level


def test_a_slope_of_the_background_is_no_barrier(device):
    forward_xy, backward_xy = moving_object(np.random.default_rng(6), speed_xy=(0, 6), sigma_px=0.01)
    slope = np.float32(12) * np.sin(np.linspace(0, 3, SIZE_HW[1], dtype=np.float32))
    forward_xy[..., 0] += slope
    backward_xy[..., 0] -= slope
    _, maps = seeds_of(device, forward_xy, backward_xy, gray_lab())
    assert maps["residual"][5:15, 5:-5].max() > 0.5  # no affine camera follows it
    assert maps["barrier"][5:15, 5:-5].max() < 0.25
    assert maps["barrier"][26:36, 34:51].min() > 0.7


def test_a_poor_fit_is_depth_and_lowers_the_least_level_of_the_residual():
    forward_xy, backward_xy = moving_object(np.random.default_rng(7))
    exact = estimate_camera_motion(forward_xy), estimate_camera_motion(backward_xy)

    def level(noise_px):
        cameras = [dataclasses.replace(camera, noise_px=noise_px) for camera in exact]
        return float(motion_seeds(forward_xy, backward_xy, gray_lab(), *cameras).maps["residual"].max())

    assert level(0.4) == 1
    assert level(MOST_NOISE_PX + 9) == 1
    far = float(np.hypot(5, 2))
    assert far / (9.2 + MOST_NOISE_PX) < LEAST_FULL["residual"]  # it would not be full in units of that noise


def test_colours_count_as_far_as_something_moves():
    rng, most = np.random.default_rng(8), []
    for speed in (0.0, 0.6, 6.0):
        flows = moving_object(rng, speed_xy=(speed, 0))
        cameras = [estimate_camera_motion(flow_xy) for flow_xy in flows]
        most.append(float(motion_seeds(*flows, colored_lab(), *cameras).maps["colors"].max()))
    assert most[0] == 0 < most[1] < most[2] == 1


def test_devices_agree_and_the_flow_is_read_back_once(emulated_cuda, monkeypatch):
    flows = moving_object(np.random.default_rng(9))
    cameras = [estimate_camera_motion(flow_xy) for flow_xy in flows]
    expected = motion_seeds(*flows, colored_lab(), *cameras)
    placed = [emulated_cuda.asarray(values) for values in (*flows, colored_lab())]
    downloads, download = [], emulated_cuda.asnumpy
    monkeypatch.setattr(emulated_cuda, "asnumpy", lambda values: downloads.append(values.shape) or download(values))
    found = motion_seeds(*placed, *cameras)
    assert downloads == [(2, *SIZE_HW, 2)]
    assert_allclose(found.seed.get(), expected.seed, atol=1e-5)
    for name in MAP_NAMES:
        assert_allclose(found.maps[name].get(), expected.maps[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (40, 1), (7, 6), (2, 300)])
def test_frames_of_a_few_pixels_give_maps_without_nan(size_hw, device):
    rng = np.random.default_rng(10)
    flows = rng.normal(0, 4, (2, *size_hw, 2)).astype(np.float32)
    seed, maps = seeds_of(device, *flows, rng.uniform(0, 90, (*size_hw, 3)).astype(np.float32))
    for values in (seed, *maps.values()):
        assert values.shape == size_hw
        assert values.min() >= 0
        assert values.max() <= 1


def test_an_image_that_is_a_view_gives_the_same():
    flows = moving_object(np.random.default_rng(11))
    cameras = [estimate_camera_motion(flow_xy) for flow_xy in flows]
    wide = [np.repeat(values, 2, axis=1)[:, ::2] for values in (*flows, colored_lab())]
    assert not wide[0].flags.c_contiguous
    expected = motion_seeds(*flows, colored_lab(), *cameras)
    assert_array_equal(motion_seeds(*wide, *cameras).seed, expected.seed)


@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_quartiles_are_those_of_numpy(count):
    features = np.random.default_rng(count).normal(size=(4, count)).astype(np.float32)
    found = np.stack([values[:, 0] for values in _quartiles(features)])
    assert_allclose(found, np.percentile(features.astype(float), [25, 50, 75], axis=1), atol=1e-6)


def test_outliers_within_three_times_the_noise_count_in_part_only():
    still = np.zeros(SIZE_HW, bool)
    still[OBJECT] = True
    levels = []
    for speed_px in (0.24, 0.6, 5.0):
        flow_xy = np.zeros((*SIZE_HW, 2), np.float32)
        flow_xy[still, 0] = speed_px
        camera = dataclasses.replace(estimate_camera_motion(flow_xy), noise_px=0.2)
        levels.append(float(motion_seeds(flow_xy, flow_xy, gray_lab(), camera, camera).maps["outliers"].max()))
    # u and length stand out, each by 0.24 px / (3 (0.2 + 0.2) px); half a feature is full.
    assert levels == pytest.approx([0.8, 1, 1])
    assert _outlier_table(np.float32([[0, 0]] * 9 + [[0.3, 0]]), 1.2)[6] == np.float32(1.2)
    assert _outlier_table(np.float32([[0, 0]] * 9 + [[5, 0]]), 1.2)[6] == 5


def test_arguments_that_do_not_belong_together_are_refused(emulated_cuda):
    flow_xy, lab = np.zeros((6, 7, 2), np.float32), np.zeros((6, 7, 3), np.float32)
    camera = CameraMotion(np.eye(3), 0.1, 1.0, np.zeros((1, 1), np.float32), 0.0)
    with pytest.raises(ShapeError, match="backward_xy"):
        motion_seeds(flow_xy, flow_xy[1:], lab, camera, camera)
    with pytest.raises(ShapeError, match="lab"):
        motion_seeds(flow_xy, flow_xy, lab[..., 0], camera, camera)
    with pytest.raises(ShapeError, match="at least one pixel"):
        motion_seeds(flow_xy[:0], flow_xy[:0], lab[:0], camera, camera)
    with pytest.raises(DtypeError, match="lab is float64"):
        motion_seeds(flow_xy, flow_xy, lab.astype(float), camera, camera)
    with pytest.raises(DeviceMismatchError, match="two devices"):
        motion_seeds(flow_xy, flow_xy, emulated_cuda.asarray(lab), camera, camera)
