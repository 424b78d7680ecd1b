"""Arrays and iterators as sources."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cvseg.errors import VideoOpenError
from cvseg.records import Frame
from cvseg.video import open_source, prefetch

CLIP = np.random.default_rng(7).integers(0, 256, (3, 5, 7, 4)).astype(np.uint8)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(CLIP[..., :3], CLIP[..., :3], id="rgb"),
        pytest.param(CLIP, CLIP[..., :3], id="alpha is dropped"),
        pytest.param(CLIP[..., 0], np.repeat(CLIP[..., :1], 3, axis=3), id="grey"),
        pytest.param(CLIP[..., :1], np.repeat(CLIP[..., :1], 3, axis=3), id="grey with an axis"),
        pytest.param(CLIP[..., :3].astype(np.uint16) * 256 + 200, CLIP[..., :3], id="16 bit keeps the high byte"),
        pytest.param(CLIP[:, ::-1, ::2, :3], CLIP[:, ::-1, ::2, :3], id="not contiguous"),
        pytest.param(CLIP[:, :1, :1, :3], CLIP[:, :1, :1, :3], id="1x1"),
    ],
)
def test_arrays_become_rgb(array, expected, device):
    with open_source(device.array(array), rate=Fraction(30000, 1001)) as source:
        frames = list(source)
    assert source.info.frame_count == 3
    assert [frame.time_s for frame in frames] == [i * Fraction(1001, 30000) for i in range(3)]
    for frame, image in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.image, image)
        assert frame.image.flags.c_contiguous


def test_an_iterator_is_read_once_and_only_as_far_as_asked():
    asked = []

    def camera():
        for i in range(100):
            asked.append(i)
            yield CLIP[i % 3, :, :, :3]

    with open_source(camera()) as source:
        assert asked == [0]  # the first picture tells the size
        frames = iter(source)
        assert [next(frames).index for _ in range(4)] == [0, 1, 2, 3]
        assert asked == [0, 1, 2, 3]
        with pytest.raises(VideoOpenError, match="read only once"):
            next(iter(source))


def test_a_camera_may_reuse_its_buffer():
    buffer = np.zeros((4, 5, 3), np.uint8)

    def camera():
        for i in range(5):
            buffer[:] = i
            yield buffer

    with open_source(camera()) as source, prefetch(source, depth=3) as frames:
        assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 4]


def test_frames_keep_their_time_and_name_and_get_a_new_index():
    given = [Frame(i, Fraction(i * i, 7), CLIP[0, :, :, :3], f"shot_{i}") for i in (3, 5, 6)]
    with open_source(given) as source:
        frames = list(source)
    assert [(f.index, f.time_s, f.name) for f in frames] == [
        (0, Fraction(9, 7), "shot_3"),
        (1, Fraction(25, 7), "shot_5"),
        (2, Fraction(36, 7), "shot_6"),
    ]
    assert source.info.frame_count == 3


def test_leaving_the_source_closes_a_generator():
    closed = []

    def camera():
        try:
            while True:
                yield CLIP[0]
        finally:
            closed.append(True)

    with open_source(camera()) as source:
        next(iter(source))
    assert closed == [True]


def test_an_open_source_is_passed_through():
    with open_source(CLIP) as source:
        assert open_source(source) is source
