"""Zones and lines: touching, corners, borders and jumps, all exact."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import RangeError
from cvseg.tracking.zones import Line, Zone, line_passages, zone_passages

SQUARE = Zone("square", ((0, 0), (4, 0), (4, 4), (0, 4)))
GATE = Line("gate", (0, 10), (0, 0))  # looking up: x < 0 is left


def kinds(zone, points):
    return [(p.kind, p.row) for p in zone_passages(zone, points)]


def directions(line, points):
    return [(p.direction, p.row) for p in line_passages(line, points)]


def test_a_path_through_a_zone_enters_and_leaves():
    assert kinds(SQUARE, [[-1, 2], [1, 2], [3, 2], [5, 2]]) == [("enter", 1), ("leave", 3)]


def test_the_share_says_where_between_two_points_the_border_lies():
    (enter, leave) = zone_passages(SQUARE, [[-4, 2], [12, 2]])
    assert (enter.share, leave.share) == (0.25, 0.5)


def test_a_jump_across_a_zone_enters_and_leaves_in_one_step():
    assert kinds(SQUARE, [[-9, 1], [9, 3]]) == [("enter", 1), ("leave", 1)]


@pytest.mark.parametrize(
    "path",
    [
        [[-2, 2], [0, 2], [-2, 2]],  # an edge
        [[-2, 2], [2, -2]],  # a corner, in passing
        [[-1, -1], [0, 0], [-1, 1]],  # a corner, stopping there
        [[-2, 0], [6, 0]],  # along an edge
        [[-2, 0], [2, 0], [2, -1]],  # along an edge, stopping on it
        [[0, 2], [0, 2], [0, 3]],  # never off the border
    ],
)
def test_touching_from_outside_is_no_entry(path):
    assert kinds(SQUARE, path) == []


def test_touching_from_inside_is_no_leaving():
    assert kinds(SQUARE, [[2, 2], [4, 2], [4, 4], [2, 2]]) == [("appear", 0), ("vanish", 3)]


def test_a_path_through_two_opposite_corners_enters_once_and_leaves_once():
    assert kinds(SQUARE, [[-2, -2], [6, 6]]) == [("enter", 1), ("leave", 1)]


def test_stopping_on_the_border_and_going_on_inside_enters_in_the_step_that_goes_on():
    assert kinds(SQUARE, [[-2, 2], [0, 2], [2, 2]]) == [("enter", 2), ("vanish", 2)]


def test_a_concave_zone_is_entered_twice_by_one_straight_step():
    u = Zone("u", ((0, 0), (1, 0), (1, 3), (2, 3), (2, 0), (3, 0), (3, 4), (0, 4)))
    assert kinds(u, [[-1, 1], [4, 1]]) == [("enter", 1), ("leave", 1), ("enter", 1), ("leave", 1)]
    # Through both reflex corners, along the edge between them.
    assert kinds(u, [[-1, 3], [4, 3]]) == [("enter", 1), ("leave", 1)]


def test_the_order_of_the_corners_does_not_matter():
    turned = Zone("square", SQUARE.corners_xy[::-1])
    path = np.random.default_rng(1).uniform(-2, 6, (200, 2))
    assert zone_passages(turned, path) == zone_passages(SQUARE, path)


def test_corners_that_no_float_holds_exactly_are_still_decided_exactly():
    zone = Zone("thin", ((0.1, 0.1), (0.7, 0.7), (0.7, 0.1)))
    # On the sloping edge, whose points all have x == y, outside it by one step of a float, and inside.
    assert kinds(zone, [[0.2, 0.9], [0.3, 0.3], [0.2, 0.9]]) == []
    above = np.nextafter(0.3, 1)
    assert kinds(zone, [[0.2, 0.9], [0.3, above], [0.2, 0.9]]) == []
    assert kinds(zone, [[0.2, 0.9], [above, 0.3], [0.2, 0.9]]) == [("enter", 1), ("leave", 2)]


def test_entries_and_exits_alternate_on_any_path_and_agree_with_the_points():
    rng = np.random.default_rng(2)
    # A grid of quarters meets borders and corners all the time.
    path = rng.integers(-8, 25, (3000, 2)) / 4
    found = zone_passages(SQUARE, path)
    signs = [1 if p.kind in ("enter", "appear") else -1 for p in found]
    assert signs == [1, -1] * (len(signs) // 2)
    state = np.zeros(len(path), int)
    for p in found:
        if p.kind != "vanish":
            state[p.row :] += 1 if p.kind in ("enter", "appear") else -1
    inside = ((path > 0) & (path < 4)).all(1)
    outside = ((path < 0) | (path > 4)).any(1)
    assert (state[inside] == 1).all()
    assert (state[outside] == 0).all()
    assert inside.sum() > 100


def test_a_crossing_is_named_after_the_side_it_goes_to():
    assert directions(GATE, [[3, 5], [-3, 5], [4, 5]]) == [("left", 1), ("right", 2)]


def test_touching_a_line_and_turning_back_is_no_crossing():
    assert directions(GATE, [[3, 5], [0, 5], [3, 6]]) == []


def test_stopping_on_a_line_and_going_on_is_one_crossing():
    assert directions(GATE, [[3, 5], [0, 5], [0, 6], [-1, 6]]) == [("left", 3)]


def test_a_path_over_the_end_of_a_line_crosses_and_one_beside_it_does_not():
    assert directions(GATE, [[3, 10], [-3, 10]]) == [("left", 1)]
    assert directions(GATE, [[3, np.nextafter(10, 11)], [-3, np.nextafter(10, 11)]]) == []


def test_going_around_a_line_is_no_crossing():
    assert directions(GATE, [[3, 5], [3, 20], [-3, 20], [-3, 5]]) == []


def test_a_jump_across_a_line_is_a_crossing_and_its_share_is_exact():
    (crossing,) = line_passages(GATE, [[30, 5], [-10, 5]])
    assert crossing.share == 0.75


def test_a_path_that_begins_on_a_line_has_not_crossed_it():
    assert directions(GATE, [[0, 5], [-3, 5], [3, 5]]) == [("right", 2)]


def test_turning_a_line_around_swaps_left_and_right():
    path = np.random.default_rng(3).integers(-4, 5, (500, 2)) + np.array([0, 5])
    one = line_passages(GATE, path)
    other = line_passages(Line("gate", (0, 0), (0, 10)), path)
    assert [(p.row, p.share) for p in one] == [(p.row, p.share) for p in other]
    assert all({p.direction, q.direction} == {"left", "right"} for p, q in zip(one, other, strict=True))
    assert len(one) > 50


@pytest.mark.parametrize(
    ("corners", "what"),
    [
        (((0, 0), (1, 1)), "3 or more"),
        (((0, 0), (1, 1), (2, 2)), "no area"),
        (((0, 0), (2, 0), (0, 0), (0, 2)), "another point"),
        (((0, 0), (2, 2), (2, 0), (0, 2)), "meet|no area"),
        (((0, 0), (4, 0), (4, 4), (2, -1)), "meet"),
        (((0, 0), (4, 0), (2, 0), (2, 4)), "meet"),
        (((0, 0), (float("nan"), 0), (2, 4)), "finite"),
    ],
)
def test_a_zone_that_is_no_polygon_is_refused(corners, what):
    with pytest.raises(RangeError, match=what):
        Zone("bad", corners)


def test_a_line_without_length_is_refused():
    with pytest.raises(RangeError, match="two different points"):
        Line("bad", (1, 1), (1, 1))
