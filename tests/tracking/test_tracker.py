"""Tracker on drawn scenes whose truth is known: crossings, obstacles, parts, arrivals, and what its state promises."""

import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest

from cvseg.arrays import device_of, to_host
from cvseg.errors import DtypeError, InputError, OptionError, ShapeError
from cvseg.regions import label_components
from cvseg.tracking import Tracker, TrackerOptions

SIZE_HW = (90, 160)


def draw(*boxes_xywh, size_hw=SIZE_HW):
    """Mask with filled ellipses around (x, y), of width w and height h."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    mask = np.zeros(size_hw, bool)
    for cx, cy, width, height in boxes_xywh:
        mask |= ((x - cx) / (width / 2)) ** 2 + ((y - cy) / (height / 2)) ** 2 <= 1
    return mask


def run(masks, options=None, **extras):
    """All frames are read at the end, when every number is known."""
    return list(live(masks, options, **extras))


def live(masks, options=None, **extras):
    """One frame after the other, to be read at once."""
    tracker = Tracker(options)
    for t, mask in enumerate(masks):
        yield tracker.update(t, label_components(mask)[0], **{name: values[t] for name, values in extras.items()})


def id_at(frame, x, y):
    return int(frame.labels[round(y), round(x)])


def test_read_at_once_a_track_appears_when_it_is_confirmed():
    masks = [draw((20 + 4 * t, 40, 12, 30)) for t in range(10)]
    seen = [(len(frame.tracks), frame.labels.any()) for frame in live(masks, TrackerOptions(min_hits=3))]
    assert seen == [(0, False)] * 2 + [(1, True)] * 8


def test_read_later_a_track_is_there_from_its_first_frame():
    frames = run([draw((20 + 4 * t, 40, 12, 30)) for t in range(10)], TrackerOptions(min_hits=3))
    for t, frame in enumerate(frames):
        assert id_at(frame, 20 + 4 * t, 40) == frame.tracks[0].id == 1
        assert frame.tracks[0].age == t + 1


@pytest.mark.parametrize("min_hits", [1, 2, 3, 5])
def test_seen_in_min_hits_frames_it_is_labelled_in_all_of_them_and_seen_in_fewer_in_none(min_hits):
    masks = []
    for t in range(12):
        boxes = [(30, 40, 12, 30)] if 3 <= t < 3 + min_hits else []
        boxes += [(120, 40, 12, 30)] if 3 <= t < 3 + min_hits - 1 else []
        masks.append(draw(*boxes))
    tracker, held, released = Tracker(TrackerOptions(min_hits=min_hits)), [], []
    for t, mask in enumerate(masks):
        held.append(tracker.update(t, label_components(mask)[0]))
        if len(held) == min_hits:  # as late as promised, and no later
            released.append(held.pop(0).labels)
    released += [frame.labels for frame in held]
    for t, labels in enumerate(released):
        assert np.array_equal(labels, draw((30, 40, 12, 30)) * (3 <= t < 3 + min_hits))


def test_after_min_hits_frames_more_nothing_changes_in_a_frame():
    rng = np.random.default_rng(8)
    masks, _ = busy_scene(24)
    masks = [mask | draw((*rng.uniform(20, 70, 2), 9, 9)) for mask in masks]
    options = TrackerOptions(min_hits=4)
    tracker, frames, released = Tracker(options), [], []
    for t, mask in enumerate(masks):
        frames.append(tracker.update(t, label_components(mask)[0]))
        if t >= 3:
            released.append((frames[t - 3].labels.copy(), frames[t - 3].tracks))
    for frame, (labels, tracks) in zip(frames, released, strict=False):
        assert frame.tracks == tracks
        assert np.array_equal(frame.labels, labels)
    first_seen = {}
    for t, frame in enumerate(frames):
        for track in frame.tracks:
            first_seen.setdefault(track.id, t)
    assert len(first_seen) > 3
    assert sorted(first_seen) == list(range(1, len(first_seen) + 1))
    assert sorted(first_seen.values()) == [first_seen[number] for number in sorted(first_seen)]


def test_no_number_stands_twice_in_a_frame_when_a_newcomer_turns_out_to_be_an_old_one():
    # The left one is covered while a second one stands close to it; when it is gone, the second fits its place.
    masks = [draw((60, 40, 16, 30)) for _ in range(6)]
    masks += [draw((60, 40, 16, 30), (78, 40, 16, 30)) for _ in range(2)]
    masks += [draw((78, 40, 16, 30)) for _ in range(6)]
    for frame in run(masks):
        numbers = [track.id for track in frame.tracks]
        assert len(set(numbers)) == len(numbers)
        for track in frame.tracks:
            assert track.area_px == (frame.labels == track.id).sum()


def test_the_record_says_what_the_pixels_say():
    mask = draw((40, 40, 20, 30))
    probability = np.where(mask, np.float32(0.75), np.float32(0.1))
    frame = run([mask] * 3, probability=[probability] * 3)[-1]
    (track,) = frame.tracks
    y, x = np.nonzero(frame.labels == track.id)
    assert track.area_px == mask.sum() == len(x)
    assert track.box_xyxy == (x.min(), y.min(), x.max() + 1, y.max() + 1)
    assert track.centroid_xy == pytest.approx((x.mean(), y.mean()))
    assert track.confidence == pytest.approx(0.75)
    assert track.velocity_xy == pytest.approx((0, 0), abs=1e-6)


def test_velocity_is_measured_in_pixels_per_frame():
    frames = run([draw((20 + 3 * t, 60 - t, 14, 20)) for t in range(25)])
    assert frames[-1].tracks[0].velocity_xy == pytest.approx((3, -1), abs=0.1)


def test_two_that_cross_keep_their_numbers_and_share_the_pixels_meanwhile():
    left = [(20 + 4 * t, 40, 14, 36) for t in range(30)]
    right = [(140 - 4 * t, 44, 14, 36) for t in range(30)]
    frames = run([draw(a, b) for a, b in zip(left, right, strict=True)])
    first, second = id_at(frames[5], *left[5][:2]), id_at(frames[5], *right[5][:2])
    assert {first, second} == {1, 2}
    assert id_at(frames[-1], *left[-1][:2]) == first
    assert id_at(frames[-1], *right[-1][:2]) == second
    touching = frames[14]
    assert label_components(touching.labels > 0)[1] == 1
    assert {track.id for track in touching.tracks} == {first, second}
    assert sum(track.area_px for track in touching.tracks) == (touching.labels > 0).sum()
    assert {track.id for frame in frames for track in frame.tracks} == {1, 2}


def test_two_that_meet_and_turn_back_keep_their_numbers():
    def place(t):
        return 6.0 * abs(t - 15) / 2

    masks = [draw((76 - place(t), 40, 16, 36), (84 + place(t), 40, 16, 36)) for t in range(31)]
    frames = run(masks)
    start = id_at(frames[4], 76 - place(4), 40), id_at(frames[4], 84 + place(4), 40)
    assert (id_at(frames[-1], 76 - place(30), 40), id_at(frames[-1], 84 + place(30), 40)) == start


def test_a_large_and_a_small_one_that_change_sides_unseen_are_known_by_their_sizes():
    masks = []
    for t in range(36):
        apart = max(40 - 3 * t, 4) if t < 24 else -4 - 5 * (t - 24)
        masks.append(draw((80 - apart // 2, 40, 20, 48), (80 + apart // 2, 40, 12, 22)))
    frames = run(masks)
    large, small = id_at(frames[4], 66, 40), id_at(frames[4], 94, 40)
    assert {large, small} == {1, 2}
    assert (id_at(frames[-1], 109, 40), id_at(frames[-1], 50, 40)) == (large, small)


def test_behind_an_obstacle_the_number_waits():
    masks = [draw((20 + 4 * t, 40, 14, 36)) for t in range(32)]
    for mask in masks:
        mask[:, 60:95] = False  # a wall as wide as two and a half walkers
    frames = run(masks)
    assert any(not frame.tracks for frame in frames[5:])
    assert id_at(frames[-1], 20 + 4 * 31, 40) == id_at(frames[4], 20 + 4 * 4, 40) == 1
    assert {track.id for frame in frames for track in frame.tracks} == {1}


def test_behind_a_thin_post_the_halves_stay_one():
    masks = [draw((20 + 2 * t, 40, 20, 40)) for t in range(50)]
    for mask in masks:
        mask[:, 68:71] = False
    frames = run(masks)
    assert {track.id for frame in frames for track in frame.tracks} == {1}
    for frame, mask in zip(frames, masks, strict=True):
        assert np.array_equal(frame.labels == 1, mask)


def test_after_max_age_a_new_number_is_given():
    masks = [draw((40, 40, 20, 20))] * 5 + [draw()] * 6 + [draw((40, 40, 20, 20))] * 5
    waited = run(masks, TrackerOptions(max_age=6))
    ended = run(masks, TrackerOptions(max_age=5))
    assert waited[-1].tracks[0].id == 1
    assert ended[-1].tracks[0].id == 2


def test_a_flickering_gap_in_an_object_makes_no_second_one():
    masks = []
    for t in range(20):
        mask = draw((30 + 2 * t, 45, 16, 50))
        if t % 4 >= 2:
            mask[44:46] = False  # a belt in the colour of the wall
        masks.append(mask)
    frames = run(masks)
    assert {track.id for frame in frames for track in frame.tracks} == {1}
    assert (frames[-1].labels == 1).sum() == masks[-1].sum()


def test_what_parts_for_good_becomes_two_and_one_of_them_keeps_the_number():
    masks = [draw((80 - d, 40, 16, 36), (80 + d, 40, 16, 36)) for d in [4] * 5 + list(range(4, 44, 2))]
    frames = run(masks)
    assert {track.id for track in frames[4].tracks} == {1}
    assert {track.id for track in frames[-1].tracks} == {1, 2}


def test_a_group_that_came_as_one_and_walks_with_a_gap_becomes_two():
    masks = [draw((30 + t, 40, 14, 36), (30 + (12 if t < 6 else 18) + t, 40, 14, 36)) for t in range(40)]
    frames = run(masks)
    assert len(frames[4].tracks) == 1
    assert len(frames[-1].tracks) == 2


def test_what_comes_off_is_followed_and_gets_a_number_for_no_less_than_min_hits_frames():
    options = TrackerOptions(split_after=6, min_hits=3)
    for frames_apart in range(1, 12):
        masks = [draw((60, 40, 20, 40), (82, 40, 12, 24), (71, 40, 14, 10)) for _ in range(5)]
        # A piece tears off and flies away; then it is gone.
        masks += [draw((60, 40, 20, 40), (83 + t, 40, 12, 24)) for t in range(frames_apart)]
        masks += [draw((60, 40, 20, 40)) for _ in range(3)]
        tracker = Tracker(options)
        held, labels = [], []
        for t, mask in enumerate(masks):
            held.append(tracker.update(t, label_components(mask)[0]))
            labels += [held.pop(0).labels] if len(held) == 3 else []
        labels += [frame.labels for frame in held]
        for label_map, mask in zip(labels, masks, strict=True):
            assert np.array_equal(label_map > 0, mask), frames_apart
        numbered = sum(2 in label_map for label_map in labels)
        assert numbered == (0 if frames_apart < 6 else frames_apart - 3)


def test_one_that_came_in_two_halves_is_one_in_the_end():
    masks = [draw((60 + t, 45, 20, 60)) for t in range(60)]
    for mask in masks[:12]:
        mask[38:52] = False  # behind a wide band, head and feet look like two
    frames = run(masks, TrackerOptions(proof=15))
    assert len(frames[8].tracks) == 2
    assert len(frames[-1].tracks) == 1
    assert frames[-1].tracks[0].area_px == masks[-1].sum()


def test_one_who_comes_out_from_behind_a_wall_into_another_has_the_number_at_once():
    places = [130 - 4 * t for t in range(32)]
    masks = [draw((x, 58, 16, 40)) for x in places]
    for mask in masks:
        mask[:, 56:92] = False
        mask |= draw((45, 36, 20, 44))
    frames = run(masks)
    assert {track.id for frame in frames for track in frame.tracks} == {1, 2}
    walker = id_at(frames[2], places[2], 58)
    assert id_at(frames[-1], places[-1], 58) == walker
    for t, frame in enumerate(frames):
        if places[t] + 8 > 92 or places[t] < 54:
            assert {track.id for track in frame.tracks} == {1, 2}


def test_a_large_rest_in_the_component_of_another_is_not_given_up_for_a_small_piece():
    # Both walk together; a sign cuts a strip of the right one off.
    masks = [draw((50, 40, 18, 40), (90 - 2 * t if t < 12 else 66, 44, 18, 40)) for t in range(24)]
    for mask in masks:
        mask[:, 70:73] = False
    frames = run(masks)
    for frame in frames[3:]:
        assert {track.id for track in frame.tracks} >= {1, 2}
        assert frame.tracks[1].area_px > 0.5 * draw((66, 44, 18, 40)).sum()


def test_numbers_of_those_who_left_are_not_given_again():
    masks = [draw((150 + 6 * t, 40, 14, 30)) for t in range(-4, 4)]
    masks += [draw((10 + 4 * t, 40, 14, 30)) for t in range(8)]
    frames = run(masks, TrackerOptions(min_hits=2))
    assert frames[3].tracks[0].id == 1
    assert frames[-1].tracks[0].id == 2


def test_a_speck_of_one_frame_is_never_shown():
    rng = np.random.default_rng(0)
    masks = [draw((80, 40, 30, 30), (*rng.uniform(5, 45, 2), 4, 4)) for _ in range(15)]
    frames = run(masks)
    assert {track.id for frame in frames for track in frame.tracks} == {1}


def test_components_below_min_area_start_no_track():
    frames = run([draw((40, 40, 30, 30), (120, 40, 4, 4))] * 5, TrackerOptions(min_area=30))
    assert len(frames[-1].tracks) == 1


def test_renumbered_components_give_the_same_tracks():
    rng = np.random.default_rng(4)
    places = rng.uniform((10, 10), (150, 80), (12, 2))
    steps = rng.normal(0, 1.5, (12, 2))
    plain, shuffled = Tracker(), Tracker()
    for t in range(12):
        labels, count = label_components(draw(*[(x, y, 9, 14) for x, y in places + t * steps]))
        table = np.concatenate(([0], rng.permutation(count) + 1)).astype(np.int32)
        one, other = plain.update(t, labels), shuffled.update(t, table[labels])
        assert one.tracks == other.tracks
        assert np.array_equal(one.labels, other.labels)
    assert len(one.tracks) > 5


def test_numbers_with_gaps_are_accepted():
    mask = draw((40, 40, 20, 20))
    tracker = Tracker(TrackerOptions(min_hits=1))
    frame = tracker.update(0, mask.astype(np.int32) * 7)
    assert frame.tracks[0].area_px == mask.sum()


def test_colours_tell_who_is_who_after_a_long_overlap():
    red, blue = (200, 30, 30), (30, 30, 200)

    def scene(t):
        # They meet, stand together for ten frames, and change sides while nobody can tell.
        if t < 12:
            return 60 + t, 100 - t
        if t < 22:
            return 76, 84
        return 86 + (t - 22) * 2, 74 - (t - 22) * 2

    masks, images = [], []
    for t in range(40):
        a, b = scene(t)
        image = np.full((*SIZE_HW, 3), 90, np.uint8)
        image[draw((a, 40, 18, 40))] = red
        image[draw((b, 40, 18, 40))] = blue
        masks.append(draw((a, 40, 18, 40), (b, 40, 18, 40)))
        images.append(image)
    frames = run(masks, image=images)
    a, b = scene(5)
    assert id_at(frames[5], a, 40) != id_at(frames[5], b, 40)
    last_a, last_b = scene(39)
    assert id_at(frames[-1], last_a, 40) == id_at(frames[5], a, 40)
    assert id_at(frames[-1], last_b, 40) == id_at(frames[5], b, 40)


def test_of_three_that_met_the_one_who_leaves_alone_is_known_by_the_colour():
    colors = (200, 30, 30), (30, 30, 200), (30, 160, 30)

    def scene(t):
        # From three sides; for ten frames in one place; then the first to the left, the others together to the right.
        if t < 20:
            return (40 + 2 * t, 40), (120 - 2 * t, 40), (78, 84 - 2 * t)
        if t < 30:
            return (79, 40), (81, 40), (78, 44)
        return (79 - 3 * (t - 30), 40), (81 + 3 * (t - 30), 40), (93 + 3 * (t - 30), 44)

    masks, images = [], []
    for t in range(50):
        image = np.full((*SIZE_HW, 3), 90, np.uint8)
        for (x, y), color in zip(scene(t), colors, strict=True):
            image[draw((x, y, 18, 36))] = color
        masks.append(draw(*[(x, y, 18, 36) for x, y in scene(t)]))
        images.append(image)
    frames = run(masks, image=images)
    first, second, third = (id_at(frames[6], *place) for place in scene(6))
    assert {first, second, third} == {1, 2, 3}
    for t in (36, 49):
        assert id_at(frames[t], *scene(t)[0]) == first
        assert {track.id for track in frames[t].tracks} <= {first, second, third}
    assert {track.id for track in frames[36].tracks} == {first, second, third}


def pan(frames):
    """Two small objects that stand still while the camera swings 25 px a frame to and fro."""
    places = [25.0 * (t % 3) for t in range(frames)]
    masks = [draw((20 + x, 30, 8, 8), (60 + x, 30, 8, 8)) for x in places]
    matrices = [np.eye(3) for _ in range(frames)]
    for t in range(1, frames):
        matrices[t][0, 2] = places[t] - places[t - 1]
    return masks, matrices, places


def test_the_camera_matrix_carries_tracks_along():
    masks, matrices, places = pan(12)
    frames = run(masks, camera_matrix=matrices)
    assert {track.id for frame in frames for track in frame.tracks} == {1, 2}
    assert id_at(frames[-1], 20 + places[-1], 30) == id_at(frames[3], 20 + places[3], 30)
    assert abs(frames[-1].tracks[0].velocity_xy[0]) < 1  # relative to the background
    without = run(masks)
    assert {track.id for track in without[-1].tracks} != {1, 2} or id_at(without[-1], 20 + places[-1], 30) != id_at(
        without[3], 20 + places[3], 30
    )


def test_the_flow_carries_masks_along():
    # Steps longer than the object, changing every frame: only the flow knows where it goes.
    rng = np.random.default_rng(6)
    places = np.cumsum(np.concatenate(([[60, 45]], rng.choice([-16, 16], (9, 2)) * [1, 0])), 0)
    masks = [draw((x, y, 10, 10), (x, y + 25, 10, 10)) for x, y in places]
    flows = [np.zeros((*SIZE_HW, 2), np.float32)]
    for before, after in itertools.pairwise(places):
        flows.append(np.tile((before - after).astype(np.float32), (*SIZE_HW, 1)))
    frames = run(masks, TrackerOptions(min_hits=2), flow_backward_xy=flows)
    assert {track.id for frame in frames for track in frame.tracks} == {1, 2}
    assert id_at(frames[-1], *places[-1]) == id_at(frames[2], *places[2])


def busy_scene(frames=14):
    masks = []
    for t in range(frames):
        mask = draw((20 + 5 * t, 40, 14, 36), (100 - 5 * t, 44, 14, 36), (60, 15 + 3 * t, 10, 10), (150, 70, 8, 12))
        mask[:, 118:122] = False
        masks.append(mask)
    images = np.random.default_rng(1).integers(0, 256, (frames, *SIZE_HW, 3), dtype=np.uint8)
    return masks, list(images)


def test_every_device_gives_the_same_tracks(cuda_device):
    masks, images = busy_scene(9)
    flow_xy = np.random.default_rng(2).normal(0, 1, (*SIZE_HW, 2)).astype(np.float32)
    host, cuda = Tracker(), Tracker()
    for t, (mask, image) in enumerate(zip(masks, images, strict=True)):
        labels = label_components(mask)[0]
        probability = mask.astype(np.float32)
        flow = flow_xy if t > 5 else None
        one = host.update(t, labels, probability=probability, image=image, flow_backward_xy=flow)
        placed = cuda_device.arrays(labels, probability, image, flow)
        other = cuda.update(t, placed[0], probability=placed[1], image=placed[2], flow_backward_xy=placed[3])
        assert device_of(other.labels) == "cuda"
        assert one.tracks == other.tracks
        assert np.array_equal(one.labels, to_host(other.labels))
    assert len(one.tracks) >= 3


@pytest.mark.parametrize("how", ["pickle", "state_dict"])
def test_a_saved_tracker_goes_on_as_if_nothing_had_happened(how):
    masks, images = busy_scene()
    tracker = Tracker()
    for t in range(7):
        tracker.update(t, label_components(masks[t])[0], image=images[t])
    if how == "pickle":
        other = pickle.loads(pickle.dumps(tracker))
    else:
        other = Tracker()
        other.load_state_dict(pickle.loads(pickle.dumps(tracker.state_dict())))
    for t in range(7, 14):
        labels = label_components(masks[t])[0]
        one, two = tracker.update(t, labels, image=images[t]), other.update(t, labels, image=images[t])
        assert one.tracks == two.tracks
        assert np.array_equal(one.labels, two.labels)


def test_a_state_dict_is_not_changed_by_later_frames():
    masks, _ = busy_scene()
    tracker = Tracker()
    for t in range(5):
        tracker.update(t, label_components(masks[t])[0])
    state = tracker.state_dict()
    before = pickle.dumps(state)
    tracker.update(5, label_components(masks[5])[0])
    assert pickle.dumps(state) == before


def test_reset_and_a_second_tracker_count_from_one_again():
    masks = [draw((40, 40, 20, 20))] * 4
    tracker = Tracker()
    for t, mask in enumerate(masks):
        tracker.update(t, label_components(mask)[0])
    tracker.reset()
    again = [tracker.update(t, label_components(mask)[0]) for t, mask in enumerate(masks)]
    assert again[-1].tracks == run(masks)[-1].tracks
    assert again[-1].tracks[0].id == 1


def test_empty_frames_and_the_smallest_frame_pass():
    for size_hw in ((1, 1), (3, 1), (40, 50)):
        tracker = Tracker(TrackerOptions(min_hits=1))
        assert tracker.update(0, np.zeros(size_hw, np.int32)).tracks == ()
        frame = tracker.update(1, np.ones(size_hw, np.int32))
        assert frame.tracks[0].area_px == size_hw[0] * size_hw[1]
        assert tracker.update(2, np.zeros(size_hw, np.int32)).tracks == ()
        assert tracker.update(3, np.ones(size_hw, np.int32)).tracks[0].id == 1


def test_a_thousand_regions_keep_their_numbers():
    labels = np.zeros((330, 330), np.int32)
    labels[2::10, 2::10] = np.arange(1, 33 * 33 + 1).reshape(33, 33)
    for dy in range(3):
        for dx in range(4):
            labels[2 + dy :: 10, 2 + dx :: 10] = labels[2::10, 2::10]
    tracker = Tracker(TrackerOptions(min_hits=2))
    tracker.update(0, labels)
    first = tracker.update(1, np.roll(labels, 1, 1))
    second = tracker.update(2, np.roll(labels, 2, 1))
    assert len(first.tracks) == len(second.tracks) == 33 * 33
    assert np.array_equal(np.roll(first.labels, 1, 1), second.labels)


def test_wrong_arguments_are_named():
    labels = np.zeros((4, 6), np.int32)
    tracker = Tracker()
    tracker.update(3, labels)
    with pytest.raises(InputError, match="frame_index is 3 after 3"):
        tracker.update(3, labels)
    with pytest.raises(ShapeError, match="frames before"):
        tracker.update(4, np.zeros((6, 4), np.int32))
    with pytest.raises(ShapeError, match="camera_matrix"):
        tracker.update(4, labels, camera_matrix=np.eye(2))
    with pytest.raises(ShapeError, match="flow_backward_xy"):
        tracker.update(4, labels, flow_backward_xy=np.zeros((4, 6), np.float32))
    with pytest.raises(DtypeError, match="mask_labels is uint8"):
        tracker.update(4, labels.astype(np.uint8))
    with pytest.raises(DtypeError, match="image is float32"):
        tracker.update(4, labels, image=np.zeros((4, 6, 3), np.float32))
    with pytest.raises(OptionError, match="min_hits"):
        TrackerOptions(min_hits=0)


def test_importing_the_tracker_loads_neither_filterpy_nor_numba():
    code = "import sys, cvseg.tracking; print(sorted({'filterpy', 'numba', 'scipy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
