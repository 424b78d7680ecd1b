"""Writers: what is read back, exact times, colours, odd sizes, and outputs that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from cvseg.errors import DtypeError, InputError, OptionError, OutputError, RangeError, ShapeError
from cvseg.formats import MaskSink, TracksWriter
from cvseg.records import Frame
from cvseg.video import SINKS, BackgroundSink, PngSequenceSink, VideoFileSink, open_source

RNG = np.random.default_rng(8)


def clip(times, height=34, width=46):
    images = RNG.integers(0, 256, (len(times), height, width, 3)).astype(np.uint8)
    return [Frame(i, Fraction(t), image, f"{i:05d}") for i, (t, image) in enumerate(zip(times, images, strict=True))]


def write(sink, frames):
    with sink:
        for frame in frames:
            sink.write(frame.image, frame)


def read(path):
    with open_source(path) as source:
        return list(source)


NTSC = [Fraction(1001 * i, 30000) for i in range(7)]
VARIABLE = [Fraction(t, 90000) for t in (0, 3003, 3004, 9000, 27000, 90001, 90005)]
SIZES = [(34, 46), (33, 47), (1, 1), (1, 9), (2, 2), (9, 1)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("suffix", [".nut", ".mkv", ".avi"])
def test_ffv1_is_bit_exact(tmp_path, suffix, height, width):
    frames = clip([Fraction(i, 25) for i in range(4)], height, width)
    write(VideoFileSink(tmp_path / f"a{suffix}", 25, codec="ffv1"), frames)
    again = read(tmp_path / f"a{suffix}")
    assert [frame.time_s for frame in again] == [frame.time_s for frame in frames]
    for frame, other in zip(frames, again, strict=True):
        np.testing.assert_array_equal(frame.image, other.image)


@pytest.mark.parametrize("times", [NTSC, VARIABLE], ids=["ntsc", "variable"])
@pytest.mark.parametrize("time_base", [None, Fraction(1, 90000)], ids=["any clock", "the clock of the source"])
@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".mov", "h264"), (".nut", "ffv1")])
def test_times_are_exact(tmp_path, times, time_base, suffix, codec):
    path = tmp_path / f"a{suffix}"
    write(VideoFileSink(path, Fraction(30000, 1001), codec=codec, time_base=time_base), clip(times))
    assert [frame.time_s for frame in read(path)] == times


def test_a_file_written_from_a_file_has_its_times(tmp_path, write_clip):
    ticks = [0, 7, 8, 30, 31, 100]
    path = write_clip(
        tmp_path / "a.mp4", 6, codec="libx264", pixel_format="yuv420p", times=ticks, time_base=Fraction(1, 12347)
    )
    with (
        open_source(path) as source,
        VideoFileSink(tmp_path / "b.mp4", source.info.rate, time_base=source.info.time_base) as sink,
    ):
        for frame in source:
            sink.write(frame.image, frame)
    assert [frame.time_s for frame in read(tmp_path / "b.mp4")] == [Fraction(tick, 12347) for tick in ticks]


def test_matroska_rounds_times_to_a_millisecond_and_keeps_their_order(tmp_path):
    write(VideoFileSink(tmp_path / "a.mkv", 30, codec="ffv1"), clip(VARIABLE))
    times = [frame.time_s for frame in read(tmp_path / "a.mkv")]
    assert times == sorted(set(times))
    assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(times, VARIABLE, strict=True))


def test_an_avi_refuses_times_that_are_not_evenly_spaced(tmp_path):
    with pytest.raises(InputError, match=r"no multiple of 1001/30000 s; an AVI has a constant rate"):
        write(VideoFileSink(tmp_path / "a.avi", Fraction(30000, 1001), codec="ffv1"), clip(VARIABLE))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_h264_keeps_every_size_and_uses_444_only_for_odd_ones(tmp_path, height, width):
    write(VideoFileSink(tmp_path / "a.mp4", 25), clip([0, Fraction(1, 25)], height, width))
    with av.open(str(tmp_path / "a.mp4")) as container:
        odd = height % 2 or width % 2
        assert container.streams.video[0].codec_context.pix_fmt == ("yuv444p" if odd else "yuv420p")
    assert [frame.image.shape for frame in read(tmp_path / "a.mp4")] == [(height, width, 3)] * 2


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (12, 99, 180)])
@pytest.mark.parametrize("width", [32, 33])
def test_h264_keeps_colours(tmp_path, color, width):
    image = np.full((32, width, 3), color, np.uint8)
    write(VideoFileSink(tmp_path / "a.mp4", 25, quality=5), [Frame(0, Fraction(0), image, "0")])
    # 8-bit limited-range YUV has steps of up to 1.5 levels, twice rounded.
    np.testing.assert_allclose(read(tmp_path / "a.mp4")[0].image.astype(int), image, atol=4)


def test_pngs_are_bit_exact_and_named_like_the_frames(tmp_path):
    frames = clip([0, 1, 2], 5, 7)
    write(PngSequenceSink(tmp_path / "deep" / "frames"), frames)
    assert sorted(os.listdir(tmp_path / "deep" / "frames")) == ["00000.png", "00001.png", "00002.png"]
    for frame, other in zip(frames, read(tmp_path / "deep" / "frames"), strict=True):
        np.testing.assert_array_equal(frame.image, other.image)
        assert frame.name == other.name


def test_grey_pngs_stay_grey(tmp_path):
    frame = clip([0])[0]
    with PngSequenceSink(tmp_path) as sink:
        sink.write(frame.image[:, :, 0], frame)
    with Image.open(tmp_path / "00000.png") as picture:
        assert picture.mode == "L"


def make_sinks(tmp_path):
    """Every sink, with the path that must not appear before it is finished."""
    return {
        "video_file": (lambda: VideoFileSink(tmp_path / "a.mp4", 25), tmp_path / "a.mp4"),
        "png_sequence": (lambda: PngSequenceSink(tmp_path / "frames"), None),
        "background": (lambda: BackgroundSink(VideoFileSink(tmp_path / "b.mp4", 25)), tmp_path / "b.mp4"),
    }


@pytest.mark.parametrize("name", ["video_file", "png_sequence", "background"])
def test_what_is_finished_is_kept_when_the_block_is_left_by_an_error(tmp_path, name):
    make, final = make_sinks(tmp_path)[name]
    frames = clip([Fraction(i, 25) for i in range(5)])
    with pytest.raises(KeyboardInterrupt), make() as sink:
        for frame in frames[:3]:
            sink.write(frame.image, frame)
            assert final is None or not final.exists()
        raise KeyboardInterrupt
    assert len(read(final or tmp_path / "frames")) == 3
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("name", ["video_file", "background"])
def test_giving_up_leaves_nothing_and_keeps_the_older_file(tmp_path, name):
    make, final = make_sinks(tmp_path)[name]
    final.write_text("an older file")
    sink = make()
    for frame in clip([0, 1]):
        sink.write(frame.image, frame)
    sink.abort()
    sink.close()
    assert os.listdir(tmp_path) == [final.name]
    assert final.read_text() == "an older file"
    with pytest.raises(OutputError, match="closed"):
        sink.write(frame.image, frame)


def test_a_sink_without_a_frame_makes_no_file(tmp_path):
    write(VideoFileSink(tmp_path / "a.mp4", 25), [])
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_a_playable_file(tmp_path):
    program = f"""
import numpy as np, sys, time
from fractions import Fraction
from pathlib import Path
from cvseg.records import Frame
from cvseg.video import BackgroundSink, VideoFileSink
image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
try:
    with BackgroundSink(VideoFileSink({str(tmp_path / "a.mp4")!r}, 25)) as sink:
        for i in range(100000):
            frame = Frame(i, Fraction(i, 25), image, str(i))
            sink.write(image, frame)
            if i == 10:
                print("ready", flush=True)
            time.sleep(0.002)
except KeyboardInterrupt:
    print(i, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert error == ""
    frames = read(tmp_path / "a.mp4")
    assert abs(len(frames) - int(output)) <= 1
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    (tmp_path / "a.mp4.partial").symlink_to("/dev/full")  # every write fails with "no space left on device"
    with pytest.raises(OutputError, match=r"a\.mp4 could not be finished: the disk is full\. Free some space"):
        write(VideoFileSink(tmp_path / "a.mp4", 25), clip([Fraction(i, 25) for i in range(40)], 64, 64))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_shows_in_the_background_at_the_next_write_or_at_close(tmp_path):
    (tmp_path / "a.mkv.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="the disk is full"):
        write(
            BackgroundSink(VideoFileSink(tmp_path / "a.mkv", 25, codec="ffv1")),
            clip([Fraction(i, 25) for i in range(40)], 64, 64),
        )
    assert os.listdir(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "cvseg-sink"]


@pytest.mark.parametrize("make", [PngSequenceSink, MaskSink], ids=["png", "mask"])
def test_a_full_disk_keeps_the_pictures_before_it(tmp_path, make):
    frames = clip([0, 1], 5, 6)
    (tmp_path / "00001.png.partial").symlink_to("/dev/full")
    with make(tmp_path) as sink:
        picture = frames[0].image if make is PngSequenceSink else frames[0].image[:, :, 0]
        sink.write(picture, frames[0])
        with pytest.raises(OutputError, match=r"00001\.png could not be finished: the disk is full"):
            sink.write(picture, frames[1])
    assert os.listdir(tmp_path) == ["00000.png"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: VideoFileSink(path / "a.mp4", 25),
        PngSequenceSink,
        MaskSink,
        lambda path: TracksWriter(path / "tracks.txt"),
    ],
    ids=["video", "png", "mask", "tracks"],
)
class TestUnwritable:
    def test_the_folder_is_a_file(self, tmp_path, make):
        (tmp_path / "out").write_text("a file")
        with pytest.raises(OutputError, match="out is a file; expected a folder"):
            make(tmp_path / "out")

    def test_a_part_of_the_path_is_a_file(self, tmp_path, make):
        (tmp_path / "out").write_text("a file")
        with pytest.raises(OutputError, match="a part of its path is a file"):
            make(tmp_path / "out" / "deeper")

    def test_the_folder_may_not_be_written(self, make):
        # Nobody, not even root, may make files there.
        with pytest.raises(OutputError, match=r"may not be written|cannot be written"):
            make(Path("/proc/cvseg"))

    def test_a_missing_folder_is_made(self, tmp_path, make):
        make(tmp_path / "new" / "folder").close()
        assert (tmp_path / "new" / "folder").is_dir()


def test_the_output_file_is_a_folder(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(OutputError, match=r"a\.mp4 is a folder; expected a file name"):
        VideoFileSink(tmp_path / "a.mp4", 25)


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("a.mp4", {"codec": "h265"}, OptionError, "codec is 'h265'; did you mean 'h264'"),
        ("a.mp4", {"codec": "ffv1"}, OptionError, "ffv1 goes into one of .mkv, .avi, .nut"),
        ("a.txt", {}, OptionError, "has the suffix '.txt'; h264 goes into one of .mp4, .mov, .mkv"),
        ("a.mp4", {"rate": 0}, RangeError, "rate is 0"),
        ("a.mp4", {"quality": 52}, RangeError, "quality is 52"),
    ],
)
def test_options_that_do_not_fit(tmp_path, name, options, error, words):
    with pytest.raises(error, match=words):
        VideoFileSink(tmp_path / name, options.pop("rate", 25), **options)
    assert os.listdir(tmp_path) == []


def test_pictures_that_do_not_fit_leave_the_file_usable(tmp_path):
    frames = clip([0, 1, 2])
    with VideoFileSink(tmp_path / "a.mp4", 25) as sink:
        sink.write(frames[0].image, frames[0])
        with pytest.raises(ShapeError, match="00001 is 46x33; expected 46x34"):
            sink.write(frames[1].image[1:], frames[1])
        with pytest.raises(ShapeError, match="VideoFileSink: image is"):
            sink.write(frames[1].image[:, :, 0], frames[1])
        with pytest.raises(DtypeError, match="image is float64; expected uint8"):
            sink.write(frames[1].image / 255, frames[1])
        with pytest.raises(InputError, match="times must grow"):
            sink.write(frames[0].image, frames[0])
        sink.write(frames[2].image, frames[2])
    assert [frame.time_s for frame in read(tmp_path / "a.mp4")] == [0, 2]


def test_a_gap_too_long_for_the_clock_says_what_to_do(tmp_path):
    frames = clip([0, 400], 16, 16)
    with VideoFileSink(tmp_path / "a.mp4", 25) as sink:
        sink.write(frames[0].image, frames[0])
        with pytest.raises(InputError, match=r"comes 400 s after .* Pass a coarser time_base"):
            sink.write(frames[1].image, frames[1])
    write(VideoFileSink(tmp_path / "b.mp4", 25, time_base=Fraction(1, 1000)), frames)
    assert [frame.time_s for frame in read(tmp_path / "b.mp4")] == [0, 400]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b"])
def test_a_frame_name_cannot_lead_out_of_the_folder(tmp_path, name):
    frame = Frame(0, Fraction(0), np.zeros((2, 2, 3), np.uint8), name)
    with PngSequenceSink(tmp_path) as sink, pytest.raises(OutputError, match="expected a name that can be a file's"):
        sink.write(frame.image, frame)


class SlowSink:
    """Counts how many pictures are behind, and fails on demand."""

    def __init__(self, fail_at=None):
        self.gate = threading.Semaphore(0)
        self.written, self.closed, self.aborted, self.fail_at = [], 0, 0, fail_at

    def write(self, image, frame):
        self.gate.acquire()
        if frame.index == self.fail_at:
            raise OutputError("the disk is full.")
        self.written.append(frame.index)

    def close(self):
        self.closed += 1

    def abort(self):
        self.aborted += 1


def test_the_background_queue_is_bounded_and_close_writes_all_of_it():
    slow = SlowSink()
    sink = BackgroundSink(slow, depth=3)
    frames = clip(range(6), 2, 2)
    for frame in frames[:3]:
        sink.write(frame.image, frame)  # the queue takes these without waiting
    blocked = threading.Thread(target=sink.write, args=(frames[3].image, frames[3]))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()  # a fourth has to wait
    slow.gate.release()
    blocked.join(10)
    assert not blocked.is_alive()
    for _ in range(10):
        slow.gate.release()
    sink.close()
    sink.close()
    assert (slow.written, slow.closed, slow.aborted) == ([0, 1, 2, 3], 1, 0)


@pytest.mark.parametrize("at_close", [False, True])
def test_an_error_in_the_background_is_raised_once_and_aborts_the_sink(at_close):
    slow = SlowSink(fail_at=1)
    slow.gate.release(100)
    sink = BackgroundSink(slow, depth=10)
    frames = clip(range(3), 2, 2)
    for frame in frames[:2]:
        sink.write(frame.image, frame)
    with pytest.raises(OutputError, match="the disk is full"):
        if at_close:
            sink.close()
        else:
            for _ in range(1000):
                sink.write(frames[2].image, frames[2])
                threading.Event().wait(0.005)
    sink.close()
    assert (slow.written, slow.closed, slow.aborted) == ([0], 0, 1)


def test_every_sink_of_the_table_is_a_frame_sink(tmp_path):
    assert set(SINKS) == {"video_file", "png_sequence"}
    for name, make in SINKS.items():
        sink = make(tmp_path / "a.mp4", 25) if name == "video_file" else make(tmp_path / name)
        write(sink, clip([0, 1]))
        assert list(tmp_path.rglob("*.mp4" if name == "video_file" else "*.png"))
