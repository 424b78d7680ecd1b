"""The fused background model on generated scenes with exact truth: a floor for every stage of robustness."""

import numpy as np
import pytest

from cvseg.background import FusedBackground, FusedBackgroundOptions
from cvseg.background.fused_light import light_gain
from tests.background.scenes import HEIGHT, WIDTH, f_measure, filmed, put, texture
from tests.background.scenes import play as scenes_through


def play(scenes, seed=0, noise=2.0, options=None):
    """Masks of the fused model for (scene, truth) pairs, with their truth; and the model."""
    model = FusedBackground(options)
    return scenes_through(model, scenes, seed, noise), model


NUMBERS = ("frames", "noise", "relit", "pan_x", "pan_y", "sway", "shaken", "shift_x", "shift_y")
THING = texture(7, 20, 120, radius=1, size_hw=(24, 16))


def test_a_passing_object_is_found_with_its_outline():
    ground = texture(1)
    scenes = [put(ground, THING, -20 + 3 * t, 24) for t in range(40)]
    pairs, _ = play(scenes)
    assert f_measure(pairs[12:32]) > 0.85


def test_nothing_is_found_where_nothing_is():
    ground = texture(2)
    pairs, _ = play([(ground, np.zeros((HEIGHT, WIDTH), bool))] * 25, noise=6.0)
    assert sum(int(mask.sum()) for mask, _ in pairs[2:]) == 0


def test_an_object_of_the_first_frames_leaves_no_ghost():
    ground = texture(3)
    scenes = [put(ground, THING, 40 if t < 12 else 40 + 4 * (t - 12), 24) for t in range(50)]
    pairs, model = play(scenes)
    place = np.s_[24:48, 40:56]
    assert max(int(mask[place].sum()) for mask, _ in pairs[44:]) < 20
    background = np.moveaxis(model._arrays["mean"][0], 0, 2)
    assert np.abs(background[place] - ground[place]).mean() < 8


def test_a_slow_object_that_is_there_from_the_first_frame_is_found_by_its_motion():
    ground = texture(4)
    scenes = [put(ground, THING, 30 + t // 2, 24) for t in range(40)]
    pairs, _ = play(scenes)
    still = FusedBackgroundOptions(motion=False)
    by_color, _ = play(scenes, options=still)
    assert f_measure(pairs[20:]) > 0.6
    assert f_measure(pairs[20:]) > f_measure(by_color[20:]) + 0.1


def test_a_shadow_is_told_from_its_object():
    ground = texture(5, 120, 220, radius=3)
    scenes, shades = [], []
    for t in range(40):
        x = -30 + 3 * t
        dark, shade = put(np.ones_like(ground), np.full((24, 20, 3), 0.72, np.float32), x + 16, 24)
        scene, truth = put(ground * dark, THING, x, 24)
        scenes.append((scene, truth))
        shades.append(shade & ~truth)
    pairs, _ = play(scenes)
    wrong = sum(int((mask & shade).sum()) for (mask, _), shade in zip(pairs[12:], shades[12:], strict=True))
    assert wrong < 0.25 * sum(int(shade.sum()) for shade in shades[12:])
    assert f_measure(pairs[14:30]) > 0.75


def test_the_result_marks_where_the_shadow_is():
    rng, model, ground = np.random.default_rng(0), FusedBackground(), texture(5, 120, 220, radius=3)
    for _ in range(15):
        model.update(filmed(ground, rng))
    dark = ground.copy()
    dark[20:50, 30:60] *= 0.7
    result = model.update(filmed(dark, rng))
    assert result.shadow[22:48, 32:58].mean() > 0.5
    assert not (result.shadow & result.mask).any()


@pytest.mark.parametrize("gain", [0.6, 1.35])
def test_a_sudden_change_of_the_light_does_not_flood_the_mask(gain):
    ground = texture(6, 60, 180)
    scenes = [put(ground * (gain if t >= 20 else 1.0), THING, -20 + 3 * t, 24) for t in range(40)]
    pairs, _ = play(scenes)
    # At most a tenth of the picture may be wrong in the very frame of the change, and all is well 15 frames later.
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[20:]) < 0.1
    assert f_measure(pairs[32:]) > 0.7


def test_the_gain_of_the_light_is_measured_beside_objects():
    ground = texture(8)
    scene, _ = put(ground * 1.3, THING, 20, 20)
    gain = light_gain(np.clip(scene, 0, 255).astype(np.uint8), np.ascontiguousarray(np.moveaxis(ground, 2, 0)))
    assert gain == pytest.approx([1.28] * 3, abs=0.03)  # the offset of dark pixels takes a little away


def lake(frames=70, first=50):
    """Waves of up to 36 levels on the lower half; a thing crosses them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    shore = texture(31, 90, 160)
    for t in range(frames):
        wave = 20 * np.sin(x / 3 + 0.9 * t) + 16 * np.sin(y / 2 - 1.3 * t + x / 7)
        scene = np.stack([70 + wave, 100 + wave, 120 + wave], axis=2).astype(np.float32)
        scene[: HEIGHT // 2] = shore[: HEIGHT // 2]
        yield put(scene, THING * 0.4, 20 + 2 * (t - first), 40) if t >= first else (scene, np.zeros(x.shape, bool))


def test_waving_water_is_no_foreground_but_what_crosses_it_is():
    pairs, model = play(lake())
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[30:50]) < 0.01
    assert f_measure(pairs[52:]) > 0.85
    assert not model.camera_moves


def test_it_is_the_learned_spread_of_the_colours_and_the_flicker_that_know_the_water(monkeypatch):
    judge = FusedBackground._judge

    def learns_no_spread(model, *arguments):
        result = judge(model, *arguments)
        model._arrays["variance"][:] = 2.5**2
        model._arrays["age"][1:] = 0
        return result

    monkeypatch.setattr(FusedBackground, "_judge", learns_no_spread)
    pairs, _ = play(lake(), options=FusedBackgroundOptions(flicker_gain=0.0))
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[30:50]) > 0.03


def sparkling(frames=90, first=60, spot=4, share=0.3):
    """Spots on the left half show any grey in three of ten frames, as leaves before the sun do; a thing crosses it."""
    rng, ground = np.random.default_rng(1), texture(1)
    spots_hw = HEIGHT // spot, WIDTH // 2 // spot
    enlarge = np.ones((spot, spot, 1), np.float32)
    for t in range(frames):
        scene, on = ground.copy(), np.kron(rng.random((*spots_hw, 1)) < share, enlarge)
        color = np.kron(rng.uniform(40, 220, (*spots_hw, 1)), enlarge) * np.float32([0.8, 1, 0.7])
        scene[:, : WIDTH // 2] = np.where(on > 0, color, scene[:, : WIDTH // 2])
        thing = np.broadcast_to(np.float32([230, 40, 40]), THING.shape)
        yield put(scene, thing, -16 + 3 * (t - first), 24) if t >= first else (scene, np.zeros(scene.shape[:2], bool))


def test_leaves_that_flicker_calm_down_and_what_crosses_them_is_found():
    pairs, _ = play(sparkling())
    without, _ = play(sparkling(), options=FusedBackgroundOptions(flicker_gain=0.0))
    alarms = [float(np.mean([mask.mean() for mask, _ in played[45:60]])) for played in (pairs, without)]
    assert alarms[0] < 0.02
    assert alarms[0] < 0.4 * alarms[1]
    assert f_measure(pairs[66:]) > 0.8
    assert f_measure(pairs[66:]) > f_measure(without[66:]) + 0.1


def test_an_object_that_stops_stays_foreground_for_a_while_and_then_joins_the_background():
    ground = texture(9)
    options = FusedBackgroundOptions(age_last=40)
    scenes = [put(ground, THING, min(-20 + 3 * t, 40), 24) for t in range(110)]
    pairs, _ = play(scenes, options=options)
    assert f_measure(pairs[20:40]) > 0.8  # it came to rest in frame 20
    assert pairs[-1][0].sum() < 0.2 * pairs[-1][1].sum()


def test_in_a_frozen_model_nothing_changes():
    rng, model, ground = np.random.default_rng(0), FusedBackground(), texture(1)
    for _ in range(6):
        model.update(filmed(ground, rng))
    before = model.state_dict()
    scene, truth = put(ground, THING, 40, 24)
    first, second = (model.update(scene.astype(np.uint8), learning_rate=0) for _ in range(2))
    assert np.array_equal(first.foreground, second.foreground)
    assert f_measure([(first.mask, truth)]) > 0.8
    after = model.state_dict()
    assert {name for name in before["arrays"] if not np.array_equal(before["arrays"][name], after["arrays"][name])} == (
        set()
    )
    assert [before[name] for name in NUMBERS] == [after[name] for name in NUMBERS]


def test_saved_in_the_middle_and_loaded_it_goes_on_bit_by_bit():
    ground, rng = texture(1), np.random.default_rng(0)
    frames = [filmed(put(ground, THING, -10 + 3 * t, 24)[0], rng) for t in range(24)]
    straight, first, second = FusedBackground(), FusedBackground(), FusedBackground()
    expected = [straight.update(frame) for frame in frames]
    for frame in frames[:11]:
        first.update(frame)
    second.load_state_dict(first.state_dict())
    for frame, wanted in zip(frames[11:], expected[11:], strict=True):
        result = second.update(frame)
        assert np.array_equal(result.foreground, wanted.foreground)
        assert np.array_equal(result.background, wanted.background)


def test_odd_sizes_and_a_motion_scale_of_two_work_as_well():
    ground = texture(1, size_hw=(71, 93))
    options = FusedBackgroundOptions(motion_height=36)
    pairs, model = play([put(ground, THING, -20 + 3 * t, 20) for t in range(30)], options=options)
    assert model.state_dict()["arrays"]["history"].shape[1:] == (36, 47)
    assert f_measure(pairs[14:]) > 0.8


def test_a_camera_that_pans_hands_over_to_motion_and_one_that_shakes_does_not():
    wide, rng = texture(3, size_hw=(HEIGHT, 200)), np.random.default_rng(0)
    thing = texture(7, 0, 255, radius=1, size_hw=(24, 16))
    panning, shaking, pairs = FusedBackground(), FusedBackground(), []
    for t in range(30):
        scene, truth = put(np.ascontiguousarray(wide[:, 3 * t : 3 * t + WIDTH]), thing, 40, 24)
        pairs.append((panning.update(filmed(scene, rng)).mask, truth))
        shaking.update(filmed(wide[:, 50 + 2 * (t % 2) : 50 + 2 * (t % 2) + WIDTH], rng))
    assert panning.camera_moves
    assert not shaking.camera_moves
    assert f_measure(pairs[8:]) > 0.6


def test_a_jittering_camera_does_not_flood_the_mask_and_hides_no_object():
    wide, rng = texture(11, radius=3, size_hw=(HEIGHT + 8, WIDTH + 8)), np.random.default_rng(5)
    scenes = []
    for t in range(60):
        x, y = rng.integers(0, 4, 2)
        scenes.append(put(wide[y : y + HEIGHT, x : x + WIDTH], THING, -60 + 3 * t, 24))
    pairs, model = play(scenes)
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[30:]) < 0.06
    assert f_measure(pairs[30:50]) > 0.85
    assert not model.camera_moves


def test_an_object_that_is_taken_away_leaves_a_ghost_only_for_a_while():
    ground = texture(12)
    before = put(ground, THING, 40, 24)[0]
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    options = FusedBackgroundOptions(age_last=40)
    pairs, _ = play([(before if t < 40 else ground, nothing) for t in range(110)], options=options)
    assert pairs[50][0][28:44, 42:54].any()  # the change is reported
    assert pairs[-1][0].sum() < 0.2 * THING.shape[0] * THING.shape[1]


@pytest.mark.parametrize("gain", [0.45, 1.6])
def test_after_a_strong_change_of_the_light_less_than_30_frames_pass_without_a_flood(gain):
    ground = texture(15, 50, 150)
    scenes = [put(ground * (gain if t >= 20 else 1.0), THING, -70 + 3 * t, 24) for t in range(52)]
    pairs, _ = play(scenes)
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[20:]) < 0.25
    assert f_measure(pairs[44:]) > 0.7


ACROSS = np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
LIGHTS = {  # and the frame after the change from which on at most a twentieth may be wrong
    "brighter by a number": (lambda scene: scene + 40, 0),
    "darker by a number": (lambda scene: scene - 30, 0),
    "another exposure curve": (lambda scene: 255 * (scene / 255) ** 0.6, 0),
    "another colour": (lambda scene: scene * np.float32([1.4, 1.1, 0.8]), 0),
    "brighter on one side": (lambda scene: scene * (1 + 0.6 * ACROSS), 2),
    "a lamp on half of it": (lambda scene: np.where(ACROSS > 0.5, 1.5 * scene, scene), 0),
    "a cloud on half of it": (lambda scene: np.where(ACROSS > 0.5, 0.6 * scene, scene), 0),
}


@pytest.mark.parametrize("kind", LIGHTS)
def test_light_that_changes_in_other_ways_than_by_a_factor_is_followed_too(kind):
    change, calm_after = LIGHTS[kind]
    ground, scenes = texture(15, 50, 150), []
    for t in range(56):
        scene, truth = put(ground, THING, -70 + 3 * t, 24)
        scenes.append((change(scene) if t >= 20 else scene, truth))
    pairs, _ = play(scenes)
    assert max(float((mask & ~truth).mean()) for mask, truth in pairs[20 + calm_after :]) < 0.05
    assert f_measure(pairs[48:]) > 0.85
