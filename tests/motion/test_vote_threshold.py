"""choose_threshold against a slow implementation that looks at every level and every edge by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.motion.vote_threshold import LEVELS, choose_threshold


def every_level_by_itself(votes, edges, weights, usual, trust):
    frames, rows, columns = votes.shape
    cells = rows * columns
    flat = votes.reshape(-1)
    degree = np.zeros(flat.size)
    listed = []
    for frame, slot, cell, k in np.ndindex(edges.shape):
        one, other, weight = frame * cells + cell, edges[frame, slot, cell, k], float(weights[frame, slot, cell, k])
        listed.append((one, other, weight))
        degree[one] += weight
        degree[other] += weight
    best, best_score = None, -np.inf
    for level in LEVELS:
        inside = flat > level
        cut = sum(weight for one, other, weight in listed if inside[one] != inside[other])
        jumps = []
        for frame, row, column in np.ndindex(votes.shape):
            for next_row, next_column in ((row + 1, column), (row, column + 1)):
                if next_row < rows and next_column < columns:
                    a, b = votes[frame, row, column], votes[frame, next_row, next_column]
                    if (a > level) != (b > level):
                        jumps.append(abs(float(a) - float(b)))
        within, outside = degree[inside].sum(), degree[~inside].sum()
        if len(jumps) < 0.4 * frames or within <= 0 or outside <= 0:
            continue
        score = np.log(np.mean(jumps) + 1e-9) - np.log(cut / within + cut / outside + 1e-9)
        if score > best_score + 1e-9:
            best, best_score = level, score
    return usual if best is None else usual * (1 - trust) + best * trust


def random_graph(rng, frames, rows, columns, slots=2):
    cells = rows * columns
    edges = rng.integers(0, frames * cells, (frames, slots, cells, 2)).astype(np.int32)
    weights = rng.random(edges.shape, dtype=np.float32)
    weights /= weights.sum(axis=(1, 3), keepdims=True)
    return edges, weights


@given(seed=st.integers(0, 10_000), frames=st.integers(1, 3), rows=st.integers(1, 4), columns=st.integers(1, 5))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_level_equals_that_of_a_slow_search(seed, frames, rows, columns):
    rng = np.random.default_rng(seed)
    # Two groups of cells and values between; some exactly on a level, where only what lies above is inside.
    votes = np.clip(rng.normal(rng.choice([0.1, 0.8], (frames, rows, columns)), 0.15), 0, 1).astype(np.float32)
    votes[rng.random(votes.shape) < 0.2] = 0.5
    edges, weights = random_graph(rng, frames, rows, columns)
    arguments = votes, edges, weights, 0.6, 0.5
    assert choose_threshold(*arguments) == pytest.approx(every_level_by_itself(*arguments), abs=1e-9)


def clear_case():
    """Objects at 0.8 on a background of 0.3 and a haze of 0.5 that is tied to the background."""
    votes = np.full((4, 6, 8), 0.3, np.float32)
    votes[:, 2:5, 1:3] = 0.5
    votes[:, 2:5, 4:7] = 0.8
    edges = np.arange(votes.size, dtype=np.int32).reshape(4, 1, 48, 1).repeat(2, axis=3)
    flat = votes.reshape(4, 48)
    for frame in range(4):
        background, haze = np.flatnonzero(flat[frame] < 0.4), np.flatnonzero(np.isclose(flat[frame], 0.5))
        edges[frame, 0, haze, 1] = frame * 48 + background[: haze.size]
    return votes, edges, np.full(edges.shape, 0.5, np.float32)


def test_the_level_lies_between_the_objects_and_what_is_tied_to_the_background():
    level = choose_threshold(*clear_case(), usual=0.35, trust=1.0)
    assert 0.5 <= level < 0.8


def test_trust_pulls_from_the_usual_level_to_the_found_one():
    found = choose_threshold(*clear_case(), usual=0.35, trust=1.0)
    assert choose_threshold(*clear_case(), usual=0.35, trust=0.0) == 0.35
    assert choose_threshold(*clear_case(), usual=0.35, trust=0.25) == pytest.approx(0.75 * 0.35 + 0.25 * found)


@pytest.mark.parametrize("vote", [0.0, 0.5, 1.0])
def test_without_a_border_the_usual_level_stays(vote):
    votes = np.full((3, 4, 5), vote, np.float32)
    edges, weights = random_graph(np.random.default_rng(0), 3, 4, 5)
    assert choose_threshold(votes, edges, weights, 0.6, 0.5) == 0.6
    assert choose_threshold(votes, edges, np.zeros_like(weights), 0.6, 0.5) == 0.6
