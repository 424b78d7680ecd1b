"""stable_components: the best of all sets of components that do not contain each other, by trying every one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as label_of

from cvseg.motion.stable_components import (
    LEAST_AREA,
    LEVELS,
    MOST_SHARE,
    STEPS,
    CellGraph,
    ScoreOptions,
    stable_components,
)

NO_LINKS = np.zeros((0, 2), np.int32)


def components_by_level(votes):
    found = []
    for level in LEVELS:
        number, count = label_of(votes.astype(np.float64) > level)
        found.append([number == k for k in range(1, count + 1)])
    return found


def score_and_fall(cells, level, found, votes, areas):
    """The score of a component of one frame, from its definition."""
    below, above = max(level - STEPS, 0), min(level + STEPS, len(LEVELS) - 1)
    around = next(other for other in found[below] if (other & cells).any())
    left = sum(areas[other & cells].sum() for other in found[above])
    jumps = []
    for axis in (0, 1):
        first, second = (np.moveaxis(cells, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        jump = np.abs(np.diff(np.moveaxis(votes.astype(np.float64), axis, 0), axis=0))
        jumps.append(jump[first != second])
    jumps = np.concatenate(jumps)
    fall = np.log(max(areas[around].sum(), 1) / max(left, 1))
    steepness = jumps.sum() / max(jumps.size, 1)
    usable = LEAST_AREA * areas.mean() <= areas[cells].sum() <= MOST_SHARE * areas.sum()
    usable &= STEPS <= level < len(LEVELS) - STEPS
    mass = (areas * votes.astype(np.float64))[cells].sum()
    options = ScoreOptions()
    return usable * mass * max(steepness, 1e-6) ** options.steepness * np.exp(-fall / options.fall), fall


def best_sum_of_all_sets(scored):
    """Components that are the same cells at several levels count once, with their best score."""
    best = {}
    for cells, score in scored:
        if score > 0:
            best[cells] = max(score, best.get(cells, 0))
    most = 0.0
    for size in range(len(best) + 1):
        for chosen in combinations(best, size):
            if all(not one & other for one, other in combinations(chosen, 2)):
                most = max(most, sum(best[cells] for cells in chosen))
    return most


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_other_set_of_separate_components_scores_more(seed):
    rng = np.random.default_rng(seed)
    # Few different votes: few different components, so that every set of them can be tried.
    votes = rng.choice(np.float32([0, 0.2, 0.45, 0.7, 0.9]), (3, 5), p=[0.4, 0.1, 0.2, 0.2, 0.1])
    areas = rng.integers(30, 90, votes.shape)
    found = stable_components(votes[None], CellGraph.of_window(areas[None], votes[None], NO_LINKS))
    levels = components_by_level(votes)
    scored = [
        (frozenset(np.flatnonzero(cells).tolist()), score_and_fall(cells, number, levels, votes, areas)[0])
        for number, of_level in enumerate(levels)
        for cells in of_level
    ]
    assert found.score.sum() == pytest.approx(best_sum_of_all_sets(scored), rel=1e-12)
    for k, level in enumerate(found.level):
        number = int(np.flatnonzero(level == LEVELS)[0])
        cells = found.of_cell[0] == k
        assert any(np.array_equal(cells, other) for other in levels[number])
        score, fall = score_and_fall(cells, number, levels, votes, areas)
        assert found.score[k] == pytest.approx(score, rel=1e-12)
        assert found.fall[k] == pytest.approx(fall, rel=1e-12, abs=1e-12)
        assert found.area[k] == areas[cells].sum()
        assert found.motion[k] == pytest.approx((areas * votes)[cells].sum() / areas[cells].sum(), rel=1e-6)


def test_a_component_that_fills_most_of_the_window_is_background():
    votes = np.full((1, 4, 5), 0.5, np.float32)
    graph = CellGraph.of_window(np.full(votes.shape, 64), votes, NO_LINKS)
    assert stable_components(votes, graph).score.size == 0


def test_links_join_what_moves_farther_than_a_cell():
    votes = np.zeros((2, 5, 9), np.float32)
    votes[0, 2, 1] = votes[1, 2, 7] = 0.9
    areas = np.full(votes.shape, 64)
    apart = stable_components(votes, CellGraph.of_window(areas, votes, NO_LINKS))
    link = np.int32([[2 * 9 + 1, 45 + 2 * 9 + 7]])
    joined = stable_components(votes, CellGraph.of_window(areas, votes, link))
    assert sorted(apart.area) == [64, 64]
    assert list(joined.area) == [128]
