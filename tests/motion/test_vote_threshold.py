"""stable_threshold: on clear cases, and against a slow search over the levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.motion.vote_threshold import LEAST_CELLS, LEVELS, MOST_SHARE, stable_threshold


def every_level_by_itself(votes, usual):
    areas = [int((votes > level).sum()) for level in LEVELS]
    falls = []
    for i in range(len(LEVELS)):
        below, above = max(i - 1, 0), min(i + 1, len(LEVELS) - 1)
        falls.append((np.log(max(areas[below], 0.5)) - np.log(max(areas[above], 0.5))) / (above - below))
    usable = [i for i in range(len(LEVELS)) if LEAST_CELLS * len(votes) <= areas[i] <= MOST_SHARE * votes.size]
    if not usable:
        return usual
    least = min(falls[i] for i in usable)
    first = next(i for i in usable if falls[i] <= least + 1e-9)
    last = first
    while last + 1 in usable and falls[last + 1] <= least + 1e-9:
        last += 1
    return LEVELS[first + (last - first + 1) // 2]


@given(seed=st.integers(0, 10_000), frames=st.integers(1, 3), rows=st.integers(1, 4), columns=st.integers(1, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_level_equals_that_of_a_slow_search(seed, frames, rows, columns):
    rng = np.random.default_rng(seed)
    # Two groups of cells and values between; some exactly on a level, where only what lies above is inside.
    votes = np.clip(rng.normal(rng.choice([0.1, 0.8], (frames, rows, columns)), 0.15), 0, 1).astype(np.float32)
    votes[rng.random(votes.shape) < 0.2] = 0.5
    assert stable_threshold(votes, 0.6) == pytest.approx(every_level_by_itself(votes, 0.6), abs=1e-9)


def two_groups(low, high, share=0.1, frames=4, rows=10, columns=12, spread=0.02):
    rng = np.random.default_rng(1)
    inside = np.zeros((frames, rows, columns), bool)
    inside.reshape(frames, -1)[:, : int(share * rows * columns)] = True
    return np.where(inside, high, low) + rng.normal(0, spread, inside.shape), inside


@pytest.mark.parametrize(("low", "high"), [(0.05, 0.9), (0.3, 0.8), (0.05, 0.5), (0.55, 0.85)])
def test_the_level_lies_between_background_and_object(low, high):
    votes, inside = two_groups(low, high)
    assert ((votes > stable_threshold(votes.astype(np.float32), 0.6)) == inside).all()


def test_a_slope_of_background_is_left_below_the_object():
    votes, inside = two_groups(0.0, 0.85)
    votes[~inside] = np.linspace(0, 0.6, (~inside).sum())
    assert ((votes > stable_threshold(votes.astype(np.float32), 0.6)) == inside).all()


def test_votes_that_are_all_low_give_the_usual_level():
    assert stable_threshold(np.full((3, 4, 5), 0.1, np.float32), 0.6) == 0.6
