"""CellMotion: exact areas, motion, differences and links of small frames, the same bits on both devices."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.motion.cell_motion import GRAY_STEPS, RESIDUAL_STEPS, CellMotion
from cvseg.motion.displaced_difference import DisplacedDifference


def square_cells(size_hw, side):
    """Square cells, smaller ones at the right and lower edge; and how many rows and columns of them."""
    y, x = np.indices(size_hw) // side
    cells_yx = int(y.max()) + 1, int(x.max()) + 1
    return (y * cells_yx[1] + x).astype(np.int32), cells_yx


def uniform_flow(size_hw, x=0, y=0):
    return np.tile(np.float32([x, y]), (*size_hw, 1))


def parts_of(window):
    return window.areas, window.residuals, window.links


def pushed(device, frames, capacity=10):
    motion = CellMotion(capacity)
    for cells, cells_yx, residual, arrival_xy, backward_xy in frames:
        cells, residual, arrival_xy, backward_xy = device.arrays(cells, residual, arrival_xy, backward_xy)
        motion.push(cells, cells_yx, residual, arrival_xy, backward_xy)
    return motion


def test_areas_and_mean_residuals_are_exact_at_odd_sizes(device):
    size_hw = 7, 11
    cells, cells_yx = square_cells(size_hw, 4)
    residual = (np.random.default_rng(0).integers(0, 500, size_hw) / RESIDUAL_STEPS).astype(np.float32)
    still = uniform_flow(size_hw)
    areas, means, links = parts_of(pushed(device, [(cells, cells_yx, residual, still, still)]).window())
    assert_array_equal(areas, [[[16, 16, 12], [12, 12, 9]]])
    expected = [residual[cells == k].astype(np.float64).mean() for k in range(6)]
    assert means.dtype == np.float32
    assert_array_equal(means.reshape(-1), np.float32(expected))
    assert links.shape == (0, 2)
    assert links.dtype == np.int32


def test_a_cell_without_pixels_has_no_area_and_no_motion(device):
    cells = np.zeros((3, 5), np.int32)
    still = uniform_flow(cells.shape)
    frame = cells, (1, 3), np.ones(cells.shape, np.float32), still, still
    areas, means, links = parts_of(pushed(device, [frame, frame]).window())
    assert_array_equal(areas, [[[15, 0, 0]], [[15, 0, 0]]])
    assert_array_equal(means, [[[1, 0, 0]], [[1, 0, 0]]])
    assert ((links >= 0) & (links < 6)).all()


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-1, 0), (0, 1), (1, -1), (2, 1)])
def test_links_follow_a_whole_number_of_cells_forward_and_back(device, right, down):
    side, rows, columns = 3, 4, 5
    size_hw = rows * side, columns * side
    cells, cells_yx = square_cells(size_hw, side)
    none = np.zeros(size_hw, np.float32)
    arrival_xy = uniform_flow(size_hw, right * side, down * side)
    frame = cells, cells_yx, none, arrival_xy, -arrival_xy
    links = pushed(device, [frame, frame, frame]).window().links
    count, expected = rows * columns, set()
    for pair in range(2):
        for y in range(rows):
            for x in range(columns):
                ahead = np.clip(y + down, 0, rows - 1) * columns + np.clip(x + right, 0, columns - 1)
                back = np.clip(y - down, 0, rows - 1) * columns + np.clip(x - right, 0, columns - 1)
                own = y * columns + x
                expected |= {(pair * count + own, (pair + 1) * count + ahead)}
                expected |= {(pair * count + back, (pair + 1) * count + own)}
    assert {tuple(link) for link in links.tolist()} == expected
    assert len(links) == 2 * 2 * count


def test_links_ahead_use_the_flow_from_the_frame_before_and_links_back_that_to_it(device):
    size_hw = 3, 9
    cells, cells_yx = square_cells(size_hw, 3)
    none, still, right = np.zeros(size_hw, np.float32), uniform_flow(size_hw), uniform_flow(size_hw, 3)
    first = cells, cells_yx, none, None, None  # there is no frame before it
    motion = CellMotion(2)
    for part in (first, (cells, cells_yx, none, right, still)):
        placed = [None if array is None else device.array(array) for array in part[2:]]
        motion.push(device.array(part[0]), part[1], *placed)
    assert_array_equal(motion.window().links, [[0, 4], [1, 5], [2, 5], [0, 3], [1, 4], [2, 5]])


def test_each_cell_knows_where_it_comes_from(device):
    size_hw = 3, 9
    cells, cells_yx = square_cells(size_hw, 3)
    none, still, left = np.zeros(size_hw, np.float32), uniform_flow(size_hw), uniform_flow(size_hw, -3)
    frame = cells, cells_yx, none, still, left
    assert pushed(device, [frame]).before.size == 0
    motion = pushed(device, [frame, frame])
    assert motion.before.tolist() == [0, 0, 1]
    motion.reset()
    assert motion.before.size == 0


def test_nothing_older_than_the_capacity_is_kept(device):
    size_hw = 5, 7
    cells, cells_yx = square_cells(size_hw, 3)
    still = uniform_flow(size_hw)
    motion = CellMotion(3)
    for number in range(8):
        residual = np.full(size_hw, number, np.float32)
        motion.push(*device.arrays(cells), cells_yx, *device.arrays(residual, still, still))
        kept = min(number + 1, 3)
        areas, means, links = parts_of(motion.window())
        assert areas.shape == means.shape == (kept, *cells_yx)
        assert_array_equal(means[:, 0, 0], np.arange(number + 1 - kept, number + 1))
        assert len(links) == 2 * (kept - 1) * areas[0].size
        assert links.size == 0 or (links.min() == 0 and links.max() == areas.size - 1)
        everything = motion._areas, motion._residuals, motion._unexplained, motion._links
        assert [len(part) for part in everything] == [kept, kept, kept, kept - 1]


def test_a_window_of_one_frame_has_no_links(device):
    cells, cells_yx = square_cells((5, 7), 3)
    still = uniform_flow((5, 7))
    frame = cells, cells_yx, np.zeros((5, 7), np.float32), still, still
    areas, _, links = parts_of(pushed(device, [frame] * 4, capacity=1).window())
    assert areas.shape == (1, *cells_yx)
    assert links.shape == (0, 2)


def test_after_a_reset_there_is_no_link_to_the_frame_before(device):
    cells, cells_yx = square_cells((5, 7), 3)
    still = uniform_flow((5, 7))
    frame = cells, cells_yx, np.zeros((5, 7), np.float32), still, still
    motion = pushed(device, [frame, frame])
    motion.reset()
    placed = device.arrays(*frame[2:])
    motion.push(device.array(cells), cells_yx, *placed)
    areas, _, links = parts_of(motion.window())
    assert len(areas) == 1
    assert links.shape == (0, 2)


@pytest.mark.parametrize("size_hw", [(1, 1), (13, 37), (61, 47)])
def test_both_devices_give_the_same_bits(cuda_device, size_hw):
    rng = np.random.default_rng(3)
    cells, cells_yx = square_cells(size_hw, 8)
    frames = []
    for _ in range(4):
        flows = (rng.normal(0, 9, (*size_hw, 2)).astype(np.float32) for _ in range(2))
        frames.append((cells, cells_yx, rng.exponential(5, size_hw).astype(np.float32), *flows))
    unexplained = rng.random((2, *size_hw), dtype=np.float32)
    host, device = CellMotion(3), CellMotion(3)
    for cells, cells_yx, *arrays in frames:
        host.push(cells, cells_yx, *arrays, DisplacedDifference(*unexplained))
        placed = cuda_device.arrays(cells, *arrays)
        device.push(placed[0], cells_yx, *placed[1:], DisplacedDifference(*cuda_device.arrays(*unexplained)))
    for one, other in zip(astuple(device.window()), astuple(host.window()), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


def test_differences_and_contrasts_are_exact_sums_and_nothing_where_they_are_not_known(device):
    size_hw = 7, 11
    cells, cells_yx = square_cells(size_hw, 4)
    still = uniform_flow(size_hw)
    difference, contrast = (np.random.default_rng(1).integers(0, 900, (2, *size_hw)) / GRAY_STEPS).astype(np.float32)
    motion = CellMotion(2)
    placed = device.arrays(cells, np.zeros(size_hw, np.float32), still, still)
    motion.push(placed[0], cells_yx, *placed[1:])
    unexplained = DisplacedDifference(*device.arrays(difference, contrast))
    motion.push(placed[0], cells_yx, *placed[1:], unexplained)
    window = motion.window()
    for found, values in ((window.differences, difference), (window.contrasts, contrast)):
        assert found.shape == (2, *cells_yx)
        assert (found[0] == 0).all()
        assert_array_equal(found[1].reshape(-1), [values[cells == k].astype(np.float64).sum() for k in range(6)])
