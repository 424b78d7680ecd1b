"""T: outlines, shape contexts and their matching against slow versions, and what T must say of simple clips."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import DtypeError, InputError
from cvseg.evaluation import outline_change, outline_shape, temporal_stability
from cvseg.kernels.evaluation.context_costs import context_costs
from cvseg.kernels.evaluation.match_outlines import match_outlines
from cvseg.kernels.evaluation.shape_contexts import shape_contexts
from cvseg.kernels.evaluation.simplify_outlines import simplify_outlines
from cvseg.kernels.evaluation.trace_outlines import trace_outlines


def cracks(mask):
    """Every unit step along the cracks with the object on the right: {(x0, y0, x1, y1)}."""
    padded = np.pad(mask.astype(bool), 1)
    steps = set()
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if padded[y + 1, x + 1]:
                steps |= {(x, y, x + 1, y)} if not padded[y, x + 1] else set()
                steps |= {(x + 1, y, x + 1, y + 1)} if not padded[y + 1, x + 2] else set()
                steps |= {(x + 1, y + 1, x, y + 1)} if not padded[y + 2, x + 1] else set()
                steps |= {(x, y + 1, x, y)} if not padded[y + 1, x] else set()
    return steps


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_outlines_walk_every_crack_once(seed, share):
    rng = np.random.default_rng(seed)
    mask = (rng.random(rng.integers(1, 14, 2)) < share).astype(np.uint8)
    points, starts = trace_outlines(mask)
    walked = []
    for begin, end in itertools.pairwise(starts):
        chain = points[begin:end].tolist()
        for (x0, y0), (x1, y1) in zip(chain, [*chain[1:], chain[0]], strict=True):
            assert (x0 == x1) != (y0 == y1)
            dx, dy = np.sign(x1 - x0), np.sign(y1 - y0)
            for k in range(abs(x1 - x0) + abs(y1 - y0)):
                walked.append((x0 + k * dx, y0 + k * dy, x0 + (k + 1) * dx, y0 + (k + 1) * dy))
    assert len(walked) == len(set(walked))
    assert set(walked) == cracks(mask)


def test_pixels_that_touch_at_a_corner_have_outlines_of_their_own():
    points, starts = trace_outlines(np.eye(2, dtype=np.uint8))
    assert starts.tolist() == [0, 4, 8]
    assert points.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1], [1, 1], [2, 1], [2, 2], [1, 2]]


def test_a_mask_with_very_many_corners_is_traced_whole():
    mask = np.zeros((100, 100), np.uint8)
    mask[::2, ::2] = 1
    points, starts = trace_outlines(mask)
    assert (len(points), len(starts)) == (4 * 2500, 2501)


def slow_simplify(points, tolerance):
    """Indices that are kept, by recursion."""
    near = [0]
    for i in range(1, len(points)):
        if math.dist(points[i], points[near[-1]]) >= tolerance:
            near.append(i)

    def distance(p, a, b):
        (px, py), (ax, ay), (bx, by) = p, a, b
        length = (bx - ax) ** 2 + (by - ay) ** 2
        t = 0.0 if length == 0 else max(0.0, min(1.0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length))
        return math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay))

    closed = [*near, None]
    place = [points[i] for i in near] + [points[0]]

    def between(first, last):
        inside = [(distance(place[k], place[first], place[last]), -k) for k in range(first + 1, last)]
        if not inside or max(inside)[0] <= tolerance:
            return []
        k = -max(inside)[1]
        return [*between(first, k), closed[k], *between(k, last)]

    return [0, *between(0, len(near))]


# The same examples in every run: of two points that are equally far, rounding chooses one, here or there.
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_simplification_equals_the_recursive_one(seed):
    rng = np.random.default_rng(seed)
    # Whole numbers and a tolerance that no distance of them can equal.
    points = np.cumsum(rng.integers(-3, 4, (rng.integers(1, 25), 2)), axis=0).astype(np.int32)
    starts = np.array([0, len(points), len(points)], np.int32)
    keep = simplify_outlines(points, starts, np.float64(2.0345678))
    assert np.flatnonzero(keep).tolist() == slow_simplify(points.tolist(), 2.0345678)


def test_contexts_count_rings_and_sectors():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(2, 37)) * 20.0
    contexts = shape_contexts(points)
    difference = points[:, None, :] - points[:, :, None]  # [:, i, j]: from i to j
    distance = np.hypot(*difference)
    relative = distance / distance.mean()
    angle = np.degrees(np.arctan2(difference[1], difference[0])) % 360
    expected = np.zeros((37, 60), int)
    for i in range(37):
        for j in range(37):
            ring = sum(relative[i, j] < edge for edge in (1, 0.5, 0.25, 0.125))
            if relative[i, j] < 2:
                expected[i, ring * 12 + int(angle[i, j] // 30)] += 1
    assert contexts.tolist() == expected.tolist()


def test_right_angles_fall_into_the_sector_they_begin():
    points = np.array([[0.0, 2.0, 0.0, -2.0, 0.0], [0.0, 0.0, 2.0, 0.0, -2.0]])
    sectors = shape_contexts(points)[0].reshape(5, 12)
    assert sectors.sum(0).tolist() == [2, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]  # 0 degrees: the point itself and one more


def test_costs_are_half_the_chi_square_distance_of_the_shares():
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 4, (9, 60), dtype=np.int32), rng.integers(0, 4, (7, 60), dtype=np.int32)
    p, q = (counts / counts.sum(1, keepdims=True) for counts in (first, second))
    total = p[:, None] + q[None]
    expected = 0.5 * ((p[:, None] - q[None]) ** 2 / np.where(total > 0, total, 1)).sum(2)
    np.testing.assert_allclose(context_costs(first, second), expected, atol=1e-6)
    assert not np.diagonal(context_costs(first, first)).any()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_pairing_has_the_least_cost_of_all(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 6, 2)
    costs = rng.random((rows, columns), dtype=np.float32)
    first_row, first_column = int(rng.integers(rows)), int(rng.integers(columns))
    rolled = np.roll(costs, (-first_row, -first_column), (0, 1)).astype(np.float64)

    def cheapest(i, j):
        if i == j == 0:
            return 0.0
        ways = [cheapest(i - a, j - b) for a, b in ((1, 1), (1, 0), (0, 1)) if i >= a and j >= b]
        return rolled[i, j] + min(ways)

    pairs = match_outlines(costs, np.int32(first_row), np.int32(first_column))
    pairs = pairs[pairs[:, 0] >= 0]
    assert pairs[-1].tolist() == [first_row, first_column]
    back = (pairs - (first_row, first_column)) % (rows, columns)
    assert back[0].tolist() == [rows - 1, columns - 1]
    steps = back[:-1] - back[1:]
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(1) > 0).all()
    assert rolled[back[:-1, 0], back[:-1, 1]].sum() == pytest.approx(cheapest(rows - 1, columns - 1), abs=1e-9)


def disk(radius, centre_xy=(60, 45), size_hw=(90, 120)):
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    return (x - centre_xy[0]) ** 2 + (y - centre_xy[1]) ** 2 <= radius**2


def test_a_shape_that_only_moves_is_perfectly_stable():
    shapes = [outline_shape(disk(20, (40 + 5 * k, 40 + 2 * k))) for k in range(4)]
    assert temporal_stability(shapes) == 0.0


def test_a_shape_that_changes_more_is_less_stable():
    round_one, notched, broken = disk(25), disk(25), disk(25)
    notched[40:50, 70:] = False
    broken[20:48, 45:] = False
    changes = [outline_change(outline_shape(round_one), outline_shape(mask)) for mask in (notched, broken)]
    assert 0.005 < changes[0] < changes[1] < 1.0


def test_the_longest_outline_counts_and_specks_do_not():
    mask = disk(20)
    with_speck = mask.copy()
    with_speck[3, 3] = with_speck[80:84, 100:104] = True
    with_speck[45, 60] = False
    assert outline_change(outline_shape(mask), outline_shape(with_speck)) == 0.0


def test_points_are_at_most_three_pixels_apart():
    points_xy = outline_shape(disk(33)).points_xy
    gaps = np.hypot(*(points_xy - np.roll(points_xy, 1, axis=0)).T)
    assert gaps.max() <= 3.0 + 1e-9
    assert len(points_xy) > 60


def test_frames_without_an_outline_are_left_out():
    nothing, single = np.zeros((90, 120), bool), np.zeros((90, 120), bool)
    single[5, 5] = True
    for mask in (nothing, single):
        assert not len(outline_shape(mask).points_xy)
        assert math.isnan(outline_change(outline_shape(mask), outline_shape(disk(20))))
    shapes = [outline_shape(mask) for mask in (disk(20), nothing, disk(20), disk(20))]
    assert temporal_stability(shapes) == 0.0
    assert math.isnan(temporal_stability(shapes[:2]))


def test_bad_arguments_are_refused():
    with pytest.raises(DtypeError, match="mask is int32"):
        outline_shape(np.zeros((4, 4), np.int32))
    with pytest.raises(InputError, match="1 frames"):
        temporal_stability([outline_shape(disk(20))])
