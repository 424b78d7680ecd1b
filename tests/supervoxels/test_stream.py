"""Regions of a video: they follow what moves, never change their numbers, and end at a cut."""

import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, InputError, OptionError, RangeError, ShapeError
from cvseg.supervoxels import SupervoxelOptions, Supervoxels, SupervoxelStream, run, segment
from cvseg.supervoxels.graph_hierarchy_2010 import FLOWS

SMALL = SupervoxelOptions(window=3, overlap=1)
SQUARE = (slice(20, 40), slice(24, 48))


def scene(frames, size_hw=(60, 88), shift_xy=(3, 0), seed=1):
    """A square in two colours moves over coloured patches; the pictures, their flow, and the square."""
    height, width = size_hw
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(height, width, 3)), (6, 6, 0))
    ground = (np.digitize(smooth / smooth.std(), [-0.6, 0.6]) * 30 + 90).astype(np.uint8)
    images, flows, masks = [], [], []
    for t in range(frames):
        mask = np.zeros(size_hw, bool)
        y, x = 20 + t * shift_xy[1], 8 + t * shift_xy[0]
        mask[y : y + 20, x : x + 24] = True
        image = ground.copy()
        image[mask] = (230, 40, 40)
        image[y : y + 20, x + 12 : x + 24][mask[y : y + 20, x + 12 : x + 24]] = (222, 48, 46)
        flow_xy = np.zeros((*size_hw, 2), np.float32)
        if masks:
            flow_xy[masks[-1]] = shift_xy
        images.append(image)
        flows.append(flow_xy if masks else None)
        masks.append(mask)
    return images, flows, np.stack(masks)


def run_scene(stream, images, flows):
    parts = [stream.update(image, flow) for image, flow in zip(images, flows, strict=True)]
    return [part for part in (*parts, stream.finish()) if part is not None]


def assert_same(one, other):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.first_frame == theirs.first_frame
        assert len(mine) == len(theirs)
        for slots, others in zip(mine.slots, theirs.slots, strict=True):
            assert_array_equal(to_host(slots), to_host(others))
        for regions, others in zip(mine.regions, theirs.regions, strict=True):
            assert_array_equal(regions, others)


def test_an_object_that_moves_is_one_region_with_one_number():
    images, flows, masks = scene(12)
    whole = Supervoxels.joined(run_scene(SupervoxelStream(count=60, options=SMALL), images, flows))
    assert len(whole) == 12
    best = 0.0
    for level in range(whole.levels):
        labels = whole.level(level)
        number = np.bincount(labels[masks]).argmax()
        best = max(best, ((labels == number) & masks).sum() / ((labels == number) | masks).sum())
    assert best > 0.93


def test_levels_are_nested_and_ever_coarser():
    images, flows, _ = scene(7)
    whole = Supervoxels.joined(run_scene(SupervoxelStream(count=60, options=SMALL), images, flows))
    assert whole.levels == SMALL.levels + 1
    assert (np.diff(whole.counts) <= 0).all()
    assert whole.counts[0] >= 50 > 10 > whole.counts[-1] >= 1
    for level in range(whole.levels - 1):
        fine, coarse = whole.level(level), whole.level(level + 1)
        pairs = np.unique(np.stack([fine.ravel(), coarse.ravel()]), axis=1)
        assert len(pairs[0]) == whole.counts[level], "a region of the finer level lies in two of the coarser one"


def test_numbers_that_were_given_stay_whatever_comes_later():
    images, flows, _ = scene(14)
    short = run_scene(SupervoxelStream(count=60, options=SMALL), images[:10], flows[:10])
    long = run_scene(SupervoxelStream(count=60, options=SMALL), images, flows)
    # All windows that were full before the tenth frame.
    assert [len(part) for part in short] == [3, 3, 3, 1]
    assert_same(short[:3], long[:3])


def test_a_superpixel_keeps_its_regions_as_long_as_it_lives_and_regions_do_not_come_back():
    images, flows, _ = scene(14, shift_xy=(4, 1))
    parts = run_scene(SupervoxelStream(count=60, options=SMALL), images, flows)
    regions = [own for part in parts for own in part.regions]
    given = {}
    for own in regions:
        for column in own.T:
            assert given.setdefault(column[0], tuple(column)) == tuple(column)
    for level in range(parts[0].levels):
        seen = [set(own[level]) for own in regions]
        for number in set().union(*seen):
            alive = np.flatnonzero([number in one for one in seen])
            assert_array_equal(alive, np.arange(alive[0], alive[-1] + 1))


def test_new_numbers_follow_each_other_on_every_level():
    images, flows, _ = scene(11)
    whole = Supervoxels.joined(run_scene(SupervoxelStream(count=60, options=SMALL), images, flows))
    for level in range(whole.levels):
        found = np.unique(np.concatenate([own[level] for own in whole.regions]))
        assert_array_equal(found, np.arange(len(found)))


@pytest.mark.parametrize(("window", "overlap"), [(1, 0), (1, 2), (4, 0), (5, 3)])
def test_frames_are_finished_window_by_window_and_none_is_lost(window, overlap):
    images, flows, _ = scene(11)
    stream = SupervoxelStream(count=30, options=SupervoxelOptions(window=window, overlap=overlap))
    following = 0
    for t, (image, flow) in enumerate(zip(images, flows, strict=True)):
        part = stream.update(image, flow)
        assert (part is not None) == (t + 1 >= window + overlap and (t + 1 - overlap) % window == 0)
        if part is not None:
            assert part.first_frame == following
            following += len(part)
    last = stream.finish()
    assert (0 if last is None else len(last)) == 11 - following
    assert stream.finish() is None


def test_regions_end_at_a_cut_and_the_frames_before_it_are_finished_at_once():
    one, flows, _ = scene(5)
    rng = np.random.default_rng(4)
    other = np.asarray(ndimage.zoom(rng.integers(0, 256, (6, 9, 3)), (10, 88 / 9, 1), order=0)[:60, :88], np.uint8)
    stream = SupervoxelStream(count=40, options=SupervoxelOptions(window=8, overlap=2))
    assert run_scene_quietly(stream, one, flows) == [None] * 5
    part = stream.update(other)
    assert stream.cuts == (5,)
    assert len(part) == 5
    assert stream.update(other) is None
    assert stream.cuts == ()
    after = stream.finish()
    assert after.first_frame == 5
    for level in range(after.levels):
        before = np.unique(np.concatenate([own[level] for own in part.regions]))
        now = np.unique(np.concatenate([own[level] for own in after.regions]))
        assert not np.intersect1d(before, now).size


def run_scene_quietly(stream, images, flows):
    return [stream.update(image, flow) for image, flow in zip(images, flows, strict=True)]


def test_no_cut_is_found_when_none_is_wanted():
    one, flows, _ = scene(3)
    stream = SupervoxelStream(count=40, options=SupervoxelOptions(cut=2.0))
    run_scene_quietly(stream, one, flows)
    stream.update(255 - one[0])
    assert stream.cuts == ()
    assert len(stream.finish()) == 4


def test_a_still_picture_keeps_all_its_regions():
    image = scene(1)[0][0]
    whole = segment([image] * 9, count=50, options=SMALL)
    # Superpixels settle in the first frames; what they are parts of does not move.
    for level, least in ((0, 0.92), (20, 0.97), (26, 0.99)):
        labels = whole.level(level)
        assert (labels[0] == labels[-1]).mean() > least
        assert whole.counts[level] <= 1.1 * len(np.unique(labels[0]))


def test_a_video_of_one_colour_becomes_one_region():
    whole = segment(np.full((6, 30, 40, 3), 77, np.uint8), count=12, options=SMALL)
    assert_array_equal(whole.level(1), 0)
    assert len(np.unique(whole.level(0))) == 12


def test_one_frame_is_enough():
    image = scene(1)[0][0]
    whole = segment([image], count=50)
    assert whole.level(0).shape == (1, 60, 88)
    assert whole.counts[0] > 30


def test_grey_and_float_pictures_are_as_their_rgb():
    grey = scene(4)[0]
    grey = [image[:, :, 0] for image in grey]
    rgb = [np.repeat(image[:, :, None], 3, axis=2) for image in grey]
    one, other = segment(grey, count=20, options=SMALL), segment(rgb, count=20, options=SMALL)
    third = segment([image.astype(np.float32) / np.float32(255) for image in rgb], count=20, options=SMALL)
    assert_array_equal(one.level(9), other.level(9))
    assert_array_equal(one.level(9), third.level(9))


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (37, 1), (2, 3)])
def test_tiny_frames_are_taken(size_hw):
    rng = np.random.default_rng(0)
    whole = segment(rng.integers(0, 256, (5, *size_hw, 3), dtype=np.uint8), options=SMALL)
    assert whole.level(-1).shape == (5, *size_hw)


def test_a_flow_that_is_unknown_or_huge_is_no_harm():
    images, flows, _ = scene(3)
    flows[1][:20], flows[1][20:30], flows[1][30:40] = np.nan, np.inf, 1e30
    flows[2][:] = np.nan
    assert len(Supervoxels.joined(run_scene(SupervoxelStream(count=30, options=SMALL), images, flows))) == 3


def test_flow_is_estimated_where_none_is_given():
    images, flows, masks = scene(6, shift_xy=(5, 2))
    one = SupervoxelStream(count=60, options=SMALL)
    labels = Supervoxels.joined(run_scene(one, images, [None] * 6)).labels_with(8)
    number = np.bincount(labels[masks]).argmax()
    assert (labels[5] == number)[masks[5]].mean() > 0.8
    # Given and estimated in turn: the estimate begins with the right frame.
    mixed = SupervoxelStream(count=60, options=SMALL)
    assert len(Supervoxels.joined(run_scene(mixed, images, [None, None, flows[2], None, flows[4], None]))) == 6


def test_the_same_bits_on_every_device_and_number_of_threads(device, use_threads):
    images, flows, _ = scene(6)
    use_threads(1)
    expected = run_scene(SupervoxelStream(count=40, options=SMALL), images, flows)
    use_threads(3)
    placed = [None if flow is None else device.array(flow) for flow in flows]
    found = run_scene(SupervoxelStream(count=40, options=SMALL), [device.array(image) for image in images], placed)
    assert_same(expected, found)
    assert_array_equal(to_host(found[0].level(7)), expected[0].level(7))


@pytest.mark.parametrize("given", [True, False])
def test_a_stream_goes_on_from_its_state(given):
    images, flows, _ = scene(10)
    flows = flows if given else [None] * 10
    whole = SupervoxelStream(count=40, options=SMALL)
    for image, flow in zip(images[:5], flows, strict=False):
        whole.update(image, flow)
    other = SupervoxelStream(count=40, options=SMALL)
    other.load_state_dict(pickle.loads(pickle.dumps(whole.state_dict())))
    rest = images[5:], flows[5:]
    assert_same(run_scene(whole, *rest), run_scene(other, *rest))
    assert whole.frames == other.frames == 10


def test_a_state_of_another_kind_is_refused():
    state = SupervoxelStream(count=40).state_dict()
    with pytest.raises(OptionError, match="count 40"):
        SupervoxelStream(count=30).load_state_dict(state)
    with pytest.raises(OptionError, match="30 levels"):
        SupervoxelStream(count=40, options=SupervoxelOptions(levels=5)).load_state_dict(state)


def test_what_is_held_does_not_grow_with_the_video():
    images, flows, _ = scene(9, shift_xy=(4, 1))
    stream = SupervoxelStream(count=40, options=SMALL)
    held = []
    for t in range(60):
        # Back and forth: superpixels are born and end without end.
        order = [*range(9), *range(7, 0, -1)]
        stream.update(images[order[t % 16]], None if t == 0 else flows[1] * 0)
        if t % 4 == 3:
            held.append(len(pickle.dumps(stream.state_dict())))
    assert max(held[5:]) < 1.25 * held[2]


def test_frames_of_another_size_are_refused_until_the_stream_is_finished():
    stream = SupervoxelStream(count=12, options=SMALL)
    stream.update(np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"\(30, 41\); expected \(30, 40\)"):
        stream.update(np.zeros((30, 41, 3), np.uint8))
    assert len(stream.finish()) == 1
    stream.update(np.zeros((20, 20, 3), np.uint8))
    assert stream.finish().first_frame == 1


def test_bad_frames_are_refused():
    stream = SupervoxelStream(count=12)
    bad = np.zeros((30, 40, 3), np.float32)
    bad[3, 4] = np.nan
    with pytest.raises(RangeError, match="NaN"):
        stream.update(bad)
    with pytest.raises(RangeError, match=r"\[0, 1\]"):
        stream.update(np.full((30, 40, 3), 255, np.float32))
    with pytest.raises(DtypeError, match="float64"):
        stream.update(np.zeros((30, 40, 3)))
    with pytest.raises(ShapeError, match="at least one pixel"):
        stream.update(np.zeros((0, 40, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"\(30, 40, 4\)"):
        stream.update(np.zeros((30, 40, 4), np.uint8))
    with pytest.raises(ShapeError, match="flow"):
        stream.update(np.zeros((30, 40, 3), np.uint8), np.zeros((30, 41, 2), np.float32))
    with pytest.raises(DtypeError, match="flow"):
        stream.update(np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40, 2)))
    with pytest.raises(RangeError, match="1200 pixels"):
        SupervoxelStream(count=1201).update(np.zeros((30, 40, 3), np.uint8))
    assert stream.frames == 0
    with pytest.raises(OptionError, match="SupervoxelOptions"):
        SupervoxelStream(options="fine")
    with pytest.raises(InputError, match="no frames"):
        segment([])
    assert list(run([])) == []


@pytest.mark.parametrize(("name", "value"), [("window", 0), ("levels", 0), ("motion", 1.5), ("flow", "quick")])
def test_options_outside_their_range_are_named(name, value):
    with pytest.raises(OptionError, match=name):
        SupervoxelOptions(**{name: value})


def test_levels_are_chosen_afterwards():
    images, flows, _ = scene(8)
    parts = run_scene(SupervoxelStream(count=60, options=SMALL), images, flows)
    whole = Supervoxels.joined(parts)
    for count in (1, 5, 20, 10**6):
        level = whole.level_with(count)
        ratio = np.abs(np.log(whole.counts / count))
        assert ratio[level] == ratio.min()
        assert_array_equal(whole.labels_with(count), whole.level(level))
    assert_array_equal(whole.level(-1), whole.level(whole.levels - 1))
    assert_array_equal(whole.frame(4, 6), whole.level(6)[4])
    for level in (whole.levels, -whole.levels - 1):
        with pytest.raises(RangeError, match="level"):
            whole.level(level)
    with pytest.raises(DtypeError, match="level"):
        whole.level(1.0)
    with pytest.raises(RangeError, match="count"):
        whole.labels_with(0)
    with pytest.raises(DtypeError, match="count"):
        whole.labels_with(2.5)
    with pytest.raises(InputError, match="in order"):
        Supervoxels.joined([parts[1], parts[0]])
    with pytest.raises(InputError, match="no parts"):
        Supervoxels.joined([])


def test_a_superpixel_that_slides_onto_something_else_becomes_another_node():
    from cvseg.supervoxels.material import Materials

    materials = Materials(color=6.0, strangers=0.5)
    ids = np.array([4, 9, 7], np.int32)
    sums = np.array([[800, 0, 0, 10], [800, 160, 0, 10], [0, 0, 0, 20]], np.int64)
    first = materials.update(ids, sums, None)
    assert_array_equal(first, [0, 1, 2])
    later = np.array([9, 7, 4, 11], np.int32)
    changed = np.array([[800, 160, 0, 10], [0, 0, 0, 20], [2400, 0, 0, 10], [0, 0, 0, 5]], np.int64)
    # 4 has another colour, 11 is new; 7 receives 3 of every 4 pixels, 12 of 20, from 9.
    links = np.array([1, 1, 2]), np.array([0, 1, 1]), np.array([2, 3, 2])
    assert_array_equal(materials.update(later, changed, links), [1, 3, 4, 5])
    assert materials.changed(later, changed + [[0, 0, 0, 0]] * 4, 12.0) == 0.0


def test_names_of_flows_are_those_of_the_flow_stream():
    from cvseg.flow.dense_inverse_search_2016 import DENSE_INVERSE_SEARCH_PRESETS

    assert set(FLOWS) == {"none", *DENSE_INVERSE_SEARCH_PRESETS}
    assert len(list(itertools.chain(FLOWS))) == 4
