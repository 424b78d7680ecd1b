"""Tracker: when numbers are given, arrivals and departures, what its state promises, wrong arguments."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from cvseg.arrays import device_of, to_host
from cvseg.errors import DtypeError, InputError, OptionError, ShapeError
from cvseg.regions import label_components
from cvseg.tracking import Tracker, TrackerOptions
from tests.tracking.drawn_masks import SIZE_HW, busy_scene, draw, id_at, live, run


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


@pytest.mark.parametrize("cut", [False, True])
def test_in_a_shot_of_fewer_frames_what_was_seen_in_all_of_them_has_its_number(cut):
    tracker, always, once = Tracker(TrackerOptions(min_hits=3)), (30, 40, 12, 30), (120, 40, 12, 30)
    if cut:
        for t in range(4):
            tracker.update(t, label_components(draw(always))[0])
        tracker.begin_shot()
    frames = [tracker.update(10 + t, label_components(draw(always, *([once] * (t == 1))))[0]) for t in range(2)]
    assert not any(frame.labels.any() for frame in frames)
    tracker.begin_shot() if cut else tracker.end_shot()
    for frame in frames:
        assert np.array_equal(frame.labels > 0, draw(always) > 0)
        assert [track.id for track in frame.tracks] == [2 if cut else 1]


def test_at_the_end_of_a_longer_shot_nothing_is_confirmed_too_early():
    masks = [draw((30, 40, 12, 30), *([(120, 40, 12, 30)] * (t == 3))) for t in range(4)]
    tracker = Tracker(TrackerOptions(min_hits=3))
    frames = [tracker.update(t, label_components(mask)[0]) for t, mask in enumerate(masks)]
    tracker.end_shot()
    assert np.array_equal(frames[-1].labels > 0, draw((30, 40, 12, 30)) > 0)


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


def test_after_max_age_a_new_number_is_given():
    masks = [draw((40, 40, 20, 20))] * 5 + [draw()] * 6 + [draw((40, 40, 20, 20))] * 5
    waited = run(masks, TrackerOptions(max_age=6))
    ended = run(masks, TrackerOptions(max_age=5))
    assert waited[-1].tracks[0].id == 1
    assert ended[-1].tracks[0].id == 2


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


def test_a_label_that_is_known_to_go_on_keeps_its_track_wherever_it_is():
    # Two change places from one frame to the next, which no motion model would follow.
    tracker, boxes = Tracker(TrackerOptions(min_hits=1)), ((10, 20), (40, 20))
    seen = []
    for t in range(6):
        mask = np.zeros(SIZE_HW, np.int32)
        for label, (x, y) in enumerate(boxes if t < 3 else boxes[::-1], start=1):
            mask[y : y + 10, x : x + 10] = label
        frame = tracker.update(t, mask, numbers=[7, 8], whole=[False, False])
        seen.append([int(frame.labels[mask == label][0]) for label in (1, 2)])
    assert seen == [seen[0]] * 6


def test_what_is_known_to_be_whole_is_no_piece_of_another_and_shared_by_nobody():
    def masks(t, apart):
        mask = np.zeros(SIZE_HW, np.int32)
        mask[10:40, 10:50] = 1
        if apart:
            mask[20:30, 30:40] = 2  # inside the other, as a coin before a coat
        return mask

    ids = {}
    for whole in (False, True):
        tracker = Tracker(TrackerOptions(min_hits=1))
        for t in range(8):
            mask = masks(t, t >= 2)
            count = int(mask.max())
            frame = tracker.update(t, mask, numbers=list(range(1, count + 1)), whole=[whole] * count)
        ids[whole] = {int(frame.labels[mask == label][0]) for label in (1, 2)}
    assert len(ids[False]) == 1
    assert len(ids[True]) == 2


def test_who_vanishes_into_another_before_it_has_a_number_is_shown_as_a_piece_of_it():
    tracker, held = Tracker(TrackerOptions(min_hits=3)), []
    for t in range(8):
        mask = np.zeros(SIZE_HW, np.int32)
        mask[10:40, 10:40] = 1
        if t == 5:  # for one frame its own label, then the other's
            mask[12:38, 40:50] = 2
        if t > 5:
            mask[12:38, 40:50] = 1
        held.append(
            tracker.update(t, mask, numbers=list(range(1, int(mask.max()) + 1)), whole=[True] * int(mask.max()))
        )
    piece = held[5].labels[20, 45]
    assert piece == held[5].labels[20, 20] != 0
