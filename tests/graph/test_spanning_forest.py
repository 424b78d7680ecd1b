"""The minimum spanning forest: against sets, against scikit-image's watershed where no two edges are equal, on ties."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage.segmentation import watershed

from cvseg.kernels.graph.edge_weights import NO_EDGE
from cvseg.kernels.graph.seed_distance import FAR, seed_distance
from cvseg.kernels.graph.spanning_forest import spanning_forest

STEPS_XY = ((1, 0), (0, 1), (1, 1), (-1, 1))


def inside(weights):
    """Marks the edges that leave the image."""
    weights[:, -1, 0] = weights[-1, :, 1:] = NO_EDGE
    if weights.shape[2] == 4:
        weights[:, -1, 2] = weights[:, 0, 3] = NO_EDGE
    return weights


def forest_of_sets(weights, seeds):
    """Kruskal as it is defined, with sets."""
    height, width = weights.shape[:2]
    rows, columns = np.nonzero(seeds > 0)
    edges = []
    for number in range(weights.size):
        y, x, d = np.unravel_index(number, weights.shape)
        if weights[y, x, d] == NO_EDGE:
            continue
        v, u = y + STEPS_XY[d][1], x + STEPS_XY[d][0]
        near = min(min(abs(rows - b) + abs(columns - a)) for b, a in ((y, x), (v, u)))
        if seeds[y, x] >= 0 and seeds[v, u] >= 0:
            edges.append((int(weights[y, x, d]), near, number, int(y * width + x), int(v * width + u)))
    members = {i: {i} for i in range(height * width)}
    name = list(range(height * width))
    label = seeds.reshape(-1).clip(0).tolist()
    for *_, a, b in sorted(edges):
        one, two = name[a], name[b]
        if one == two or (label[one] and label[two]):
            continue
        members[one] |= members.pop(two)
        label[one] = label[one] or label[two]
        for i in members[one]:
            name[i] = one
    return np.array([label[name[i]] for i in range(height * width)]).reshape(height, width)


@pytest.mark.parametrize("directions", [2, 4])
@pytest.mark.parametrize("most", [1, 5, 1000])
def test_the_forest_is_that_of_the_definition_with_many_ties_and_with_few(device, directions, most):
    rng = np.random.default_rng(most)
    weights = inside(rng.integers(0, most, (9, 11, directions)).astype(np.uint16))
    seeds = np.zeros((9, 11), np.int32)
    seeds[4, 2:9] = -1
    seeds[1, 2], seeds[7, 3], seeds[2, 9], seeds[8, 8] = 1, 2, 3, 2
    labels = spanning_forest(*device.arrays(weights, seeds))
    expected = forest_of_sets(weights, seeds)
    assert len(np.unique(expected)) > 2
    assert_array_equal(labels if device.name == "cpu" else labels.get(), expected)


def test_it_is_scikit_images_watershed_of_the_edges_where_no_two_are_equal():
    # Pixels and edges become the pixels of an image of twice the size, where water passes over the edges.
    height, width = 13, 17
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = rng.permutation(2000)[: height * width * 2].reshape(height, width, 2)
        weights = inside(values.astype(np.uint16))
        seeds = np.zeros((height, width), np.int32)
        seeds[1, 1], seeds[11, 3], seeds[6, 15] = 1, 2, 3
        relief = np.full((2 * height - 1, 2 * width - 1), -1, np.int64)
        relief[::2, 1::2], relief[1::2, ::2] = values[:, :-1, 0], values[:-1, :, 1]
        marks = np.zeros(relief.shape, np.int32)
        marks[::2, ::2] = seeds
        open_pixels = np.ones(relief.shape, bool)
        open_pixels[1::2, 1::2] = False
        peer = watershed(relief, marks, mask=open_pixels)[::2, ::2]
        assert np.unique(peer).tolist() == [1, 2, 3]
        assert_array_equal(spanning_forest(weights, seeds), peer)


def test_ground_of_one_weight_is_shared_by_nearness(device):
    weights = inside(np.zeros((7, 9, 2), np.uint16))
    seeds = np.zeros((7, 9), np.int32)
    seeds[3, 0], seeds[3, 8] = 5, 6
    labels = spanning_forest(*device.arrays(weights, seeds))
    labels = labels if device.name == "cpu" else labels.get()
    assert (labels[:, :4] == 5).all()
    assert (labels[:, 5:] == 6).all()


def test_what_no_edge_reaches_stays_without_a_label():
    weights = np.full((2, 5, 2), NO_EDGE, np.uint16)
    weights[0, 0, 0] = 3
    seeds = np.zeros((2, 5), np.int32)
    seeds[0, 0] = 9
    assert spanning_forest(weights, seeds).tolist() == [[9, 9, 0, 0, 0], [0, 0, 0, 0, 0]]


def test_distances_are_those_of_scipys_taxicab_transform():
    seeds = (np.random.default_rng(0).random((23, 31)) < 0.01).astype(np.int32)
    assert seeds.any()
    assert_array_equal(seed_distance(seeds), ndimage.distance_transform_cdt(seeds == 0, "taxicab"))
    assert (seed_distance(np.zeros((2, 3), np.int32)) == FAR).all()
