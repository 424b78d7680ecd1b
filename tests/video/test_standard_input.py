"""Standard input: a pipe, a redirected file, containers that need seeking, and a pipe that stays silent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from cvseg.errors import FrameDecodeError, VideoOpenError
from cvseg.video import open_source, prefetch


@pytest.fixture
def pipe_in(monkeypatch):
    """``pipe_in(data)`` makes `data` what standard input delivers, through a real pipe in small pieces."""
    threads = []

    def feed(data: bytes, *, keep_open: bool = False) -> int:
        reader, writer = os.pipe()
        file = os.fdopen(reader, "rb")
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file, closed=False, isatty=lambda: False))

        def write() -> None:
            try:
                for start in range(0, len(data), 5000):
                    os.write(writer, data[start : start + 5000])
            except BrokenPipeError:
                pass
            if not keep_open:
                os.close(writer)

        thread = threading.Thread(target=write)
        thread.start()
        threads.append((thread, file))
        return writer

    yield feed
    for thread, file in threads:
        file.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "options"),
    [
        pytest.param("clip.mp4", "libx264", "yuv420p", None, id="mp4 with its index at the end"),
        pytest.param("clip.mp4", "libx264", "yuv420p", {"movflags": "faststart"}, id="mp4 with its index in front"),
        pytest.param("clip.mp4", "libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}, id="fragmented mp4"),
        pytest.param("clip.mkv", "ffv1", "bgr0", None, id="mkv"),
        pytest.param("clip.avi", "mjpeg", "yuvj420p", None, id="avi"),
        pytest.param("clip.ts", "libx264", "yuv420p", None, id="ts"),
        pytest.param("clip.y4m", "wrapped_avframe", "yuv420p", None, id="y4m"),
    ],
)
def test_a_pipe_gives_the_same_frames_as_the_file(tmp_path, write_clip, pipe_in, name, codec, pixel_format, options):
    container = "yuv4mpegpipe" if name.endswith("y4m") else None
    path = write_clip(
        tmp_path / name, 12, codec=codec, pixel_format=pixel_format, container=container, container_options=options
    )
    with open_source(path) as source:
        expected = list(source)
    pipe_in(path.read_bytes())
    with open_source("-") as source:
        frames = list(source)
    assert (source.info.kind, source.info.name) == ("standard_input", "stdin")
    assert [frame.time_s for frame in frames] == [frame.time_s for frame in expected]
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.image, other.image)


def test_a_pipe_is_read_once(tmp_path, write_clip, pipe_in):
    pipe_in(write_clip(tmp_path / "clip.mkv", 3).read_bytes())
    with open_source("-") as source:
        assert len(list(source)) == 3
        with pytest.raises(VideoOpenError, match="standard input can be read only once"):
            next(iter(source))


def test_a_pipe_that_breaks_off_gives_its_good_frames(tmp_path, write_clip, pipe_in):
    data = write_clip(tmp_path / "clip.avi", 20, codec="mjpeg", pixel_format="yuvj420p").read_bytes()
    pipe_in(data[: len(data) * 3 // 4])
    frames = []
    with open_source("-") as source, pytest.raises(FrameDecodeError, match="standard input is damaged after") as caught:
        for frame in source:
            frames.append(frame)
    assert f"after {len(frames)} frames" in str(caught.value)
    assert 5 < len(frames) < 20


def test_an_empty_pipe_and_a_pipe_of_text(pipe_in):
    pipe_in(b"")
    with pytest.raises(VideoOpenError, match="standard input is empty \\(0 bytes\\)"):
        open_source("-")
    pipe_in(b"these are notes\n" * 1000)
    with pytest.raises(VideoOpenError, match="standard input cannot be read as a video"):
        open_source("-")


def test_a_terminal_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(), closed=False, isatty=lambda: True))
    with pytest.raises(VideoOpenError, match="standard input is a terminal or closed; expected a video from a pipe"):
        open_source("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(VideoOpenError, match="standard input is a terminal or closed"):
        open_source("-")


def test_closing_ends_a_wait_for_a_pipe_that_stays_silent(tmp_path, write_clip, pipe_in):
    data = write_clip(
        tmp_path / "clip.ts", 60, codec="libx264", pixel_format="yuv420p", options={"bf": "0"}
    ).read_bytes()
    writer = pipe_in(data[: len(data) // 2], keep_open=True)
    try:
        with open_source("-") as source:
            frames = prefetch(source)
            first = next(frames)
            # Nothing more comes; the thread waits inside FFmpeg. Closing must not wait for the pipe.
            frames.close()
        assert first.index == 0
        assert not [thread for thread in threading.enumerate() if thread.name == "cvseg-prefetch"]
    finally:
        os.close(writer)


@pytest.mark.parametrize("redirected", [False, True], ids=["cat clip.mp4 | python", "python < clip.mp4"])
def test_a_process_reads_its_standard_input(tmp_path, write_clip, redirected):
    path = write_clip(tmp_path / "clip.mp4", 5, codec="libx264", pixel_format="yuv420p", rate=Fraction(25))
    program = "from cvseg.video import open_source\nfor frame in open_source('-'): print(frame.index, frame.time_s)"
    run = {"stdin": path.open("rb")} if redirected else {"input": path.read_bytes()}
    try:
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True, **run)
    finally:
        if redirected:
            run["stdin"].close()
    assert result.stdout.decode().split("\n")[:5] == ["0 0", "1 1/25", "2 2/25", "3 3/25", "4 4/25"]
    assert result.stderr == b""


def test_a_named_pipe_is_read_like_standard_input(tmp_path, write_clip):
    data = write_clip(tmp_path / "clip.mp4", 4, codec="libx264", pixel_format="yuv420p").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
    thread.start()
    with open_source(tmp_path / "pipe") as source:
        assert len(list(source)) == 4
    thread.join(10)
    assert not thread.is_alive()
