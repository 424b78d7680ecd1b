"""The kernels of the non-local consensus: small cases by hand, and the search against all distances at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS, cell_descriptors, gaussian_weights
from cvseg.kernels.consensus.cell_features import cell_features
from cvseg.kernels.consensus.consensus_step import consensus_step
from cvseg.kernels.consensus.consensus_weights import consensus_weights
from cvseg.kernels.consensus.nearest_cells import nearest_cells

EVERY, ONE = np.arange(4, dtype=np.int32), np.zeros(1, np.int32)


def two_nearest_of_all(descriptors, pairs):
    """Exact on whole numbers; equal distances: the lower number wins."""
    nearest, distances = [], []
    for query, reference in pairs:
        difference = descriptors[query][:, :, None] - descriptors[reference][:, None, :]
        table = (difference.astype(np.float64) ** 2).sum(0)
        if query == reference:
            np.fill_diagonal(table, np.inf)
        order = np.argsort(table, axis=1, kind="stable")[:, :2]
        nearest.append(order)
        distances.append(np.take_along_axis(table, order, axis=1))
    return np.array(nearest), np.array(distances)


@pytest.mark.parametrize("cells", [2, 7, 64, 131])
def test_the_two_nearest_cells_are_those_of_an_exhaustive_search_also_among_ties(device, cells):
    rng = np.random.default_rng(cells)
    # Few whole numbers in few channels: many cells are equally far, and every sum is exact.
    descriptors = np.zeros((3, DESCRIPTOR_CHANNELS, cells), np.float32)
    descriptors[:, [0, 11, 23]] = rng.integers(0, 3, (3, 3, cells))
    pairs = np.array([[0, 1], [1, 0], [2, 2], [2, 0]], np.int32)
    nearest, distances = nearest_cells(*device.arrays(descriptors, pairs))
    expected_nearest, expected_distances = two_nearest_of_all(descriptors, pairs)
    assert_array_equal(to_host(distances), expected_distances)
    reachable = np.isfinite(expected_distances)
    assert_array_equal(to_host(nearest)[reachable], expected_nearest[reachable])


def test_a_frame_of_one_cell_has_no_neighbour_in_itself_and_one_elsewhere(device):
    descriptors = np.zeros((2, DESCRIPTOR_CHANNELS, 1), np.float32)
    descriptors[1, 3] = 2
    nearest, distances = nearest_cells(*device.arrays(descriptors, np.array([[0, 0], [0, 1]], np.int32)))
    assert to_host(distances).tolist() == [[[np.inf, np.inf]], [[4.0, np.inf]]]
    assert not to_host(nearest).any()


def test_the_weights_of_a_cell_sum_to_one_or_are_all_zero(device):
    rng = np.random.default_rng(0)
    distances = np.sort(rng.exponential(2.0, (4, 3, 9, 2)), axis=3).astype(np.float32)
    distances[1, 1:] = np.inf
    distances[2] = np.inf
    distances[3, :, 4, 1] = np.inf
    weights = to_host(consensus_weights(*device.arrays(distances, EVERY, np.array([0.7], np.float32))))
    sums = weights.sum(axis=(1, 3))
    assert_allclose(sums[[0, 1, 3]], 1, atol=1e-6)
    assert not sums[2].any()
    assert not weights[np.isinf(distances)].any()


def test_weights_fall_exponentially_with_the_distance(device):
    distances = np.array([1.0, 1.0 + np.log(2), 1.0 + np.log(4), np.inf], np.float32).reshape(1, 2, 1, 2)
    weights = to_host(consensus_weights(*device.arrays(distances, ONE, np.array([1.0], np.float32))))
    assert_allclose(weights.ravel(), [4 / 7, 2 / 7, 1 / 7, 0], atol=1e-6)
    wider = to_host(consensus_weights(*device.arrays(distances * np.float32(3), ONE, np.array([3.0], np.float32))))
    assert_allclose(wider, weights, atol=1e-6)


def test_a_cell_that_is_far_from_everything_still_has_weights(device):
    distances = np.array([1e4, 1e4 + 1, 2e4, 3e4], np.float32).reshape(1, 2, 1, 2)
    weights = to_host(consensus_weights(*device.arrays(distances, ONE, np.array([1e-2], np.float32)))).ravel()
    assert weights[0] == 1
    assert weights[1:].max() < 1e-30


def test_one_step_by_hand(device):
    # Two frames of one row of two cells. Each cell has two edges: cells 0..1 are frame 0, 2..3 frame 1.
    votes = np.array([[1.0, 0.0], [0.5, 0.25]], np.float32)
    seeds = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
    edges = np.array([[2, 3], [0, 2], [0, 1], [3, 3]], np.int32).reshape(2, 1, 2, 2)
    weights = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75], [0.0, 0.0]], np.float32).reshape(2, 1, 2, 2)
    links = np.zeros((2, 4, 2), np.float32)
    links[:, 1, 0] = links[:, 0, 1] = 1  # right of the left cell, left of the right cell
    stepped = consensus_step(
        *device.arrays(votes, seeds, edges, weights, links, EVERY[:2]), np.int32(2), np.float32(0.25), np.float32(0.5)
    )
    similar = np.array([[0.375, 1.0], [0.25, 0.0]])
    beside = np.array([[0.0, 1.0], [0.25, 0.5]])
    assert_array_equal(to_host(stepped), 0.5 * (0.75 * similar + 0.25 * beside) + 0.5 * seeds)


def test_some_frames_get_what_all_would_get(device):
    rng = np.random.default_rng(3)
    distances = np.sort(rng.exponential(1.0, (4, 3, 13, 2)), axis=3).astype(np.float32)
    edges = rng.integers(0, 4 * 13, distances.shape).astype(np.int32)
    votes, seeds = rng.random((2, 4, 13), dtype=np.float32)
    links, scale = rng.random((4, 4, 13), dtype=np.float32), np.float32([0.8])
    stepped = []
    for frames in (EVERY, np.array([3, 1], np.int32)):
        weights = consensus_weights(*device.arrays(distances, frames, scale))
        known = device.arrays(votes, seeds, edges), weights, device.arrays(links, frames)
        shares = np.int32(13), np.float32(0.2), np.float32(0.1)
        stepped.append((to_host(weights), to_host(consensus_step(*known[0], known[1], *known[2], *shares))))
    (all_weights, all_votes), (some_weights, some_votes) = stepped
    assert_array_equal(some_weights, all_weights[[3, 1]])
    assert_array_equal(some_votes, all_votes[[3, 1]])


def test_a_link_out_of_the_frame_is_never_followed(device):
    rng = np.random.default_rng(1)
    votes = rng.random((2, 12), dtype=np.float32)
    edges = np.zeros((2, 1, 12, 2), np.int32)
    weights = np.zeros((2, 1, 12, 2), np.float32)
    links = np.ones((2, 4, 12), np.float32)  # also at the border, where they must not count
    stepped = consensus_step(
        *device.arrays(votes, np.zeros_like(votes), edges, weights, links, EVERY[:2]),
        np.int32(4),
        np.float32(1),
        np.float32(0),
    )
    padded = np.pad(votes.reshape(2, 3, 4), ((0, 0), (1, 1), (1, 1)))
    beside = padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:] + padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1]
    assert_allclose(to_host(stepped).reshape(2, 3, 4), beside, rtol=1e-6)


def square_cells(height, width, rows, columns):
    y, x = np.mgrid[:height, :width]
    return (y * rows // height * columns + x * columns // width).astype(np.int32)


def test_features_are_the_means_over_the_pixels_of_each_cell_wherever_they_lie_around_it(device):
    rng = np.random.default_rng(2)
    lab = (rng.random((7, 10, 3)) * (100, 80, 80) - (0, 40, 40)).astype(np.float32)
    seeds = rng.random((7, 10), dtype=np.float32)
    labels = square_cells(7, 10, 2, 3)
    labels[1:3, 2:5] = 1
    labels[5, 3] = 0  # a cell may reach over a corner of its place
    labels[labels == 5] = 4  # and another may have lost all its pixels
    features = to_host(cell_features(*device.arrays(lab, seeds, labels), np.int32(2), np.int32(3)))
    scaled = lab * 0.02 - (1, 0, 0)
    gx = (lab[:, np.minimum(np.arange(10) + 1, 9), 0] - lab[:, np.maximum(np.arange(10) - 1, 0), 0]) * 0.01
    gy = (lab[np.minimum(np.arange(7) + 1, 6), :, 0] - lab[np.maximum(np.arange(7) - 1, 0), :, 0]) * 0.01
    assert features.shape == (2, 3, 15)
    for number, own in enumerate(features.reshape(6, 15)):
        cell = labels == number
        if number == 5:
            assert not own.any()
            continue
        assert_allclose(own[:3], scaled[cell].mean(0), atol=1e-5)
        assert_allclose(own[3:6], (scaled[cell] ** 2).mean(0), atol=1e-5)
        assert own[6:14].sum() == pytest.approx(np.hypot(gx[cell], gy[cell]).mean(), abs=1e-5)
        assert own[14] == pytest.approx(seeds[cell].mean(), abs=1e-5)


@pytest.mark.parametrize("angle_deg", [0, 20, 45, 60, 100, 150])
def test_an_edge_falls_into_the_bin_of_its_direction(device, angle_deg):
    angle = np.deg2rad(angle_deg)
    y, x = np.mgrid[:12, :12]
    lab = np.zeros((12, 12, 3), np.float32)
    lab[..., 0] = 50 + 3 * (np.cos(angle) * (x - 6) + np.sin(angle) * (y - 6))
    # Only the middle cell has its neighbours on both sides.
    nothing, labels = np.zeros((12, 12), np.float32), square_cells(12, 12, 3, 3)
    features = cell_features(*device.arrays(lab, nothing, labels), np.int32(3), np.int32(3))
    assert np.argmax(to_host(features)[1, 1, 6:14]) == angle_deg // 22.5


def test_links_prefer_the_touching_cell_of_the_same_colour_and_sum_to_one(device):
    features = np.zeros((3, 4, 15), np.float32)
    features[:, 2:, 0] = 1  # an edge between the second and the third column
    near, far = gaussian_weights(0.6), gaussian_weights(1.7)
    descriptors, links = (to_host(a) for a in cell_descriptors(*device.arrays(features, near, far)))
    assert_allclose(links.sum(0), 1, atol=1e-6)
    left, right, upper, lower = links.reshape(4, 3, 4)
    assert right[1, 1] < 1e-6
    assert_allclose([left[1, 1], upper[1, 1], lower[1, 1]], 1 / 3, atol=1e-6)
    assert not left[:, 0].any() and not right[:, -1].any() and not upper[0].any() and not lower[-1].any()
    assert_array_equal(descriptors[0].reshape(3, 4), 2 * features[..., 0])
    assert not descriptors[22:].any()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.4])
def test_gaussian_weights_are_even_and_sum_to_one(sigma):
    weights = gaussian_weights(sigma)
    assert weights.size % 2 == 1
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert_array_equal(weights, weights[::-1])
    assert weights[weights.size // 2] / weights[weights.size // 2 - 1] == pytest.approx(
        np.exp(0.5 / sigma**2), rel=1e-5
    )
