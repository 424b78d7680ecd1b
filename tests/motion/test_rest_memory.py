"""Memory of what rests: held while a cell stands, carried along, not learned from a moment, gone with the surface."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.motion.rest_memory import ALIKE, GAIN, remembered, trusted_links

ROWS, COLUMNS = 3, 5
CELLS = ROWS * COLUMNS


def links_of(*steps):
    """As `CellMotion.window` gives them; each step is (where the cells of a frame go, where those of the next were)."""
    own, pairs = np.arange(CELLS), []
    for k, (ahead, back) in enumerate(steps):
        forward = np.stack([own + k * CELLS, np.asarray(ahead) + (k + 1) * CELLS], axis=1)
        backward = np.stack([np.asarray(back) + k * CELLS, own + (k + 1) * CELLS], axis=1)
        pairs += [forward, backward]
    return np.concatenate(pairs).astype(np.int32)


def still(frames):
    own = np.tile(np.arange(CELLS), (frames - 1, 1))
    return own, own


def test_links_that_return_to_cells_of_like_colour_are_trusted():
    own = np.arange(CELLS)
    right = np.where(own % COLUMNS < COLUMNS - 1, own + 1, own)
    left = np.where(own % COLUMNS > 0, own - 1, own)
    colors = np.tile(np.float32(50), (2, 3, CELLS))
    before, after = trusted_links(links_of((right, left)), colors, COLUMNS)
    assert_array_equal(before, [left])
    assert_array_equal(after, [right])


def test_a_link_that_leads_elsewhere_on_its_way_back_or_to_another_colour_is_not_trusted():
    own = np.arange(CELLS)
    ahead = own.copy()
    ahead[0] = CELLS - 1  # whose own way back leads to itself, far from cell 0
    colors = np.tile(np.float32(50), (2, 3, CELLS))
    colors[1, 1, 7] += ALIKE + 1
    before, after = trusted_links(links_of((ahead, own)), colors, COLUMNS)
    assert_array_equal(np.flatnonzero(after[0] < 0), [0, 7])
    assert before[0, 7] == -1
    # One cell beside where it began is near enough: cells are coarse. Cell 0 goes far, so cell 0 was not there before.
    assert_array_equal(np.flatnonzero(before[0] < 0), [0, 7])


def test_where_there_are_no_links_to_follow_nothing_is_known():
    links = links_of((np.arange(CELLS),) * 2, (np.arange(CELLS),) * 2)
    middle = links[links[:, 0] >= CELLS]  # nothing leads from the first frame to the second
    before, after = trusted_links(middle, np.zeros((3, 3, CELLS), np.float32), COLUMNS)
    assert_array_equal(before, [np.full(CELLS, -1), np.arange(CELLS)])
    assert_array_equal(after, before)


def test_what_moved_for_long_and_rests_keeps_most_of_its_evidence():
    frames, stops = 60, 30
    shown = np.zeros((frames, 1, CELLS), np.float32)
    shown[:stops, 0, 4] = 1
    lasting, past = remembered(shown, 10 * shown[:, 0], *still(frames), frames=50)
    assert_array_equal(lasting[:stops, 0, 4], 1)
    # Nothing comes after the rest: half of what is remembered from the past alone.
    assert past[stops + 10, 0, 4] > 0.75
    assert_allclose(lasting[stops:, 0, 4], past[stops:, 0, 4] / 2)
    assert (np.delete(lasting[:, 0], 4, axis=1) == 0).all()


def test_a_rest_between_two_motions_is_bridged_from_both_sides():
    frames = 50
    shown = np.ones((frames, 1, CELLS), np.float32)
    shown[20:30, :, 4] = 0
    lasting, _ = remembered(shown, 10 * shown[:, 0], *still(frames), frames=50)
    assert lasting[:, 0, 4].min() > 0.8


def test_the_ground_that_an_object_leaves_remembers_little_and_what_goes_on_takes_its_memory_along():
    frames = COLUMNS
    own = np.arange(CELLS)
    shown = np.zeros((frames, 1, CELLS), np.float32)
    before, after = (np.tile(own, (frames - 1, 1)) for _ in range(2))
    for k in range(frames):  # along the first row
        shown[k, 0, k] = 1
        if k:
            before[k - 1, k], after[k - 1, k - 1] = k - 1, k
            before[k - 1, k - 1] = -1  # what was behind it is seen for the first time
            after[k - 1, k] = -1  # what was before it is seen for the last time
    lasting, past = remembered(shown, 10 * shown[:, 0], before, after, frames=50)
    assert_array_equal(lasting, shown)
    assert_array_equal(past, shown)


def test_a_moment_is_not_remembered():
    shown = np.zeros((20, 1, CELLS), np.float32)
    shown[10, 0, 4] = 1
    lasting, past = remembered(shown, 10 * shown[:, 0], *still(20), frames=50)
    assert_allclose(past[10, 0, 4], GAIN, rtol=1e-6)
    assert np.delete(lasting[:, 0, 4], 10).max() < GAIN


def test_what_moves_and_shows_little_is_forgotten_at_once():
    shown = np.ones((20, 1, CELLS), np.float32)
    shown[10:] = 0
    _, past = remembered(shown, np.full((20, CELLS), 10, np.float32), *still(20), frames=50)
    assert_allclose(past[10:, 0, 0], (1 - GAIN) ** np.arange(1, 11), rtol=1e-5)


@pytest.mark.parametrize("cut", [1, 7, 19])
def test_a_window_that_starts_from_what_the_one_before_remembered_goes_on_as_if_it_were_whole(cut):
    rng = np.random.default_rng(0)
    shown = rng.random((20, 2, CELLS), np.float32)
    residuals = rng.uniform(0, 4, (20, CELLS)).astype(np.float32)
    before, after = rng.integers(-1, CELLS, (2, 19, CELLS))
    _, whole = remembered(shown, residuals, before, after, frames=30)
    _, later = remembered(shown[cut:], residuals[cut:], before[cut:], after[cut:], frames=30, start=whole[cut])
    assert_array_equal(later, whole[cut:])


def test_time_reversed_evidence_lasts_reversed():
    rng = np.random.default_rng(1)
    shown = rng.random((15, 1, CELLS), np.float32)
    residuals = rng.uniform(0, 4, (15, CELLS)).astype(np.float32)
    before, after = rng.integers(-1, CELLS, (2, 14, CELLS))
    lasting, _ = remembered(shown, residuals, before, after, frames=30)
    turned, _ = remembered(shown[::-1], residuals[::-1], after[::-1], before[::-1], frames=30)
    assert_allclose(turned[::-1], lasting, rtol=1e-6)
