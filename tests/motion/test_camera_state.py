"""When a camera counts as static, and when it stops to."""

from __future__ import annotations

import numpy as np

from cvseg.motion import CameraMotion, CameraState


def motion(displacement_px):
    return CameraMotion(np.eye(3), 0.1, 1.0, np.zeros((2, 2), np.float32), displacement_px)


def states(camera, *displacements_px):
    return [camera.update(motion(displacement)) for displacement in displacements_px]


def test_a_camera_is_static_after_enough_still_frames():
    assert states(CameraState(settle_frames=4), *[0.0] * 6) == [False, False, False, True, True, True]


def test_frames_of_doubt_neither_count_nor_spoil():
    assert states(CameraState(settle_frames=3), 0, 0.2, 0, 0.2, 0.2, 0) == [False] * 5 + [True]


def test_one_moving_frame_is_forgiven_and_two_running_are_not():
    camera = CameraState(settle_frames=2)
    assert states(camera, 0, 0, 3, 0, 3) == [False, True, True, True, True]
    assert not camera.moved
    assert states(camera, 3) == [False]
    assert camera.moved
    assert states(camera, 0) == [False]
    assert not camera.moved
    assert states(camera, 0) == [True], "after a motion the count begins anew"


def test_a_camera_that_drifts_is_never_static():
    assert not any(states(CameraState(), *[0.2] * 50))


def test_reset_forgets_everything():
    camera = CameraState(settle_frames=2)
    states(camera, 0, 0)
    camera.reset()
    assert camera.state_dict() == CameraState().state_dict()
    assert states(camera, 0, 0) == [False, True]


def test_a_saved_state_goes_on_as_the_original():
    shown = [0, 0, 0.2, 3, 0, 0, 3, 3, 0, 0, 0, 0, 3, 3, 3]
    whole = CameraState(settle_frames=3)
    expected = states(whole, *shown)
    for cut in range(len(shown)):
        first, second = CameraState(settle_frames=3), CameraState(settle_frames=3)
        before = states(first, *shown[:cut])
        second.load_state_dict(first.state_dict())
        assert before + states(second, *shown[cut:]) == expected
        assert second.state_dict() == whole.state_dict()
