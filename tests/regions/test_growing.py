"""Growing from seeds: what every method promises, forms of seeds, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, InputError, OptionError, RangeError, ShapeError
from cvseg.regions import (
    GROWING_METHODS,
    RandomWalkerOptions,
    RegionMergingOptions,
    SpanningForestOptions,
    WatershedOptions,
    box_seeds,
    grow,
    point_seeds,
)

PRESETS = [(method, preset) for method, row in GROWING_METHODS.items() for preset in row.presets]
every_preset = pytest.mark.parametrize("method, preset", PRESETS)


def scene(size_hw=(33, 47)):
    """A disc on noise, and where it is."""
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    disc = (rows - 16) ** 2 + (columns - 22) ** 2 <= 100
    image = np.where(disc[..., None], (190, 60, 50), (70, 110, 90)) + rng.integers(-12, 13, (*size_hw, 3))
    return image.clip(0, 255).astype(np.uint8), disc


@every_preset
def test_two_points_find_the_disc(device, method, preset):
    image, disc = scene()
    labels = to_host(grow(device.array(image), [(22, 16), (2, 2)], method=method, preset=preset))
    assert labels.dtype == np.int32
    assert np.unique(labels).tolist() == [1, 2]
    found = labels == 1
    assert (found & disc).sum() / (found | disc).sum() > 0.9


@every_preset
def test_seeds_keep_their_labels_and_those_of_one_label_may_lie_apart(method, preset):
    image, _ = scene()
    seeds = np.zeros(image.shape[:2], np.int64)
    seeds[2:4, 3:30], seeds[30, 40], seeds[16, 22] = 7, 7, 300
    labels = grow(image, seeds, method=method, preset=preset)
    assert_array_equal(labels[seeds > 0], seeds[seeds > 0])
    assert np.unique(labels).tolist() == [7, 300]


@every_preset
def test_nothing_grows_outside_the_mask_or_through_it(device, method, preset):
    image, _ = scene()
    mask = np.ones(image.shape[:2], bool)
    mask[:, 30] = False
    seeds = np.zeros(image.shape[:2], np.int32)
    seeds[5, 5], seeds[20, 25], seeds[3, 30] = 1, 2, 3
    labels = to_host(grow(*device.arrays(image, seeds), mask=device.array(mask), method=method, preset=preset))
    assert (labels[:, 30:] == 0).all()
    assert np.unique(labels[:, :30]).tolist() == [1, 2]


@every_preset
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 23), (19, 1), (2, 2)])
def test_thin_images_are_grown_over(method, preset, size_hw):
    image = np.random.default_rng(1).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    labels = grow(image, [(0, 0)], method=method, preset=preset)
    assert (labels == 1).all()
    assert labels.shape == size_hw


@every_preset
def test_one_colour_is_shared_by_nearness(method, preset):
    labels = grow(np.full((15, 21, 3), 128, np.uint8), [(0, 7), (20, 7)], method=method, preset=preset)
    assert (labels[:, :9] == 1).all()
    assert (labels[:, 12:] == 2).all()


@every_preset
def test_the_result_is_the_same_with_any_number_of_threads(method, preset, use_threads):
    rng = np.random.default_rng(6)
    image = rng.integers(0, 256, (130, 40, 3), dtype=np.uint8)
    found = []
    for threads in (1, 2, 3):
        use_threads(threads)
        found.append(grow(image, [(3, 3), (30, 100), (20, 60)], method=method, preset=preset))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])


def test_float_and_grey_images_are_taken():
    image, _ = scene()
    seeds = [(22, 16), (2, 2)]
    assert_array_equal(grow(image.astype(np.float32) / np.float32(255), seeds), grow(image, seeds))
    assert_array_equal(grow(image[..., 0], seeds), grow(image[..., :1].repeat(3, 2), seeds))


def test_an_own_map_of_edges_decides_where_water_stops():
    image = np.zeros((5, 9, 3), np.uint8)
    boundary = np.zeros((5, 9), np.float32)
    boundary[:, 6] = 0.8
    labels = grow(image, [(0, 2), (8, 2)], boundary=boundary)
    assert (labels[:, :6] == 1).all()
    assert (labels[:, 7:] == 2).all()


def test_probabilities_come_with_the_labels():
    image, _ = scene()
    labels, probability = grow(image, [(22, 16), (2, 2)], method="random_walker", return_probability=True)
    assert probability.shape == (2, *labels.shape)
    assert probability.dtype == np.float32
    assert_array_equal(labels, probability.argmax(axis=0) + 1)


def test_points_have_their_own_labels_or_are_numbered():
    assert point_seeds([(0, 0, 9), (2.4, 0.6, 4)], (2, 3)).tolist() == [[9, 0, 0], [0, 0, 4]]
    disc = point_seeds([(4, 4)], (9, 9), radius=2)
    assert disc.sum() == 13
    assert disc[4, 2:7].tolist() == [1, 1, 1, 1, 1]
    assert point_seeds([(0, 0), (0, 0)], (1, 1)).tolist() == [[2]]
    image, _ = scene()
    assert np.unique(grow(image, [(22, 16, 5), (2, 2, 6)])).tolist() == [5, 6]


def test_boxes_have_a_core_and_all_around_them_is_one_label():
    image, disc = scene()
    labels = grow(image, [(9, 3, 36, 30)])
    assert np.unique(labels).tolist() == [1, 2]
    assert ((labels == 1) & disc).sum() / ((labels == 1) | disc).sum() > 0.9
    seeds = box_seeds([(1, 1, 6, 6), (4, 4, 9, 9)], (10, 12), core=0.2)
    assert sorted(np.unique(seeds).tolist()) == [0, 1, 2, 3]
    assert seeds[3, 3] == 1
    assert seeds[6, 6] == 2
    assert seeds[0, 0] == 3
    assert box_seeds([(0, 0, 2, 1)], (1, 2), core=0.0).tolist() == [[1, 1]]


def test_without_seeds_regions_merge_to_a_count_or_a_threshold(device):
    image, disc = scene()
    labels = to_host(grow(device.array(image), count=2))
    assert np.unique(labels).tolist() == [1, 2]
    found = labels == labels[16, 22]
    assert (found & disc).sum() / (found | disc).sum() > 0.9
    assert (grow(image, threshold=1e9) == 1).all()
    assert grow(image, threshold=0.0, options=RegionMergingOptions(superpixels=40)).max() > 20


@pytest.mark.parametrize(
    "seeds, error, words",
    [
        (np.zeros((33, 47), np.int32), RangeError, "no seed"),
        (np.full((33, 47), -1), RangeError, "-1 to -1"),
        (np.full((33, 47), 2**31), RangeError, "2147483648"),
        (np.ones((33, 46), np.int32), ShapeError, r"\(33, 46\)"),
        (np.ones((33, 47), np.float32), DtypeError, "float32"),
        ([(50, 3)], RangeError, r"\(50, 3\) lies outside"),
        ([(3, -1)], RangeError, "outside"),
        ([(np.nan, 1)], RangeError, "outside"),
        ([(1, 1, 0)], RangeError, "labels"),
        ([(1, 1, 1.5)], RangeError, "labels"),
        ([(1, 2), (3,)], ShapeError, "different lengths"),
        ([(5, 5, 3, 9)], RangeError, "empty or not inside"),
        ([(5, 5, 99, 9)], RangeError, "empty or not inside"),
        (np.zeros((0, 2)), RangeError, "no seed"),
        ([("a", "b")], DtypeError, "numbers"),
    ],
)
def test_seeds_that_cannot_be_are_refused(seeds, error, words):
    image, _ = scene()
    with pytest.raises(error, match=words):
        grow(image, seeds)


def test_what_does_not_belong_together_is_refused():
    image, _ = scene()
    seeds = [(1, 1)]
    edges = np.zeros((33, 47), np.float32)
    with pytest.raises(OptionError, match="did you mean 'watershed'"):
        grow(image, seeds, method="watershad")
    with pytest.raises(OptionError, match="preset"):
        grow(image, seeds, preset="best")
    with pytest.raises(OptionError, match="needs WatershedOptions"):
        grow(image, seeds, options=SpanningForestOptions())
    with pytest.raises(OptionError, match="takes no boundary"):
        grow(image, seeds, method="spanning_forest", boundary=edges)
    with pytest.raises(OptionError, match="no probabilities"):
        grow(image, seeds, return_probability=True)
    with pytest.raises(OptionError, match="without seeds"):
        grow(image, seeds, count=3)
    with pytest.raises(OptionError, match="need seeds"):
        grow(image, count=3, method="random_walker")
    with pytest.raises(OptionError, match="RegionMergingOptions"):
        grow(image, count=3, options=RandomWalkerOptions())
    with pytest.raises(InputError, match="either count or threshold"):
        grow(image)
    with pytest.raises(RangeError, match="at most as many"):
        grow(image, count=10**6)
    with pytest.raises(RangeError, match="inside the mask"):
        grow(image, seeds, mask=np.zeros((33, 47), bool))
    with pytest.raises(DtypeError, match="mask"):
        grow(image, seeds, mask=np.ones((33, 47), np.uint8))
    with pytest.raises(ShapeError, match="boundary"):
        grow(image, seeds, boundary=edges[1:])
    with pytest.raises(RangeError, match="NaN"):
        grow(image.astype(np.float32) * np.float32(np.nan), seeds)
    with pytest.raises(RangeError, match="radius"):
        point_seeds([(1, 1)], (3, 3), radius=-1)
    with pytest.raises(RangeError, match="core"):
        box_seeds([(0, 0, 1, 1)], (3, 3), core=2)


@pytest.mark.parametrize(
    "options", [WatershedOptions(smooth=0), WatershedOptions(smooth=2), WatershedOptions(neighbors="8")]
)
def test_options_of_the_watershed_change_the_result(options):
    image, _ = scene()
    noisy = (image + np.random.default_rng(0).integers(0, 60, image.shape)).clip(0, 255).astype(np.uint8)
    assert (grow(noisy, [(22, 16), (2, 2)], options=options) != grow(noisy, [(22, 16), (2, 2)])).any()
