"""A rendered clip says the truth: flow carries colours and labels, areas are what geometry says, takes repeat."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from cvseg.errors import InputError, OptionError, RangeError
from cvseg.synthetic import SCENES, SUITE, ClipOptions, render_clip
from cvseg.synthetic.backgrounds import BACKGROUNDS
from cvseg.synthetic.cut_outs import CUT_OUTS, cut_out_layer, ellipse, star
from cvseg.synthetic.paths import REST_PERIOD
from cvseg.synthetic.photographs import load_photograph
from cvseg.synthetic.stage import Layer, build_camera, build_layers

SMALL = (97, 173)
# Everything that may move the truth about, nothing that may change a colour.
BUSY = ClipOptions(
    size_hw=SMALL, objects=5, camera="tour", camera_motion=1.5, occluder=True, parallax=0.5, background="street",
    noise_sigma=0.0, caption="now", speed=1.4, seed=3,
)  # fmt: skip


def borders(labels):
    """Pixels with another owner nearby, where one pixel mixes two motions."""
    edges = np.zeros(labels.shape, bool)
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edges[1:] |= labels[1:] != labels[:-1]
    return binary_dilation(edges, iterations=3)


def looked_up(image, flow_xy):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    where = [y + flow_xy[..., 1], x + flow_xy[..., 0]]
    return np.stack(
        [map_coordinates(image[..., c].astype(float), where, order=1, mode="nearest") for c in range(3)], -1
    )


@pytest.mark.parametrize("index", [0, 7, 31])
def test_the_next_frame_seen_along_the_flow_is_this_frame_and_along_any_other_flow_it_is_less(index):
    clip = render_clip(replace(BUSY, size_hw=(193, 345)))
    now, then = clip[index], clip[index + 1]
    mixed = borders(clip._composed(index)[1]) | borders(now.occluded)
    sure = ~now.occluded & ~binary_dilation(mixed, iterations=3)
    assert sure.mean() > 0.5
    # Both frames without the finest grain, which bilinear sampling softens differently in each.
    before, after = (gaussian_filter(frame.image.astype(float), (1.5, 1.5, 0)) for frame in (now, then))

    def error(shift_xy):
        return np.abs(looked_up(after, now.flow_xy + np.float32(shift_xy)) - before)[sure].mean()

    assert error((0, 0)) < 0.5
    # A tenth of a pixel off in any direction is seen.
    for shift_xy in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
        assert error(shift_xy) > 1.3 * error((0, 0))


def test_labels_follow_the_flow_where_nothing_is_occluded():
    clip = render_clip(BUSY)
    for index in (2, 20):
        now, then = clip[index], clip[index + 1]
        y, x = np.nonzero(~now.occluded & (now.labels > 0))
        u, v = now.flow_xy[y, x].T
        landed = then.labels[np.rint(y + v).astype(int), np.rint(x + u).astype(int)]
        assert len(y) > 300
        np.testing.assert_array_equal(landed, now.labels[y, x])


def test_occlusion_marks_what_is_hidden_or_leaves_and_nothing_else():
    options = ClipOptions(size_hw=SMALL, objects=1, cast=("cat",), noise_sigma=0.0, background="wall", speed=2.0)
    clip = render_clip(options)
    now, then = clip[0], clip[1]
    # Camera and wall stand: background is occluded exactly where the object is next.
    np.testing.assert_array_equal(now.occluded & (now.labels == 0), (then.labels == 1) & (now.labels == 0))
    assert (now.occluded & (now.labels == 0)).any()
    assert not now.flow_xy[now.labels == 0].any()
    # A rigid disc that is wholly visible does not hide itself, but for the rounding at its rim.
    assert (now.occluded & (now.labels == 1)).sum() <= 0.6 * math.sqrt((now.labels == 1).sum()) * 4


def test_flow_of_what_leaves_the_frame_points_out_of_it_and_is_marked():
    clip = render_clip(replace(BUSY, objects=0, parallax=0.0, occluder=False, caption="", camera="pan"))
    now = clip[0]
    x = np.arange(SMALL[1]) + now.flow_xy[..., 0]
    y = np.arange(SMALL[0])[:, None] + now.flow_xy[..., 1]
    leaves = (np.rint(x) < 0) | (np.rint(x) > SMALL[1] - 1) | (np.rint(y) < 0) | (np.rint(y) > SMALL[0] - 1)
    assert leaves.any()
    np.testing.assert_array_equal(now.occluded, leaves)


def test_a_static_scene_without_noise_repeats_its_picture_and_flows_nowhere():
    clip = render_clip(ClipOptions(size_hw=SMALL, objects=3, motion="still", noise_sigma=0.0))
    first, later = clip[0], clip[50]
    np.testing.assert_array_equal(first.image, later.image)
    assert not first.flow_xy.any()
    assert not first.occluded.any()


def test_flow_and_truth_are_finite_in_every_scene():
    for name, options in SUITE.items():
        frame = render_clip(replace(options, size_hw=(48, 86)))[min(30, options.frames - 1)]
        assert np.isfinite(frame.flow_xy).all(), name
        assert frame.image.dtype == np.uint8, name
        assert frame.labels.dtype == np.int32, name
        assert frame.flow_xy.dtype == np.float32, name
        assert frame.image.std() > 10, name
        assert {track.id for track in frame.tracks} == set(np.unique(frame.labels).tolist()) - {0}, name


def test_the_mask_of_an_ellipse_has_the_area_of_the_ellipse():
    clip = render_clip(ClipOptions(size_hw=(240, 427), objects=1, cast=("cat",), camera="zoom", background="wall"))
    checked = 0
    for index in range(0, 90, 9):
        frame = clip[index]
        for track in frame.tracks:
            x0, y0, x1, y1 = track.box_xyxy
            if x0 > 0 and y0 > 0 and x1 < 427 and y1 < 240:
                zoom = clip._camera.pose_at(index)[2]
                area = math.pi * (CUT_OUTS["cat"].height * 240 * zoom / 2) ** 2
                assert (frame.labels == track.id).sum() == pytest.approx(area, rel=0.01)
                assert track.visible_fraction == pytest.approx(1, abs=0.01)
                checked += 1
    assert checked >= 5


def test_outlines_enclose_the_area_that_geometry_says():
    def area(points):
        x, y = np.asarray(points).T
        return abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2

    assert area(ellipse(5, 6, 3, 2)) == pytest.approx(math.pi * 6, rel=1e-3)
    # Ten triangles with sides R and R (1 - depth), 36 degrees between them.
    assert area(star(0, 0, 10, 5, 0.4)) == pytest.approx(10 * 0.5 * 10 * 6 * math.sin(math.pi / 5))


def test_tracks_measure_their_visible_pixels():
    frame = render_clip(BUSY)[12]
    assert len(frame.tracks) >= 3
    for track in frame.tracks:
        y, x = np.nonzero(frame.labels == track.id)
        assert track.area_px == len(y)
        assert track.box_xyxy == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        assert track.centroid_xy == pytest.approx((x.mean(), y.mean()))
        assert 0 < track.visible_fraction <= 1
        assert track.name in CUT_OUTS


def test_what_a_pillar_hides_is_missing_from_the_mask_and_the_visible_fraction():
    options = ClipOptions(size_hw=SMALL, objects=1, cast=("cat",), background="wall", speed=1.5)
    free, hidden = render_clip(options), render_clip(replace(options, occluder=True))
    lost = 0
    for index in range(0, 80, 8):
        without, with_pillar = free[index], hidden[index]
        gone = (without.labels > 0) & (with_pillar.labels == 0)
        assert not ((without.labels == 0) & (with_pillar.labels > 0)).any()
        if without.tracks and with_pillar.tracks and gone.any():
            share = 1 - gone.sum() / without.tracks[0].area_px
            expected = without.tracks[0].visible_fraction * share
            assert with_pillar.tracks[0].visible_fraction == pytest.approx(expected, abs=0.02)
            lost += 1
    assert lost >= 2


def test_a_nearer_object_covers_a_farther_one():
    clip = render_clip(SCENES["crossing"])
    meeting, apart = clip[12].tracks, clip[30].tracks
    assert [track.id for track in meeting] == [track.id for track in apart] == [1, 2]
    assert meeting[0].visible_fraction < 0.85
    assert meeting[1].visible_fraction > 0.99
    assert min(track.visible_fraction for track in apart) > 0.99


def test_an_object_that_enters_again_is_a_new_one():
    clip = render_clip(ClipOptions(size_hw=(48, 86), objects=2, speed=6.0, frames=200))
    seen: dict[int, list[int]] = {}
    for index in range(0, 200, 2):
        for track in clip[index].tracks:
            seen.setdefault(track.id, []).append(index)
    assert len(seen) > 4
    for frames in seen.values():
        # Present once, without a gap: it comes, crosses and goes.
        assert frames == list(range(frames[0], frames[-1] + 1, 2))


def test_an_object_that_stops_and_goes_rests_and_moves():
    clip = render_clip(replace(SCENES["stop_and_go"], size_hw=SMALL, noise_sigma=0.0))
    rest, move = clip[REST_PERIOD - 5], clip[REST_PERIOD + 12]
    assert (rest.labels > 0).sum() > 300
    assert not rest.flow_xy.any()
    assert np.abs(move.flow_xy[move.labels > 0]).max() > 0.5


def test_the_same_options_give_the_same_bits_in_any_order_of_asking():
    clip, again = render_clip(replace(BUSY, noise_sigma=3.0, flicker=0.1)), None
    straight = [clip[i] for i in range(4)]
    again = render_clip(replace(BUSY, noise_sigma=3.0, flicker=0.1, frames=10))
    for index in (3, 0, 2, 1):
        frame = again[index]
        for word in ("image", "labels", "flow_xy", "occluded"):
            np.testing.assert_array_equal(getattr(frame, word), getattr(straight[index], word), err_msg=word)
        assert frame.tracks == straight[index].tracks
        np.testing.assert_array_equal(again.image_at(index), frame.image)


def test_any_number_of_threads_gives_the_same_bits(use_threads):
    pictures = []
    for threads in (1, 3):
        use_threads(threads)
        pictures.append(render_clip(replace(BUSY, size_hw=(151, 201)))[5].image)
    np.testing.assert_array_equal(*pictures)


def test_another_seed_is_another_take():
    first, second = render_clip(BUSY)[4], render_clip(replace(BUSY, seed=4))[4]
    assert (first.labels != second.labels).mean() > 0.02


def test_noise_is_of_the_stated_strength_and_new_in_each_frame():
    quiet = ClipOptions(size_hw=(120, 200), objects=0, noise_sigma=0.0, background="gravel")
    noisy = render_clip(replace(quiet, noise_sigma=6.0))
    clean = render_clip(quiet)[0].image.astype(float)
    first, second = noisy[0].image - clean, noisy[1].image - clean
    middle = (clean > 40) & (clean < 215)  # nothing is clipped there
    assert first[middle].std() == pytest.approx(6.0, rel=0.03)
    assert abs(first[middle].mean()) < 0.1
    assert abs(np.corrcoef(first[middle], second[middle])[0, 1]) < 0.02


def test_light_goes_down_by_the_stated_share_and_leaves_the_truth_alone():
    plain = ClipOptions(size_hw=SMALL, objects=2, noise_sigma=0.0)
    bright, dark = render_clip(plain)[50], render_clip(replace(plain, light_change=0.4))[50]
    assert dark.image.mean() == pytest.approx(0.6 * bright.image.mean(), rel=0.01)
    np.testing.assert_array_equal(bright.labels, dark.labels)
    np.testing.assert_array_equal(bright.flow_xy, dark.flow_xy)


def test_a_shadow_darkens_the_background_and_belongs_to_it():
    plain = replace(SCENES["shadow"], size_hw=SMALL, noise_sigma=0.0, shadow=False)
    without, with_shadow = render_clip(plain)[10], render_clip(replace(plain, shadow=True))[10]
    np.testing.assert_array_equal(without.labels, with_shadow.labels)
    np.testing.assert_array_equal(without.flow_xy, with_shadow.flow_xy)
    change = without.image.astype(int) - with_shadow.image
    assert change.min() >= 0
    assert (change[without.labels == 0] > 10).any()


def test_a_caption_stays_on_the_screen_while_the_camera_moves():
    clip = render_clip(replace(SCENES["caption"], size_hw=(120, 214), objects=0, noise_sigma=0.0))
    frames = clip[0], clip[9]
    standing = [~frame.flow_xy.any(axis=2) for frame in frames]
    np.testing.assert_array_equal(*standing)
    assert 0.005 < standing[0].mean() < 0.2
    assert not standing[0][:60].any()
    white = frames[0].image[standing[0]].min(axis=1) > 230
    assert white.any()


def test_parallax_moves_near_scenery_faster_than_the_background():
    clip = render_clip(replace(SCENES["parallax"], size_hw=SMALL, objects=0))
    speed = np.abs(clip[3].flow_xy[..., 0])
    pillar, grass, wall = speed[10, :].max(), np.median(speed[-3]), np.median(speed[10])
    assert pillar > 1.5 * wall
    assert grass > 1.2 * wall


def test_size_scales_the_objects_and_nothing_else():
    plain = ClipOptions(size_hw=(240, 427), objects=1, cast=("cat",), background="wall", noise_sigma=0.0)
    usual, half = render_clip(plain)[20], render_clip(replace(plain, size=0.5))[20]
    assert (half.labels > 0).sum() == pytest.approx((usual.labels > 0).sum() / 4, rel=0.02)
    outside = (usual.labels == 0) & (half.labels == 0)
    rim = binary_dilation((usual.labels > 0) | (half.labels > 0), iterations=2)
    assert outside.any()
    np.testing.assert_array_equal(usual.image[~rim], half.image[~rim])


def test_speed_spread_is_how_many_times_as_fast_the_front_object_is():
    options = ClipOptions(size_hw=SMALL, objects=3, cast=("cat", "cat", "cat"), noise_sigma=0.0, background="wall")
    velocities = []
    for spread in (1.0, 16.0):
        layers = build_layers(replace(options, speed_spread=spread), build_camera(options))
        velocities.append([abs(layer.course.velocity) for layer in layers if layer.number > 0])
    ratios = np.divide(velocities[1], velocities[0])
    np.testing.assert_allclose(ratios, [0.25, 1.0, 4.0])
    alone = build_layers(replace(options, objects=1, speed_spread=16.0), build_camera(options))
    assert abs(alone[-1].course.velocity) == pytest.approx(velocities[0][0] / 4)


def test_water_ripples_below_the_middle_while_its_truth_stands():
    plain = ClipOptions(size_hw=(120, 214), objects=0, background="launch_pad", noise_sigma=0.0)
    clip, dry = render_clip(replace(plain, water=True)), render_clip(plain)
    first, later = clip[0], clip[7]
    assert not first.flow_xy.any()
    assert not first.labels.any()
    assert not first.occluded.any()
    horizon = 60 + round(0.06 * 120)
    np.testing.assert_array_equal(first.image[: horizon - 1], dry[0].image[: horizon - 1])
    np.testing.assert_array_equal(first.image[: horizon - 1], later.image[: horizon - 1])
    change = np.abs(first.image.astype(int) - later.image).max(axis=2)
    assert (change[horizon + 20 :] > 4).mean() > 0.2
    # What stands near the horizon is mirrored below it, darker.
    above, below = first.image[horizon - 25 : horizon - 5], first.image[horizon + 5 : horizon + 25][::-1]
    assert np.corrcoef(above[..., 1].ravel(), below[..., 1].ravel())[0, 1] > 0.5
    assert below.mean() < above.mean()


def test_water_repeats_in_any_order_and_differs_between_takes():
    options = ClipOptions(size_hw=SMALL, objects=1, water=True, camera="pan")
    straight = [frame.image for frame in render_clip(replace(options, frames=4))]
    clip = render_clip(options)
    for index in (3, 1, 0, 2):
        np.testing.assert_array_equal(clip[index].image, straight[index])
    assert (render_clip(replace(options, seed=5, noise_sigma=0.0))[0].image != straight[0]).mean() > 0.1


def test_the_suite_holds_every_kind_with_a_still_and_a_moving_camera():
    assert len(SUITE) >= 40
    assert SCENES.items() <= SUITE.items()
    for holds in (
        lambda o: o.objects > 1,
        lambda o: o.motion == "stop_and_go",
        lambda o: bool(o.caption),
        lambda o: o.shadow,
        lambda o: o.water,
        lambda o: o.occluder,
        lambda o: o.size < 0.7,
        lambda o: o.size > 1.1,
        lambda o: o.speed_spread > 3,
        lambda o: o.speed < 0.6,
        lambda o: o.light_change >= 0.5,
        lambda o: o.noise_sigma >= 8,
        lambda o: o.objects == 0,
    ):
        cameras = {o.camera != "static" for o in SUITE.values() if holds(o)}
        assert cameras == {True, False}
    assert any(o.parallax > 1 for o in SUITE.values())
    assert sum(o.objects == 0 for o in SUITE.values()) <= len(SUITE) / 10  # empty scenes are easy marks


@pytest.mark.parametrize("name", ["demo", "parallax", "rotate"])
def test_another_size_shows_the_same_scene(name):
    options = replace(SCENES[name], noise_sigma=0.0)
    small_clip = render_clip(replace(options, size_hw=(120, 214)))
    small, small_owner = small_clip[33], small_clip._composed(33)[1]
    large = render_clip(replace(options, size_hw=(240, 428)))[33]
    labels = large.labels[1::2, 1::2]
    assert (labels == small.labels).mean() > 0.98
    # Fine grain is drawn anew for each size: compare what is left of it two pixels wide.
    shrunk = gaussian_filter(large.image.reshape(120, 2, 214, 2, 3).mean((1, 3)), (2, 2, 0))
    assert np.corrcoef(shrunk.ravel(), gaussian_filter(small.image.astype(float), (2, 2, 0)).ravel())[0, 1] > 0.98
    flow_xy = large.flow_xy[1::2, 1::2]
    same = (labels == small.labels) & ~borders(small_owner) & ~borders(small.labels)
    # The same motion in frame heights; sampled half a pixel beside.
    assert np.abs(flow_xy / 2 - small.flow_xy)[same].max() < 0.05


def test_the_clip_is_a_sequence_of_frames_with_times():
    clip = render_clip(ClipOptions(size_hw=(48, 64), frames=3, rate=30, objects=1))
    assert len(clip) == len(list(clip)) == 3
    assert [frame.time_s for frame in clip] == [Fraction(0), Fraction(1, 30), Fraction(1, 15)]
    assert [frame.name for frame in clip.frames()] == ["00000", "00001", "00002"]
    np.testing.assert_array_equal(clip[-1].labels, clip[2].labels)
    with pytest.raises(IndexError):
        clip[3]
    with pytest.raises(RangeError, match="index is 3"):
        clip.image_at(3)


def test_a_long_clip_holds_two_frames_whatever_is_asked():
    clip = render_clip(ClipOptions(size_hw=(48, 64), frames=10_000))
    for index in (0, 9_999, 5_000, 5_001):
        clip[index]
    assert len(clip._recent) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"camera": "dolly"}, "camera is 'dolly'"),
        ({"background": "streat"}, "did you mean 'street'"),
        ({"cast": ("hors",)}, "did you mean 'horse'"),
        ({"size_hw": (480,)}, "two whole numbers"),
        ({"size_hw": (8, 480)}, "from 16 to 8192"),
        ({"noise_sigma": -1.0}, "noise_sigma is -1"),
    ],
)
def test_options_that_make_no_clip_are_refused(values, message):
    with pytest.raises(OptionError, match=message):
        ClipOptions(**values)


def test_a_missing_photograph_says_how_to_get_it():
    with pytest.raises(InputError, match="Install scikit-image from a wheel"):
        load_photograph("no_such_picture.png")


def test_every_cut_out_and_background_is_made_of_bundled_photographs():
    for name, cut_out in CUT_OUTS.items():
        layer = cut_out_layer(cut_out, 60)
        alpha = layer[..., 3]
        assert alpha.min() == 0, name
        assert alpha.max() == 1, name
        assert 55 <= np.flatnonzero((alpha > 0.5).any(1)).size <= 61, name
        assert (layer[..., :3] <= alpha[..., None] + 1e-6).all(), name
        assert layer[..., :3][alpha == 1].std() > 0.05, name
    for name in BACKGROUNDS:
        clip = render_clip(ClipOptions(size_hw=(48, 64), objects=0, background=name, noise_sigma=0.0))
        assert clip[0].image.std() > 5, name


def test_a_layer_without_a_number_is_no_object():
    assert Layer("shadow", np.zeros((4, 4, 4), np.float32), 10.0, number=-1).label_at(0, 5) == 0
