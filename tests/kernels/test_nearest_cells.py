"""nearest_cells: exact, the lower cell of equals, no cell its own neighbour, for any number of cells and threads."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.arrays import to_host
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS
from cvseg.kernels.consensus.nearest_cells import nearest_cells


def two_nearest(descriptors, pairs):
    """By sorting. Exact for small whole numbers, whose squares add up without rounding."""
    cells = descriptors.shape[2]
    nearest, distances = np.zeros((len(pairs), cells, 2), np.int32), np.full((len(pairs), cells, 2), np.inf, np.float32)
    for row, (query, reference) in enumerate(pairs):
        difference = descriptors[query][:, :, None] - descriptors[reference][:, None, :]
        squares = (difference**2).sum(axis=0)
        if query == reference:
            np.fill_diagonal(squares, np.inf)
        order = np.argsort(squares, axis=1, kind="stable")[:, :2]
        found = np.take_along_axis(squares, order, axis=1)
        nearest[row, :, : order.shape[1]] = np.where(np.isfinite(found), order, 0)
        distances[row, :, : order.shape[1]] = found
    return nearest, distances


@pytest.mark.parametrize("cells", [1, 2, 3, 15, 16, 17, 35, 100])
@pytest.mark.parametrize("levels", [1, 2, 9], ids=["all equal", "many equal", "few equal"])
def test_the_two_nearest_cells_are_found_and_the_lower_of_equals(device, cells, levels):
    rng = np.random.default_rng(cells)
    descriptors = rng.integers(0, levels, (3, DESCRIPTOR_CHANNELS, cells)).astype(np.float32)
    # Few channels that differ: then many cells are equally far.
    descriptors[:, 2:] = 0
    pairs = np.int32([[2, 2], [2, 0], [0, 2], [1, 1]])
    nearest, distances = nearest_cells(*device.arrays(descriptors, pairs))
    expected_nearest, expected_distances = two_nearest(descriptors, pairs)
    assert np.array_equal(to_host(distances), expected_distances)
    assert np.array_equal(to_host(nearest), expected_nearest)


def test_a_cell_without_numbers_is_nobodys_neighbour(device):
    rng = np.random.default_rng(0)
    descriptors = rng.random((2, DESCRIPTOR_CHANNELS, 37), dtype=np.float32)
    descriptors[1, 5, 20] = np.nan
    nearest, distances = (to_host(part) for part in nearest_cells(*device.arrays(descriptors, np.int32([[0, 1]]))))
    assert not (nearest == 20).any()
    assert np.isfinite(distances).all()


@pytest.mark.parametrize("threads", [1, 3, 5])
def test_bands_that_cut_a_group_of_queries_change_nothing(use_threads, threads):
    rng = np.random.default_rng(1)
    descriptors = rng.random((3, DESCRIPTOR_CHANNELS, 101), dtype=np.float32)
    pairs = np.int32([[2, 2], [2, 1], [1, 2], [0, 2], [2, 0]])
    use_threads(1)
    alone = nearest_cells.cpu(descriptors, pairs)
    use_threads(threads)
    for one, other in zip(alone, nearest_cells.cpu(descriptors, pairs), strict=True):
        assert np.array_equal(one, other)
