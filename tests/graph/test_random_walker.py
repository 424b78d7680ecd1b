"""The random walker: against a dense solution, against scikit-image, on several labels and walls."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.segmentation import random_walker

from cvseg.arrays import to_host
from cvseg.errors import OptionError
from cvseg.graph.random_walker_2006 import RandomWalkerOptions, conductances, random_walker_2006
from cvseg.kernels.graph.edge_weights import edge_weights
from cvseg.kernels.graph.grid_potentials import grid_potentials
from cvseg.kernels.graph.smooth_levels import smooth_levels
from cvseg.superpixels.block_moves_2015 import lab_pictures

EXACT = RandomWalkerOptions(tolerance=1e-8, iterations=60)


def picture(size_hw=(14, 19), seed=0):
    rng = np.random.default_rng(seed)
    image = np.full((*size_hw, 3), 60, np.int64)
    image[:, size_hw[1] // 2 :] = (150, 110, 60)
    return (image + rng.integers(-20, 21, image.shape)).clip(0, 255).astype(np.uint8)


def three_seeds(size_hw=(14, 19)):
    seeds = np.zeros(size_hw, np.int32)
    seeds[2, 2:4], seeds[11, 3], seeds[7, 15] = 4, 9, 2
    return seeds


def dense_probabilities(image, seeds, options):
    """Of every label in ascending order, by a dense matrix."""
    weights = edge_weights(smooth_levels(lab_pictures(image, 0)[0]), np.int32(2), np.float32(8 / 64))
    used = weights[weights < 2048].astype(np.int64)
    table = conductances(np.bincount(used, minlength=2048), options).astype(np.float64)
    height, width = seeds.shape
    laplacian = np.zeros((seeds.size, seeds.size))
    for y in range(height):
        for x in range(width):
            for d, (v, u) in enumerate(((y, x + 1), (y + 1, x))):
                if v < height and u < width and seeds[y, x] >= 0 and seeds[v, u] >= 0:
                    a, b, w = y * width + x, v * width + u, table[weights[y, x, d]]
                    laplacian[[a, b], [a, b]] += w
                    laplacian[[a, b], [b, a]] -= w
    flat = seeds.reshape(-1)
    free, fixed = flat == 0, flat > 0
    result = []
    for label in np.unique(flat[fixed]):
        values = (flat == label).astype(np.float64)
        right = -laplacian[np.ix_(free, fixed)] @ values[fixed]
        values[free] = np.linalg.solve(laplacian[np.ix_(free, free)], right)
        result.append(values.reshape(seeds.shape))
    return np.array(result)


def test_probabilities_are_those_of_a_dense_solution(device):
    image, seeds = picture(), three_seeds()
    labels, probability = random_walker_2006(*device.arrays(image, seeds), EXACT, return_probability=True)
    expected = dense_probabilities(image, seeds, EXACT)
    # float32 conductors and potentials; the tolerance is of the remainder, not of the potentials.
    assert_allclose(to_host(probability), expected, rtol=0, atol=2e-5)
    assert_array_equal(to_host(labels), np.array([2, 4, 9])[expected.argmax(axis=0)])
    assert_allclose(to_host(probability).sum(axis=0), 1, atol=1e-6)


def test_the_default_tolerance_is_near_the_exact_solution():
    image, seeds = picture((40, 57)), three_seeds((40, 57))
    _, probability = random_walker_2006(image, seeds, return_probability=True)
    _, exact = random_walker_2006(image, seeds, RandomWalkerOptions(tolerance=1e-8), return_probability=True)
    assert np.abs(probability - exact).max() < 0.02


def test_labels_are_those_of_scikit_image_on_a_grey_image_of_two_flat_halves():
    image = np.zeros((20, 26, 3), np.uint8)
    image[:, 11:] = 180
    seeds = np.zeros((20, 26), np.int32)
    seeds[3, 2], seeds[15, 20], seeds[4, 22] = 1, 2, 3
    peer = random_walker(image[..., 0], seeds, beta=100, mode="cg_j", tol=1e-7)
    found = random_walker_2006(image, seeds, RandomWalkerOptions(smooth=0, tolerance=1e-7))
    assert np.unique(found).tolist() == [1, 2, 3]
    assert (found != peer).mean() < 0.01  # where two probabilities are equal


def test_more_labels_than_are_solved_for_at_once():
    image = picture((24, 30))
    seeds = np.zeros((24, 30), np.int32)
    places = np.random.default_rng(1).permutation(seeds.size)[:19]
    seeds.reshape(-1)[places] = np.arange(1, 20) * 3
    labels, probability = random_walker_2006(image, seeds, EXACT, return_probability=True)
    assert probability.shape == (19, 24, 30)
    assert_allclose(probability, dense_probabilities(image, seeds, EXACT), rtol=0, atol=3e-5)
    assert_array_equal(labels, 3 * (probability.argmax(axis=0) + 1))


def test_what_lies_behind_a_wall_has_no_label_and_does_not_disturb_the_rest(device):
    image, seeds = picture(), three_seeds()
    seeds[:, 17] = -1
    labels, probability = random_walker_2006(*device.arrays(image, seeds), EXACT, return_probability=True)
    labels, probability = to_host(labels), to_host(probability)
    assert (labels[:, 17:] == 0).all()
    assert (probability[:, :, 17:] == 0).all()
    # The other side, solved for alone: the conductors depend on the mean difference of the whole image.
    apart = seeds.copy()
    apart[:, 17:] = -1
    assert_allclose(probability[:, :, :17], dense_probabilities(image, apart, EXACT)[:, :, :17], rtol=0, atol=2e-5)


def test_one_label_fills_all():
    seeds = np.zeros((5, 6), np.int32)
    seeds[2, 2] = 8
    labels, probability = random_walker_2006(picture((5, 6)), seeds, return_probability=True)
    assert (labels == 8).all()
    assert (probability == 1).all()


def test_no_sources_give_no_potentials():
    zero = np.zeros((3, 4), np.float32)
    found = grid_potentials(zero, zero, zero, np.ones((2, 3, 4), np.float32), np.float64(1e-3), np.int32(5))
    assert_array_equal(found, np.zeros((2, 3, 4), np.float32))


@pytest.mark.parametrize("name, value", [("contrast", -1.0), ("least", 0.0), ("tolerance", 1.0), ("iterations", 0)])
def test_options_outside_their_range_are_refused(name, value):
    with pytest.raises(OptionError, match=name):
        RandomWalkerOptions(**{name: value})
