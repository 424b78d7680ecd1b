"""Who is where after a group comes apart: area, colours and last places, in cases whose answer is plain."""

import itertools

import numpy as np
import pytest

from cvseg.tracking.group_split import groups_of, split_group, usual_area_inside
from cvseg.tracking.kalman_filter import BoxKalmanFilter
from cvseg.tracking.track_lifecycle import TrackState


def track(area_px, color=None, group=1):
    histogram = None
    if color is not None:
        histogram = np.zeros(512)
        histogram[[color, color + 1]] = 0.8, 0.2
    return TrackState(
        BoxKalmanFilter((0, 0, 10, 10)), slot=1, id=1, area_px=float(area_px), histogram=histogram, group=group
    )


def colors_of(*mixtures):
    rows = np.zeros((len(mixtures), 512))
    for row, mixture in zip(rows, mixtures, strict=True):
        for color, share in mixture.items():
            row[color] += 0.8 * share
            row[color + 1] += 0.2 * share
    return rows


NOBODY = np.zeros(2)


def test_each_goes_where_its_pixels_went_when_nothing_else_is_known():
    members = [track(100), track(100)]
    cover = np.array([[0.1, 0.8], [0.7, 0.2]])
    assert split_group(members, cover, np.array([100, 100]), NOBODY, None) == [1, 0]


def test_the_component_that_is_twice_as_large_gets_two():
    members = [track(100), track(100), track(100)]
    # Two of them seem to be in the small one.
    cover = np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9]])
    assert split_group(members, cover, np.array([100, 200]), NOBODY, None) == [0, 1, 1]


def test_someone_from_outside_takes_room_too():
    members = [track(100), track(100)]
    cover = np.array([[0.6, 0.4], [0.55, 0.45]])
    areas = np.array([100, 200])
    assert split_group(members, cover, areas, NOBODY, None) == [0, 1]
    assert split_group(members, cover, areas, np.array([100.0, 0.0]), None) == [1, 1]


@pytest.mark.parametrize("swapped", [False, True])
def test_colours_outweigh_a_wrong_division(swapped):
    members = [track(100, 10), track(100, 40)]
    cover = np.array([[0.7, 0.3], [0.3, 0.7]])
    histogram = colors_of({10: 1}, {40: 1})[:: -1 if swapped else 1]
    assert split_group(members, cover, np.array([100, 100]), NOBODY, histogram) == ([1, 0] if swapped else [0, 1])


def test_two_in_one_component_are_known_by_their_mixed_colours():
    members = [track(100, color) for color in (10, 40, 70)]
    for lone, pair in ((0, (1, 2)), (1, (0, 2)), (2, (0, 1))):
        mixture = {(10, 40, 70)[m]: 0.5 for m in pair}
        found = split_group(
            members,
            np.full((3, 2), 0.5),
            np.array([100, 180]),
            NOBODY,
            colors_of({(10, 40, 70)[lone]: 1.0}, mixture),
        )
        assert [m for m, component in enumerate(found) if component == 0] == [lone]


def test_the_order_of_the_members_does_not_matter():
    members = [track(100, 10), track(140, 40), track(90, 70)]
    cover = np.random.default_rng(3).uniform(0, 1, (3, 2))
    histogram = colors_of({10: 0.5, 40: 0.5}, {70: 1})
    for order in itertools.permutations(range(3)):
        found = split_group([members[m] for m in order], cover[list(order)], np.array([210, 80]), NOBODY, histogram)
        assert [found[order.index(m)] for m in range(3)] == [0, 0, 1]


def test_a_speck_is_no_place_for_a_member_and_alone_it_is_no_split():
    members = [track(100), track(100)]
    cover = np.array([[0.9, 0.1], [0.5, 0.5]])
    assert split_group(members, cover, np.array([190, 39]), NOBODY, None) is None
    assert split_group(members, cover, np.array([190, 41]), NOBODY, None) is not None


def test_too_many_ways_are_not_tried():
    members = [track(100) for _ in range(11)]
    assert split_group(members, np.full((11, 2), 0.5), np.array([500, 600]), NOBODY, None) is None


def test_a_member_that_was_never_alone_has_no_usual_area_to_go_by():
    members = [track(0), track(100)]
    assert split_group(members, np.full((2, 2), 0.5), np.array([100, 100]), NOBODY, None) is None


def test_groups_are_those_with_one_mark():
    tracks = [track(1, group=group) for group in (2, 0, 3, 2, 0, 5, 3, 2)]
    assert groups_of(tracks) == [[0, 3, 7], [2, 6]]


def test_the_area_of_those_outside_counts_where_most_of_them_is():
    tracks = [track(100), track(70), track(30)]
    cover = np.array([[0.9, 0.1], [0.5, 0.5], [0.0, 0.6]])
    assert usual_area_inside(tracks, cover, 0.5, [0]).tolist() == [70.0, 100.0]
