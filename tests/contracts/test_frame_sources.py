"""What every source of `SOURCES` promises."""

from __future__ import annotations

import io
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import CvsegError, FrameDecodeError
from cvseg.records import Frame
from cvseg.video import SOURCES, FrameSource, SourceInfo, VideoFileSink, open_source, prefetch

COUNT, HEIGHT, WIDTH = 7, 13, 17
CLIP = np.random.default_rng(9).integers(0, 256, (COUNT, HEIGHT, WIDTH, 3)).astype(np.uint8)
RATE = Fraction(10)


def video_bytes(folder):
    path = folder / "clip.nut"
    with VideoFileSink(path, RATE, codec="ffv1") as sink:
        for i, image in enumerate(CLIP):
            sink.write(image, Frame(i, i / RATE, image, str(i)))
    return path


@pytest.fixture(params=sorted(SOURCES))
def given(request, tmp_path, monkeypatch):
    """The same clip for each source, as what a user passes to `open_source`."""
    if request.param == "video_file":
        return request.param, video_bytes(tmp_path)
    if request.param == "standard_input":
        data = io.BytesIO(video_bytes(tmp_path).read_bytes())
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=data, closed=False, isatty=lambda: False))
        return request.param, "-"
    if request.param == "image_folder":
        for i, image in enumerate(CLIP):
            Image.fromarray(image).save(tmp_path / f"{i}.png")
        return request.param, tmp_path
    return request.param, CLIP if request.param == "array" else iter(CLIP)


def test_it_is_chosen_and_describes_itself(given):
    kind, what = given
    with open_source(what, rate=RATE) as source:
        assert isinstance(source, FrameSource)
        assert isinstance(source.info, SourceInfo)
        assert source.info.kind == kind
        assert (source.info.width, source.info.height, source.info.rate) == (WIDTH, HEIGHT, RATE)
        assert source.info.frame_count in (None, COUNT)
        assert source.info.name


def test_its_frames_are_the_clip(given):
    with open_source(given[1], rate=RATE) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert [frame.time_s for frame in frames] == [index / RATE for index in range(COUNT)]
    assert len({frame.name for frame in frames}) == COUNT
    for frame, image in zip(frames, CLIP, strict=True):
        assert isinstance(frame, Frame)
        assert isinstance(frame.time_s, Fraction)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        np.testing.assert_array_equal(frame.image, image)


def test_it_may_be_read_on_another_thread(given):
    with open_source(given[1], rate=RATE) as source, prefetch(source, depth=2) as frames:
        assert [frame.index for frame in frames] == list(range(COUNT))


def test_it_may_be_left_early_and_closed_twice(given):
    with open_source(given[1], rate=RATE) as source:
        assert next(iter(source)).index == 0
    source.close()
    with pytest.raises(CvsegError):
        next(iter(source))


def test_closing_ends_a_running_iteration(given):
    source = open_source(given[1], rate=RATE)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []


def test_it_starts_again_or_says_that_it_cannot(given):
    kind, what = given
    with open_source(what, rate=RATE) as source:
        list(source)
        if kind in ("standard_input", "iterator"):
            with pytest.raises(CvsegError, match="only once"):
                next(iter(source))
        else:
            assert [frame.index for frame in source] == list(range(COUNT))


def test_an_error_in_the_reader_of_the_frames_passes_through(given):
    with pytest.raises(FrameDecodeError, match="mine"), open_source(given[1], rate=RATE) as source:
        for _ in source:
            raise FrameDecodeError("mine")
