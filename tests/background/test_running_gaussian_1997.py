"""RunningGaussian: noise, light, shadows, ghosts, flicker; and its score on a real road."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from cvseg.arrays import to_host
from cvseg.background import RunningGaussian, RunningGaussianOptions
from cvseg.errors import OptionError

STREET = (120, 118, 110)


class Scene:
    """A noisy grey street. `picture` paints rectangles (top, bottom, left, right, colour) on it."""

    def __init__(self, noise=3.0, seed=0, size_hw=(24, 40)):
        self.rng = np.random.default_rng(seed)
        self.noise = noise
        self.size_hw = size_hw

    def picture(self, *rectangles, light=1.0, shadow=None):
        image = np.tile(np.float32(STREET), (*self.size_hw, 1))
        if shadow is not None:
            image[shadow[0] : shadow[1], shadow[2] : shadow[3]] *= shadow[4]
        for top, bottom, left, right, color in rectangles:
            image[top:bottom, left:right] = color
        image = image * light + self.rng.normal(0, self.noise, image.shape)
        return np.clip(np.round(image), 0, 255).astype(np.uint8)


def feed(model, scene, frames, *rectangles, **settings):
    for _ in range(frames):
        result = model.update(scene.picture(*rectangles, **settings))
    return result


def test_noise_is_background(device):
    model, scene = RunningGaussian(), Scene(noise=4)
    for _ in range(12):
        result = model.update(device.array(scene.picture()))
    foreground = to_host(result.foreground)
    assert (foreground > 0.5).mean() < 0.002
    assert abs(to_host(result.background).astype(float) - STREET).mean() < 2
    assert result.frames == 12


def test_a_new_thing_is_foreground_and_its_outline_is_exact(device):
    model, scene = RunningGaussian(), Scene()
    for _ in range(12):
        model.update(device.array(scene.picture()))
    car = (6, 15, 10, 30, (30, 40, 120))
    foreground = to_host(model.update(device.array(scene.picture(car))).foreground)
    inside = np.zeros((24, 40), bool)
    inside[6:15, 10:30] = True
    assert foreground[inside].min() > 0.9
    assert foreground[~inside].max() < 0.5
    assert foreground.min() >= 0
    assert foreground.max() <= 1


def test_probability_is_one_half_at_the_threshold():
    options = RunningGaussianOptions(threshold=3.0, smallest_sigma=5.0, noise_factor=0.0, shadow_lightest=0.0)
    model = RunningGaussian(options)
    model.update(np.full((1, 3, 3), 100, np.uint8))
    for _ in range(600):  # the first variance, four times the floor, dies out
        model.update(np.full((1, 3, 3), 100, np.uint8))
    image = np.array([[[100, 100, 100], [115, 115, 115], [140, 100, 100]]], np.uint8)
    foreground = model.update(image, learning_rate=0).foreground[0]
    assert foreground[0] < 0.02
    assert foreground[1] == pytest.approx(0.5, abs=0.01)  # 15 levels = 3 sigma in every channel
    assert foreground[2] > 0.9


def test_a_shadow_is_doubted_and_a_dark_thing_of_another_colour_is_not():
    model, scene = RunningGaussian(), Scene(noise=2)
    feed(model, scene, 20)
    shadowed = feed(model, scene, 1, shadow=(4, 12, 4, 20, 0.75)).foreground[4:12, 4:20]
    assert np.median(shadowed) < 0.5
    without = RunningGaussian(RunningGaussianOptions(shadow_lightest=0.0))
    scene = Scene(noise=2)
    feed(without, scene, 20)
    assert np.median(feed(without, scene, 1, shadow=(4, 12, 4, 20, 0.75)).foreground[4:12, 4:20]) > 0.9
    colored = tuple(np.array(STREET) * (0.75, 0.5, 0.75))
    assert feed(model, scene, 1, (4, 12, 4, 20, colored)).foreground[4:12, 4:20].min() > 0.5


def test_who_stood_in_the_first_frame_leaves_no_ghost():
    model, scene = RunningGaussian(), Scene()
    feed(model, scene, 1, (4, 20, 5, 15, (20, 20, 20)))
    ghost = feed(model, scene, 1).foreground[4:20, 5:15]
    assert ghost.min() > 0.5  # the model cannot know yet
    assert feed(model, scene, model.options.absorb_first + 3).foreground.max() < 0.5


def test_who_stands_for_a_while_on_a_known_background_stays_foreground():
    model, scene, person = RunningGaussian(), Scene(), (4, 20, 5, 15, (20, 20, 20))
    feed(model, scene, 60)
    assert feed(model, scene, 50, person).foreground[4:20, 5:15].min() > 0.5
    left = feed(model, scene, 1)
    assert left.foreground.max() < 0.5
    assert abs(left.background[4:20, 5:15].astype(float) - STREET).mean() < 4


def test_what_stays_for_good_becomes_background_and_heals_at_once_when_that_was_wrong():
    options = RunningGaussianOptions(absorb_last=40)
    model, scene, box = RunningGaussian(options), Scene(), (4, 20, 5, 15, (20, 20, 20))
    feed(model, scene, 100)
    assert feed(model, scene, 45, box).foreground.max() < 0.5
    assert feed(model, scene, 16).foreground.max() < 0.5  # it was background for 5 frames, and 8 + 5 frames undo it


def test_walkers_do_not_burn_in():
    model, scene = RunningGaussian(), Scene()
    feed(model, scene, 10)
    for step in range(150):
        left = 2 * step % 30
        result = model.update(scene.picture((2, 22, left, left + 10, (20, 20, 30))))
        walker = np.zeros((24, 40), bool)
        walker[2:22, left : left + 10] = True
        assert (result.foreground[walker] > 0.5).mean() > 0.97, step
    assert abs(result.background.astype(float) - STREET).max() < 25


def test_slow_light_is_followed():
    model, scene = RunningGaussian(RunningGaussianOptions(learning_rate=0.05)), Scene()
    feed(model, scene, 30)
    for step in range(120):
        result = model.update(scene.picture(light=1 + 0.003 * step))
    assert (result.foreground > 0.5).mean() < 0.01


def watch_leaves(options):
    """Leaves on the left that show the sky in 3 of 10 frames; at the end a red thing before them."""
    model, scene, rng = RunningGaussian(options), Scene(noise=2), np.random.default_rng(8)
    seen = []
    for step in range(160):
        image = scene.picture()
        image[:, :20][rng.random((24, 20)) < 0.3] = 158, 156, 148
        if step == 159:
            image[8:16, 4:14] = 230, 30, 30
        seen.append(model.update(image).foreground)
    return np.array(seen)


def test_flickering_leaves_calm_down_and_people_before_them_are_still_seen():
    # noise_factor 0: the noise of the whole picture must not join the two halves
    plain = watch_leaves(RunningGaussianOptions(noise_factor=0.0, flicker_gain=0.0))
    calmed = watch_leaves(RunningGaussianOptions(noise_factor=0.0))
    assert (plain[140:159, :, :20] > 0.5).mean() > 0.1
    assert (calmed[140:159, :, :20] > 0.5).mean() < 0.02
    assert calmed[159][8:16, 4:14].min() > 0.5
    assert_array_equal(calmed[:, :, 20:], plain[:, :, 20:])  # where nothing flickers nothing changes


def test_noisy_video_raises_the_least_variance_and_clean_video_does_not():
    floors = []
    for noise in (1, 12):
        model, scene = RunningGaussian(), Scene(noise=noise)
        feed(model, scene, 60)
        floors.append(model.state_dict()["variance_floor"])
    assert floors[0] == 25.0
    assert 12**2 < floors[1] < (3 * 12) ** 2


def test_learning_rate_zero_changes_nothing():
    model, scene = RunningGaussian(), Scene()
    feed(model, scene, 20)
    before = model.state_dict()
    for _ in range(20):
        model.update(scene.picture((0, 24, 0, 40, (200, 10, 10))), learning_rate=0)
    after = model.state_dict()
    assert after["frames"] == before["frames"]
    assert after["variance_floor"] == before["variance_floor"]
    for name, array in before["arrays"].items():
        assert_array_equal(after["arrays"][name], array, err_msg=name)


def test_a_larger_learning_rate_moves_the_background_farther():
    moved = []
    for rate in (0.2, 0.5):
        model = RunningGaussian()
        feed(model, Scene(noise=0), 20)
        background = model.update(Scene(noise=0).picture(light=1.05), learning_rate=rate).background
        moved.append(float(background.astype(float).mean()))
    assert np.mean(STREET) < moved[0] < moved[1]


def test_bands_and_threads_do_not_change_a_bit(use_threads):
    results = []
    for threads in (1, 3):
        use_threads(threads)
        model, scene = RunningGaussian(), Scene(size_hw=(150, 37))
        results.append(feed(model, scene, 9, (20, 90, 5, 20, (10, 200, 10))))
    assert_array_equal(results[0].foreground, results[1].foreground)
    assert_array_equal(results[0].background, results[1].background)


def test_options_out_of_range_are_refused():
    with pytest.raises(OptionError, match="smallest_sigma is 0"):
        RunningGaussianOptions(smallest_sigma=0.0)
    assert all(field.metadata["doc"] for field in dataclasses.fields(RunningGaussianOptions))


@pytest.mark.data
def test_road_with_cars_from_the_first_frame_on(data_folder):
    """Labels of CDnet: 255 moving, 0 and 50 (shadow) not, others not scored. The first third only trains."""
    folder = data_folder / "CDnet2014" / "baseline" / "highway"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist")
    frames = sorted((folder / "input").iterdir())
    truths = sorted((folder / "groundtruth").iterdir())
    assert len(frames) == len(truths) == 120
    model = RunningGaussian()
    hits = false = missed = 0
    for i, (frame, truth) in enumerate(zip(frames, truths, strict=True)):
        foreground = model.update(np.array(Image.open(frame).convert("RGB"))).foreground > 0.5
        if i >= 40:
            labels = np.array(Image.open(truth).convert("L"))
            moving, still = labels == 255, (labels == 0) | (labels == 50)
            hits += int((foreground & moving).sum())
            false += int((foreground & still).sum())
            missed += int((~foreground & moving).sum())
    # 0.797 when written. OpenCV 5.0 scores 0.703 (MOG2) and 0.724 (KNN) in the same way.
    assert 2 * hits / (2 * hits + false + missed) > 0.77
