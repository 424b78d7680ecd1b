"""Tracker on drawn scenes: crossings, obstacles, parts and pieces, colours, moving cameras."""

import itertools

import numpy as np

from cvseg.regions import label_components
from cvseg.tracking import Tracker, TrackerOptions
from tests.tracking.drawn_masks import SIZE_HW, draw, id_at, run


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
