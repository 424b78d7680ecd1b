"""minimal_cut: against maximum flow, on hand-made pictures, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.kernels.graph.cut_steps import cut_steps
from cvseg.kernels.graph.cut_weights import cut_weights
from cvseg.masks.minimal_cut import minimal_cut

STEPS_XY = ((1, 0), (0, 1), (1, 1), (-1, 1))
SCALE = 1000  # maximum_flow wants whole capacities


def edges(weights):
    """Pairs (p, q) of pixel numbers and the weight between them."""
    _, height, width = weights.shape
    numbers = np.arange(height * width).reshape(height, width)
    ends = []
    for k, (dx, dy) in enumerate(STEPS_XY):
        columns, moved = slice(max(0, -dx), width - max(0, dx)), slice(max(0, dx), width - max(0, -dx))
        one, other = numbers[: height - dy, columns], numbers[dy:, moved]
        ends.append((one.ravel(), other.ravel(), weights[k][: height - dy, columns].ravel()))
    return tuple(np.concatenate(parts) for parts in zip(*ends, strict=True))


def energy(unary, weights, mask):
    one, other, weight = edges(weights)
    inside = mask.ravel()
    return weight[inside[one] != inside[other]].sum() - unary[mask].sum()


def least_energy(unary, weights):
    """Of a minimum cut; `unary` and `weights` hold whole numbers."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import maximum_flow

    one, other, weight = edges(weights)
    count, flat = unary.size, unary.ravel()
    pixels = np.arange(count)
    source, sink = np.full(count, count), np.full(count, count + 1)
    rows = np.concatenate([one, other, source, pixels])
    columns = np.concatenate([other, one, pixels, sink])
    capacities = np.concatenate([weight, weight, np.maximum(flat, 0), np.maximum(-flat, 0)])
    graph = coo_matrix((capacities.astype(np.int32), (rows, columns)), shape=(count + 2, count + 2)).tocsr()
    return maximum_flow(graph, count, count + 1).flow_value - np.maximum(flat, 0).sum()


def problem(seed, size_hw=(17, 23)):
    """Whole weights and unaries: a noisy picture of a disc, and noisy evidence for it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    disc = (y - size_hw[0] * 0.5) ** 2 + (x - size_hw[1] * 0.4) ** 2 < (0.3 * size_hw[1]) ** 2
    image = np.where(disc, 150, 90)[..., None] + rng.normal(0, 12, (*size_hw, 3))
    image = np.clip(image, 0, 255).astype(np.uint8)
    weights = np.rint(SCALE * cut_weights(image, np.float32(2), np.float32(0.05)))
    unary = np.rint(SCALE * (np.where(disc, 1, -1) + rng.normal(0, 2.5, size_hw)))
    return unary, weights


def steps(unary, weights, iterations):
    unary = unary.astype(np.float32)
    return cut_steps(weights.astype(np.float32), unary, (unary > 0).astype(np.float32), np.int32(iterations)) > 0.5


@pytest.mark.parametrize("seed", range(6))
def test_the_result_is_a_minimum_cut(seed):
    unary, weights = problem(seed)
    assert energy(unary, weights, steps(unary, weights, 3000)) == least_energy(unary, weights)


@pytest.mark.parametrize("seed", range(6, 12))
def test_after_40_iterations_five_percent_of_the_gain_are_missing_at_most(seed):
    unary, weights = problem(seed, (40, 60))
    least, start = least_energy(unary, weights), energy(unary, weights, unary > 0)
    assert energy(unary, weights, steps(unary, weights, 40)) <= least + 0.05 * (start - least)


def square_scene():
    image = np.full((30, 40, 3), 60, np.uint8)
    image[8:22, 10:30] = (180, 120, 90)
    inside = np.zeros((30, 40), bool)
    inside[8:22, 10:30] = True
    return image, inside


def test_the_outline_moves_to_the_edge_of_the_picture_and_specks_and_holes_are_gone(device):
    image, inside = square_scene()
    unary = np.full((30, 40), -0.5, np.float32)
    unary[6:21, 9:31] = 0.5
    unary[20:22, 10:30] = 0
    unary[12, 15] = unary[15, 22] = -3
    unary[3, 3] = unary[26, 35] = 3
    cut = minimal_cut(*device.arrays(unary, image), iterations=200)
    assert_array_equal(to_host(cut) > 0.5, inside)


def test_the_unit_of_the_energy_does_not_matter():
    image, _ = square_scene()
    unary = np.random.default_rng(5).normal(0, 1, (30, 40)).astype(np.float32)
    # A power of two changes no digit.
    assert_array_equal(minimal_cut(4 * unary, image, contrast=8.0), minimal_cut(unary, image, contrast=2.0))


def test_more_contrast_makes_shorter_outlines():
    rng = np.random.default_rng(6)
    image = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    unary = rng.normal(0, 1, (40, 50)).astype(np.float32)
    lengths = []
    for contrast in (0.0, 0.5, 1.5):
        mask = minimal_cut(unary, image, contrast=contrast, iterations=200) > 0.5
        lengths.append(int((mask[1:] != mask[:-1]).sum()))
    assert lengths[0] > 2 * lengths[1] > 4 * lengths[2]


def test_without_contrast_every_pixel_decides_alone():
    image, _ = square_scene()
    unary = np.random.default_rng(7).normal(0, 1, (30, 40)).astype(np.float32)
    assert_array_equal(minimal_cut(unary, image, contrast=0.0), unary > 0)


def test_a_larger_floor_smooths_even_across_edges():
    image, inside = square_scene()
    unary = np.where(inside, np.float32(0.2), np.float32(-1)).astype(np.float32)
    assert_array_equal(minimal_cut(unary, image, floor=0.0, iterations=300) > 0.5, inside)
    assert not (minimal_cut(unary, image, floor=1.0, iterations=300) > 0.5).any()


def test_a_start_near_the_result_is_kept():
    image, inside = square_scene()
    unary = np.where(inside, 1, -1).astype(np.float32)
    start = inside.astype(np.float32)
    assert_array_equal(minimal_cut(unary, image, iterations=5, start=start), start)
    # Beyond 0 and 1 a start is cut off.
    assert_array_equal(minimal_cut(unary, image, iterations=5, start=3 * start - 1), start)


def test_one_pixel_and_no_pixel_at_all():
    assert minimal_cut(np.float32([[0.1]]), np.zeros((1, 1, 3), np.uint8)).tolist() == [[1.0]]
    assert minimal_cut(np.zeros((0, 5), np.float32), np.zeros((0, 5, 3), np.uint8)).shape == (0, 5)


def test_views_of_larger_arrays_are_taken():
    image, _ = square_scene()
    unary = np.random.default_rng(8).normal(0, 1, (30, 40)).astype(np.float32)
    assert_array_equal(
        minimal_cut(unary[::2, ::3], image[::2, ::3]),
        minimal_cut(unary[::2, ::3].copy(), np.ascontiguousarray(image[::2, ::3])),
    )


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"unary": np.zeros((4, 5))}, DtypeError, "unary is float64"),
        ({"unary": np.zeros((4, 6), np.float32)}, ShapeError, "to match"),
        ({"image": np.zeros((4, 5, 3), np.float32)}, DtypeError, "image is float32"),
        ({"start": np.zeros((4, 5), bool)}, DtypeError, "start is bool"),
        ({"start": np.zeros((5, 4), np.float32)}, ShapeError, "start is"),
        ({"contrast": -1.0}, RangeError, "contrast"),
        ({"floor": -0.1}, RangeError, "floor"),
        ({"iterations": 0}, RangeError, "iterations"),
    ],
)
def test_wrong_arguments_are_refused(change, error, words):
    arguments = {"unary": np.zeros((4, 5), np.float32), "image": np.zeros((4, 5, 3), np.uint8)} | change
    with pytest.raises(error, match=words):
        minimal_cut(arguments.pop("unary"), arguments.pop("image"), **arguments)
