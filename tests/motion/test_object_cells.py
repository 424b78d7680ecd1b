"""object_cells: scenes of rectangles whose votes and motion are known exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.motion.cell_motion import CellWindow
from cvseg.motion.object_cells import ObjectOptions, object_cells

SHAPE = (3, 14, 20)  # frames, rows, columns
ROWS, COLUMNS = slice(3, 7), slice(3, 7)


def still_links(shape=SHAPE):
    """Each cell leads to the same place of the next frame."""
    number = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    return np.stack([number[:-1].reshape(-1), number[1:].reshape(-1)], axis=1)


def scene(*rectangles, background=0.0, noise=1.0):
    """Votes and residuals; a rectangle is (rows, columns, vote, residual)."""
    votes, residuals = np.full(SHAPE, background, np.float32), np.full(SHAPE, noise, np.float32)
    for rows, columns, vote, residual in rectangles:
        votes[:, rows, columns] = vote
        residuals[:, rows, columns] = residual
    return votes, residuals


def window_of(residuals, links=None, areas=None, unexplained=None):
    """What is not known of the differences is 0, as `CellMotion` has it."""
    areas = np.full(SHAPE, 64) if areas is None else areas
    differences = np.zeros(SHAPE) if unexplained is None else unexplained * areas
    contrasts = np.zeros(SHAPE) if unexplained is None else areas.astype(np.float64)
    return CellWindow(areas, residuals, still_links() if links is None else links, differences, contrasts)


def found_in(votes, residuals, unexplained=None, **settings):
    return object_cells(votes, window_of(residuals, unexplained=unexplained), **settings)


def mask_of(*places):
    mask = np.zeros(SHAPE, np.bool_)
    for rows, columns in places:
        mask[:, rows, columns] = True
    return mask


FAST = (ROWS, COLUMNS, 1.0, 20.0)
OTHER = (slice(4, 9), slice(12, 17))


def test_one_object_is_found_and_nothing_else():
    found = found_in(*scene(FAST, background=0.1))
    assert_array_equal(found.inside, mask_of(FAST[:2]))
    assert found.level.dtype == np.float32
    assert 0.1 < found.level.min() == found.level.max() < 1


@pytest.mark.parametrize("vote", [0.3, 0.5, 0.8])
def test_a_slower_object_is_found_at_a_level_of_its_own(vote):
    # The edge of the fast one is blurred, which makes a high level the most stable one for it.
    votes, residuals = scene((slice(2, 8), slice(2, 8), 0.6, 20.0), FAST, (*OTHER, vote, 10.0))
    found = found_in(votes, residuals)
    inside = mask_of(OTHER)
    assert found.inside[inside].all()
    assert found.inside[mask_of(FAST[:2])].all()
    assert (found.level[inside] < vote).all()
    assert not found.inside[votes == 0].any()


def test_an_object_below_all_levels_shows_once_the_fast_one_is_taken_away():
    votes, residuals = scene(FAST, (*OTHER, 0.12, 10.0))
    found = found_in(votes, residuals)
    assert_array_equal(found.inside, mask_of(FAST[:2], OTHER))
    assert found.level[mask_of(OTHER)].max() < 0.12


@pytest.mark.parametrize(
    ("fast", "residual", "added"), [(20, 4.9, False), (20, 5.1, True), (10, 3.4, False), (10, 3.6, True)]
)
def test_what_shows_later_must_move_certainly_or_a_share_of_the_fast_one(fast, residual, added):
    votes, residuals = scene((ROWS, COLUMNS, 1.0, fast), (*OTHER, 0.12, residual))
    assert found_in(votes, residuals).inside[mask_of(OTHER)].all() == added
    assert found_in(votes, residuals).inside[mask_of(OTHER)].any() == added


@pytest.mark.parametrize(("height", "added"), [(0.3, False), (0.5, True)])
def test_what_shows_later_must_be_clear_in_votes_before_they_were_stretched(height, added):
    found = found_in(*scene(FAST, (*OTHER, 0.12, 20.0)), height=height)
    assert found.inside[mask_of(OTHER)].all() == added


def test_an_object_beside_another_is_added_where_it_is_clear_enough_for_the_share_that_lies_apart():
    beside = slice(3, 9), slice(8, 14)  # four of its six columns lie farther than three cells from the fast one
    for vote, added in ((0.06, False), (0.12, True)):
        votes, residuals = scene(FAST, (*beside, vote, 20.0))
        assert found_in(votes, residuals).inside[mask_of(beside)].all() == added


@pytest.mark.parametrize(("residual", "kept"), [(5.1, True), (4.9, False)])
def test_clutter_that_moves_much_less_is_dropped(residual, kept):
    # Its votes are nearly as high as those of the object, from what looks like it.
    place = slice(9, 12), slice(13, 16)
    found = found_in(*scene(FAST, (*place, 0.9, residual)))
    assert_array_equal(found.inside, mask_of(FAST[:2], place) if kept else mask_of(FAST[:2]))
    assert kept == (found.level[mask_of(place)] < 1).all()


@pytest.mark.parametrize(("gap", "added"), [(0, False), (1, False), (2, True), (6, True)])
def test_what_shows_later_within_three_cells_of_an_object_is_its_shadow(gap, added):
    # Three columns wide: with a gap of one cell two of them are near, with a gap of two cells one is.
    shadow = slice(4, 7), slice(7 + gap, 10 + gap)
    votes, residuals = scene(FAST, (*shadow, 0.12, 15.0))
    found = found_in(votes, residuals)
    assert_array_equal(found.inside, mask_of(FAST[:2], shadow) if added else mask_of(FAST[:2]))


def test_fragments_above_the_level_of_the_clearest_object_are_kept():
    votes, residuals = scene(FAST)
    votes[1, 11, 15] = 0.95  # one cell of one frame
    found = found_in(votes, residuals)
    expected = mask_of(FAST[:2])
    expected[1, 11, 15] = True
    assert_array_equal(found.inside, expected)


@pytest.mark.parametrize("vote", [0.0, 0.5, 1.0])
def test_where_nothing_qualifies_nothing_is_inside(vote):
    # The same vote everywhere: a component that covers the whole picture, or none.
    votes = np.full(SHAPE, vote, np.float32)
    found = found_in(votes, votes)
    assert not found.inside.any()
    assert (found.level == 1).all()


def test_votes_that_noise_reaches_before_stretching_are_no_object():
    # A soft border: a fifth of the height is what it falls by from cell to cell.
    votes, residuals = scene(FAST)
    assert found_in(votes, residuals, height=0.1).inside.any()
    assert not found_in(votes, residuals, height=0.05).inside.any()


@pytest.mark.parametrize(("residual", "found"), [(0.2, False), (0.6, True), (3.0, True)])
def test_faint_objects_must_move_more_than_noise_does(residual, found):
    votes, residuals = scene((ROWS, COLUMNS, 1.0, residual), noise=0.1)
    assert found_in(votes, residuals, height=0.14).inside.any() == found


@pytest.mark.parametrize(("beside", "own", "added"), [(0.1, 0.1, True), (0.4, 0.1, False), (0.4, 0.4, True)])
def test_what_its_flow_does_not_explain_is_no_further_object_unless_the_clearest_is_no_better(beside, own, added):
    votes, residuals = scene(FAST, (*OTHER, 0.12, 20.0))
    unexplained = np.full(SHAPE, own)
    unexplained[mask_of(OTHER)] = beside
    options = ObjectOptions(least_clearness=0.08)
    found = found_in(votes, residuals, unexplained, options=options)
    assert found.inside[mask_of(FAST[:2])].all()
    assert found.inside[mask_of(OTHER)].all() == found.inside[mask_of(OTHER)].any() == added


def test_the_clearest_object_may_be_water():
    votes, residuals = scene(FAST)
    found = found_in(votes, residuals, np.full(SHAPE, 0.9))
    assert_array_equal(found.inside, mask_of(FAST[:2]))


def random_scene(seed):
    rng = np.random.default_rng(seed)
    votes, residuals = scene((*OTHER, 0.3, 12.0), FAST, (slice(10, 13), slice(2, 7), 0.7, 4.0))
    votes = np.clip(votes + rng.integers(0, 12, SHAPE) / 128, 0, 1).astype(np.float32)
    return votes, window_of(residuals, areas=rng.integers(40, 80, SHAPE), unexplained=rng.random(SHAPE))


def arrays_of(votes, cells):
    return votes, cells.areas, cells.residuals, cells.differences, cells.contrasts


@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_window_gives_the_mirrored_result(seed):
    votes, cells = random_scene(seed)
    found = object_cells(votes, cells)
    for axis in (0, 1, 2):  # time too: links have no direction, and those of a still scene mirror into themselves
        turned = (np.ascontiguousarray(np.flip(values, axis)) for values in arrays_of(votes, cells))
        votes_turned, areas, residuals, differences, contrasts = turned
        mirrored = object_cells(votes_turned, CellWindow(areas, residuals, cells.links, differences, contrasts))
        assert_array_equal(mirrored.inside, np.flip(found.inside, axis))
        assert_array_equal(mirrored.level, np.flip(found.level, axis))


@pytest.mark.parametrize("seed", range(4))
def test_order_and_direction_of_links_do_not_matter(seed):
    votes, cells = random_scene(seed)
    found = object_cells(votes, cells)
    shuffled = np.random.default_rng(seed).permutation(cells.links)
    shuffled[::2] = shuffled[::2, ::-1]
    other = object_cells(votes, replace(cells, links=shuffled))
    assert_array_equal(other.inside, found.inside)
    assert_array_equal(other.level, found.level)


def test_the_arguments_are_left_as_they_are():
    votes, cells = random_scene(0)
    before = [values.copy() for values in (*arrays_of(votes, cells), cells.links)]
    object_cells(votes, cells)
    for values, old in zip((*arrays_of(votes, cells), cells.links), before, strict=True):
        assert_array_equal(values, old)
