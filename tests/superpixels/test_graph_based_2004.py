"""Graph-based segmentation: the partition of the sequential method, and as many regions as asked for."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage.segmentation import felzenszwalb

from cvseg.arrays import to_host
from cvseg.errors import OptionError
from cvseg.kernels.graph.edge_weights import NO_EDGE, edge_weights
from cvseg.kernels.graph.merge_pixels import merge_pixels
from cvseg.kernels.graph.merge_regions import merge_regions
from cvseg.kernels.graph.needed_edges import needed_edges
from cvseg.kernels.graph.region_edges import region_edges
from cvseg.kernels.graph.smooth_levels import smooth_levels
from cvseg.superpixels import GraphOptions, segment
from cvseg.superpixels.graph_based_2004 import merged

STEPS_XY = ((1, 0), (0, 1), (1, 1), (-1, 1))


def grid_edges(weights):
    """(weight, number, end, other end) of every edge, in order."""
    height, width, directions = weights.shape
    edges = []
    for number in range(weights.size):
        y, x, d = np.unravel_index(number, weights.shape)
        if weights[y, x, d] != NO_EDGE:
            other = (y + STEPS_XY[d][1]) * width + x + STEPS_XY[d][0]
            edges.append((int(weights[y, x, d]), number, int(y * width + x), int(other)))
    assert len(edges) < height * width * directions
    return sorted(edges)


def sequential(edges, pixels, scale, smallest):
    """The method as it is written in the paper, with sets: the region of each pixel, named by its first pixel."""
    edges = list(edges)
    regions = {pixel: {pixel} for pixel in range(pixels)}
    internal = dict.fromkeys(range(pixels), 0)
    name = list(range(pixels))
    for absorbing in (False, True):
        for weight, _, a, b in edges:
            one, two = name[a], name[b]
            if one == two:
                continue
            if absorbing:
                joins = min(len(regions[one]), len(regions[two])) < smallest
            else:
                joins = all(weight <= internal[name] + scale / len(regions[name]) for name in (one, two))
            if joins:
                low, high = min(one, two), max(one, two)
                regions[low] |= regions.pop(high)
                internal[low] = weight
                for pixel in regions[low]:
                    name[pixel] = low
    return np.array(name)


def random_weights(seed, size_hw=(9, 11), directions=4, most=40):
    rng = np.random.default_rng(seed)
    weights = np.full((*size_hw, directions), NO_EDGE, np.uint16)
    values = ndimage.uniform_filter(rng.random(size_hw), 2)
    for d, (x, y) in enumerate(STEPS_XY[:directions]):
        height, width = size_hw
        here = (slice(0, height - y), slice(max(0, -x), width - max(0, x)))
        there = (slice(y, height), slice(max(0, x), width + min(0, x)))
        weights[..., d][here] = np.abs(values[here] - values[there]) * most / 0.7
    return weights


@pytest.mark.parametrize("directions", [2, 4])
@pytest.mark.parametrize("scale", [0, 3, 20, 100, 1000])
def test_pixels_are_merged_as_by_the_sequential_method_whatever_the_order_of_equal_edges(scale, directions):
    weights = random_weights(scale, directions=directions)
    edges = grid_edges(weights)
    weights_only = [edge[0] for edge in edges]
    assert len(set(weights_only)) < len(edges) / 4
    roots, sizes, _ = merge_pixels(weights, np.int64(scale))
    rng = np.random.default_rng(scale)
    for _ in range(3):
        shuffled = [edges[i] for i in np.lexsort((rng.random(len(edges)), weights_only))]
        assert_array_equal(roots.reshape(-1), sequential(shuffled, roots.size, scale, 0))
    assert_array_equal(sizes.reshape(-1), np.bincount(roots.reshape(-1), minlength=roots.size))


@pytest.mark.parametrize("smallest", [0, 3, 12])
def test_small_regions_join_along_their_lightest_edge_as_in_the_sequential_method(smallest):
    for seed in range(6):
        weights = random_weights(seed)
        labels, count = merged(weights, 1, smallest, GraphOptions(scale=60 / 8))
        expected = sequential(grid_edges(weights), labels.size, 60, smallest)
        numbers = np.unique(expected, return_inverse=True)[1]
        assert_array_equal(labels.reshape(-1), numbers)
        assert count == numbers.max() + 1


@pytest.mark.parametrize("smallest", [1, 4])
def test_the_partition_is_that_of_scikit_image_where_no_two_edges_are_equal(smallest):
    compared = 0
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        steps = np.add.outer(np.arange(4) // 2, np.arange(6) // 3) * 500
        values = (steps + rng.integers(0, 700, (4, 6))).astype(np.int64)
        weights = np.full((4, 6, 4), NO_EDGE, np.uint16)
        weights[:, :-1, 0] = np.abs(np.diff(values, axis=1))
        weights[:-1, :, 1] = np.abs(np.diff(values, axis=0))
        weights[:-1, :-1, 2] = np.abs(values[1:, 1:] - values[:-1, :-1])
        weights[:-1, 1:, 3] = np.abs(values[1:, :-1] - values[:-1, 1:])
        used = weights[weights != NO_EDGE]
        if np.unique(used).size < used.size:
            continue
        # A half between two whole scales: no comparison of floating-point numbers is near.
        scale = 600.5
        labels, _ = merged(weights, 1, smallest, GraphOptions(scale=scale / 8))
        peer = felzenszwalb(values / 2000, scale=scale / 2000 * 255, sigma=0, min_size=smallest, channel_axis=None)
        for label in range(labels.max() + 1):
            assert np.unique(peer[labels == label]).size == 1
        assert peer.max() == labels.max()
        compared += 1
        if compared == 5:
            return
    pytest.fail("no image with distinct weights was made")


def test_edges_between_regions_are_listed_in_order():
    weights = random_weights(5, (40, 61))
    roots, _, _ = merge_pixels(weights, np.int64(5))
    edges = [(weight, roots.flat[a], roots.flat[b]) for weight, _, a, b in grid_edges(weights)]
    expected = np.array([edge for edge in edges if edge[1] != edge[2]])
    assert 500 < len(expected) < len(edges)
    first, second, listed = region_edges(weights, roots)
    assert_array_equal(np.stack([listed, first, second], axis=1), expected)


@pytest.mark.parametrize("directions", [2, 4])
def test_the_edges_that_are_needed_hold_a_minimum_spanning_tree(directions):
    weights = random_weights(7, (17, 23), directions, most=12)  # many equal ones
    needed = needed_edges(weights)
    kept = needed != NO_EDGE
    assert_array_equal(needed[kept], weights[kept])
    assert kept.sum() < 0.75 * (weights != NO_EDGE).sum()
    # Joined in order, with or without the other edges: the same parts below every weight.
    for most in range(0, 13, 3):
        parts = [
            sequential([edge for edge in grid_edges(some) if edge[0] <= most], some[..., 0].size, 1e9, 0)
            for some in (weights, needed)
        ]
        assert_array_equal(parts[0], parts[1])


@pytest.mark.parametrize("smallest", [0, 4, 15])
@pytest.mark.parametrize("scale", [0, 30, 120])
def test_rounds_of_lightest_edges_give_the_partition_of_the_sequential_method(scale, smallest, cuda_runner):
    """The CUDA half works in rounds, all regions at once; the method of the paper goes edge by edge."""
    for seed in range(3):
        weights = random_weights(seed, (13, 17), most=25)
        edges = np.array(grid_edges(weights))
        ends = edges[:, 2].astype(np.int32), edges[:, 3].astype(np.int32), edges[:, 0].astype(np.uint16)
        single = np.ones(13 * 17, np.int32), np.zeros(13 * 17, np.int32)
        arguments = *ends, *single, np.array([scale], np.int64), np.int64(smallest)
        expected = sequential(map(tuple, edges.tolist()), 13 * 17, scale, smallest)
        for parents, counts in (merge_regions.cpu(*arguments), cuda_runner(merge_regions, *arguments)):
            assert_array_equal(np.asarray(parents)[0], expected)
            assert int(np.asarray(counts)[0]) == np.unique(expected).size


def test_smoothing_is_that_of_a_binomial_filter_with_repeated_borders():
    levels = np.random.default_rng(0).integers(-2000, 2001, (13, 9, 4)).astype(np.int16)
    exact = levels.astype(np.float64)
    for axis in (0, 1):
        exact = ndimage.correlate1d(exact, [1, 2, 1], axis=axis, mode="nearest")
    assert_array_equal(smooth_levels(levels), np.floor((exact + 2) / 4))


def test_weights_are_distances_of_colours():
    levels = np.random.default_rng(1).integers(-900, 901, (7, 8, 4)).astype(np.int16)
    weights = edge_weights(levels, np.int32(4), np.float32(0.5))
    for weight, number, a, b in grid_edges(weights):
        colors = levels.reshape(-1, 4)[:, :3].astype(np.float64)
        assert abs(weight - np.linalg.norm(colors[a] - colors[b]) / 2) <= 0.501, number
    assert (weights == NO_EDGE).sum() == 7 + 8 + 2 * (7 + 8 - 1)


def patches(size_hw=(90, 120)):
    rng = np.random.default_rng(8)
    smooth = ndimage.gaussian_filter(rng.normal(size=(*size_hw, 3)), (5, 5, 0))
    colors = np.digitize(smooth / smooth.std(), [-0.7, 0, 0.7]) * 60 + 30
    return np.clip(colors + rng.normal(0, 6, colors.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("neighbors", ["4", "8"])
def test_the_search_finds_the_wished_number(neighbors):
    for wish in (20, 60, 200):
        labels = segment(patches(), method="graph", count=wish, options=GraphOptions(neighbors=neighbors))
        assert abs(labels.max() + 1 - wish) <= max(3, 0.06 * wish)


def test_a_larger_scale_leaves_fewer_regions_and_small_ones_join():
    counts = [
        segment(patches(), method="graph", count=60, options=GraphOptions(scale=scale)).max() + 1
        for scale in (5.0, 50.0, 500.0)
    ]
    assert counts[0] > counts[1] > counts[2]
    labels = segment(
        patches(), method="graph", count=60, options=GraphOptions(scale=5.0, smallest_px=40, neighbors="4")
    )
    assert np.bincount(labels.reshape(-1)).min() >= 40


def test_what_has_one_color_stays_whole():
    image = np.full((30, 40, 3), 90, np.uint8)
    assert segment(image, method="graph", count=50).max() == 0
    image[:, 20:] = 200
    # Smoothing leaves two columns of colours between.
    assert segment(image, method="graph", count=600).max() + 1 <= 4


def test_regions_that_touch_at_a_corner_only_are_two():
    image = np.full((40, 40, 3), 30, np.uint8)
    image[:20, :20] = image[20:, 20:] = 220
    labels = segment(image, method="graph", count=4)
    assert labels[5, 5] != labels[35, 35]
    assert labels[5, 35] != labels[35, 5]


@pytest.mark.parametrize("sigma", [0.5, 1.0])
@pytest.mark.parametrize("smallest", [1, 20])
def test_the_exact_method_finds_the_regions_of_scikit_image(sigma, smallest):
    image = patches((57, 71))
    peer = felzenszwalb(image, scale=80, sigma=sigma, min_size=smallest)
    options = GraphOptions(exact=True, scale=80.0, sigma=sigma, smallest_px=smallest)
    labels = segment(image, method="graph", options=options)
    assert labels.dtype == np.int32
    numbers = peer.max() + 1
    assert labels.max() + 1 == numbers > 10
    assert np.unique(labels * numbers + peer).size == numbers


def test_the_exact_method_without_blur_finds_them_where_no_two_edges_are_equal():
    rng = np.random.default_rng(4)
    compared = 0
    for _ in range(3000):
        image = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        squares = [
            int(((image[y0, x0].astype(int) - image[y1, x1]) ** 2).sum())
            for y0, x0 in np.ndindex(3, 4)
            for y1, x1 in ((y0, x0 + 1), (y0 + 1, x0), (y0 + 1, x0 + 1), (y0 + 1, x0 - 1))
            if y1 < 3 and 0 <= x1 < 4
        ]
        if len(set(squares)) < len(squares):
            continue
        options = GraphOptions(exact=True, scale=300.0, sigma=0.0, smallest_px=2)
        labels = segment(image, method="graph", count=1, options=options)
        peer = felzenszwalb(image, scale=300, sigma=0, min_size=2)
        assert np.unique(labels * 12 + peer).size == labels.max() + 1 == peer.max() + 1
        compared += 1
    assert compared > 100


def test_the_exact_method_finds_the_wished_number_too(device):
    options = GraphOptions(exact=True, neighbors="4")
    image = patches((45, 60))
    labels = segment(image, method="graph", count=40, options=options)
    assert abs(labels.max() + 1 - 40) <= 3
    assert_array_equal(to_host(segment(device.array(image), method="graph", count=40, options=options)), labels)


@pytest.mark.parametrize("options", [GraphOptions(scale=20.0), GraphOptions(neighbors="4"), GraphOptions()])
def test_a_gpu_finds_the_same_regions_at_any_count(options, device):
    image = patches((33, 26))
    for count in (1, 30, 400):
        expected = segment(image, method="graph", count=count, options=options)
        assert_array_equal(
            to_host(segment(device.array(image), method="graph", count=count, options=options)), expected
        )


def test_options_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="neighbors"):
        GraphOptions(neighbors="6")
    with pytest.raises(OptionError, match="scale"):
        GraphOptions(scale=-1.0)
    with pytest.raises(OptionError, match="no compactness"):
        segment(patches(), method="graph", count=20, compactness=3.0)
