"""settle_identities: pasts go to the tracks that suit them, together; small tables whose answer is plain."""

import itertools

import numpy as np
import pytest

from cvseg.tracking import TrackerOptions
from cvseg.tracking.identity import NEW, settle_identities, way_unlikeness
from cvseg.tracking.kalman_filter import BoxKalmanFilter
from cvseg.tracking.look import Look
from cvseg.tracking.track_lifecycle import CONFIRMED, ENDED, LOST, TENTATIVE, Past, TrackState

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 200, 30)


def look_of(color, width=20.0, frames=10):
    look = Look.unknown()
    for _ in range(frames):
        look.sizes.learn(np.log([width, 40.0, 0.8]))
        look.colors.learn(np.concatenate([np.tile(np.float64(color), 3), np.full(3, 10.0)]))
    return look


def past_of(number, color, x, *, lost_for=20, velocity_xy=(3.0, 0.0)):
    return Past(number, 1, look_of(color), 640.0, (20.0, 40.0), None, (x, 50.0), velocity_xy, lost_for, 10)


def seen(x, color, *, past=None, status=CONFIRMED, number=0, back_for=5, width=20.0):
    box = (x - 10.0, 30.0, x + 10.0, 70.0)
    return TrackState(
        BoxKalmanFilter(box),
        slot=1,
        id=past.id if past else number,
        status=status,
        hits=back_for,
        past=past,
        look=look_of(color, width),
        birth_xy=(x, 50.0),
        back_for=back_for,
        box_xyxy=box,
        mask_px=640.0,
        numbers=[(0, past.id if past else number)],
    )


def settle(tracks, alone=None, frame=50):
    numbers = itertools.count(100)
    alone = [t for t, track in enumerate(tracks) if track.status != LOST] if alone is None else alone
    settle_identities(tracks, alone, frame, TrackerOptions(), lambda: next(numbers))
    return [track.id for track in tracks]


def lost(past):
    return TrackState.lost(past, 10, TrackerOptions().kalman)


def test_a_newcomer_that_suits_somebody_lost_goes_on_as_that_one():
    tracks = [lost(past_of(1, RED, 50)), seen(110, RED, status=TENTATIVE)]
    assert settle(tracks) == [1, 1]
    assert [track.status for track in tracks] == [ENDED, CONFIRMED]


def test_a_newcomer_of_another_colour_stays_a_newcomer():
    tracks = [lost(past_of(1, RED, 50)), seen(110, BLUE, status=TENTATIVE)]
    assert settle(tracks) == [1, 0]
    assert [track.status for track in tracks] == [LOST, TENTATIVE]


def test_two_that_were_taken_for_each_other_exchange_their_pasts():
    tracks = [seen(110, BLUE, past=past_of(1, RED, 50)), seen(120, RED, past=past_of(2, BLUE, 60))]
    assert settle(tracks) == [2, 1]
    assert tracks[0].past.id == 2


def test_three_are_put_right_in_a_ring():
    pasts = [past_of(1, RED, 50), past_of(2, BLUE, 50), past_of(3, GREEN, 50)]
    tracks = [
        seen(x, color, past=past) for x, color, past in zip((110, 115, 120), (BLUE, GREEN, RED), pasts, strict=True)
    ]
    assert settle(tracks) == [2, 3, 1]


def test_who_took_the_past_of_a_later_one_gives_it_up_and_gets_a_number_of_its_own():
    tracks = [seen(110, BLUE, past=past_of(1, RED, 50), back_for=9), seen(100, RED, status=TENTATIVE)]
    assert settle(tracks) == [100, 1]
    assert tracks[0].past is None


def test_a_misfit_alone_keeps_its_number():
    tracks = [seen(110, BLUE, past=past_of(1, RED, 50)), seen(20, GREEN, status=TENTATIVE)]
    assert settle(tracks) == [1, 0]


def test_an_unclaimed_past_is_lost_again():
    tracks = [seen(110, BLUE, past=past_of(1, RED, 50)), lost(past_of(2, BLUE, 55))]
    settle(tracks)
    assert tracks[0].id == 2
    assert [(track.id, track.status) for track in tracks[1:]] == [(2, ENDED), (1, LOST)]
    assert tracks[2].missed == 10 + 5


def test_frames_that_are_no_longer_held_keep_the_old_number():
    tracks = [seen(110, BLUE, past=past_of(1, RED, 50)), seen(120, RED, past=past_of(2, BLUE, 60))]
    settle(tracks, frame=50)
    held = TrackerOptions().min_hits
    assert [tracks[0].number_at(frame) for frame in (50 - held, 50 - held + 1, 50)] == [1, 2, 2]


@pytest.mark.parametrize("reason", ["group", "doubt", "young", "seen meanwhile"])
def test_who_is_not_in_question_is_left_alone(reason):
    first, second = seen(110, BLUE, past=past_of(1, RED, 50)), seen(120, RED, past=past_of(2, BLUE, 60))
    if reason == "group":
        first.group = 1
    elif reason == "doubt":
        first.in_doubt = True
    elif reason == "young":
        first.back_for = 1
    else:
        first.past.lost_for = second.past.lost_for = 3  # both were seen after the other had come back
    assert settle([first, second]) == [1, 2]


def test_too_far_away_in_the_time_is_another():
    tracks = [lost(past_of(1, RED, 50, lost_for=8)), seen(350, RED, status=TENTATIVE)]
    assert settle(tracks) == [1, 0]


def test_straight_on_and_at_rest_are_likelier_than_back_and_aside():
    past = past_of(1, RED, 50)
    straight, back, aside = seen(98, RED), seen(50, RED), seen(98, RED)
    straight.filter.restart((98, 50), (3, 0), (20, 40), 1)
    back.filter.restart((50, 50), (-3, 0), (20, 40), 1)
    aside.filter.restart((98, 50), (3, 0), (20, 40), 1)
    aside.birth_xy = (98.0, 130.0)
    costs = [way_unlikeness(past, track) for track in (straight, back, aside)]
    assert costs[0] < 1 < costs[1] < NEW
    assert costs[2] > costs[0] + 2
