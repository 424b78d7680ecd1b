"""Video files: exact times, exact colours, every pixel format, rotation, reading again, closing early."""

from __future__ import annotations

import struct
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from cvseg.errors import VideoOpenError
from cvseg.video import open_source, prefetch
from cvseg.video.presentation_clock import PresentationClock


def read(path, **options):
    with open_source(path, **options) as source:
        return source.info, list(source)


def test_a_lossless_clip_comes_back_bit_exact_in_order(tmp_path, write_clip, picture):
    info, frames = read(write_clip(tmp_path / "clip.mkv", 5))
    assert (info.width, info.height, info.kind, info.name, info.rate) == (46, 34, "video_file", "clip", 25)
    assert [frame.index for frame in frames] == list(range(5))
    assert [frame.name for frame in frames] == ["00000", "00001", "00002", "00003", "00004"]
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, picture(i))


@pytest.mark.parametrize("b_frames", [0, 3])
def test_times_of_a_variable_rate_are_exact(tmp_path, write_clip, b_frames):
    ticks = [0, 3003, 3004, 9000, 27000, 90001, 90005, 180000]
    path = write_clip(
        tmp_path / "vfr.mp4",
        8,
        codec="libx264",
        pixel_format="yuv420p",
        times=ticks,
        time_base=Fraction(1, 90000),
        options={"bf": str(b_frames)},
    )
    info, frames = read(path)
    assert [frame.time_s for frame in frames] == [Fraction(tick, 90000) for tick in ticks]
    assert all(isinstance(frame.time_s, Fraction) for frame in frames)
    assert info.time_base == Fraction(1, 90000)
    assert info.frame_count == 8


def test_ntsc_times_do_not_drift(tmp_path, write_clip):
    path = write_clip(
        tmp_path / "ntsc.mp4",
        40,
        codec="libx264",
        pixel_format="yuv420p",
        time_base=Fraction(1001, 30000),
        rate=Fraction(30000, 1001),
    )
    info, frames = read(path)
    assert info.rate == Fraction(30000, 1001)
    assert frames[-1].time_s == 39 * Fraction(1001, 30000)


def test_time_counts_from_the_first_frame_and_the_stored_start_is_kept(tmp_path, write_clip):
    path = write_clip(tmp_path / "late.nut", 3, times=[50, 51, 53])
    info, frames = read(path)
    assert info.start_s == 2
    assert [frame.time_s for frame in frames] == [0, Fraction(1, 25), Fraction(3, 25)]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("container", ["h264", "avi"])
def test_containers_without_presentation_times_count_frame_periods(tmp_path, write_clip, b_frames, container):
    path = write_clip(
        tmp_path / "clip",
        12,
        codec="libx264",
        pixel_format="yuv420p",
        container=container,
        options={"bf": str(b_frames), "b-adapt": "0"},
    )
    info, frames = read(path)
    assert [frame.time_s for frame in frames] == [index / info.rate for index in range(12)]


def test_missing_and_backward_times_are_one_period_after_the_frame_before():
    clock = PresentationClock(Fraction(10))
    base = Fraction(1, 100)
    times = [clock.time_s(ticks, None, base) for ticks in (500, None, 520, 515, None, 590)]
    assert times == [0, Fraction(1, 10), Fraction(2, 10), Fraction(3, 10), Fraction(4, 10), Fraction(9, 10)]
    assert clock.start_s == 5


def test_decoding_times_count_once_presentation_times_have_run_backwards():
    clock = PresentationClock(Fraction(1))
    times = [clock.time_s(pts, dts, Fraction(1)) for pts, dts in [(1, 1), (4, 2), (3, 5), (2, 7), (9, 8)]]
    assert times == [0, 3, 4, 6, 7]


def constant_clip(path, values, pixel_format, dtype, codec="rawvideo", colorspace=2, color_range=0, size=(8, 16)):
    height, width = size
    with av.open(str(path), "w", format="matroska" if codec == "ffv1" else "nut") as output:
        stream = output.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range
        frame = av.VideoFrame(width, height, pixel_format)
        frame.colorspace, frame.color_range, frame.pts = colorspace, color_range, 0
        for plane, value in zip(frame.planes, values, strict=True):
            plane.update(np.full(plane.buffer_size // np.dtype(dtype).itemsize, value, dtype).tobytes())
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def rgb_by_equation(yuv, red_weight, blue_weight, full_range, bits=8):
    """ITU-R BT.601 / BT.709 / BT.2020: from luma and colour differences to RGB in 0..255, not rounded."""
    y, u, v = (value / 2 ** (bits - 8) for value in yuv)
    luma = y / 255 if full_range else (y - 16) / 219
    blue_difference, red_difference = ((c - 128) / (255 if full_range else 224) for c in (u, v))
    red = luma + 2 * (1 - red_weight) * red_difference
    blue = luma + 2 * (1 - blue_weight) * blue_difference
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.clip(np.array([red, green, blue]) * 255, 0, 255)


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)


@pytest.mark.parametrize("yuv", [(90, 100, 170), (200, 140, 110), (16, 128, 128), (235, 128, 128)])
@pytest.mark.parametrize(
    ("colorspace", "weights"),
    [
        pytest.param(1, BT709, id="bt709"),
        pytest.param(6, BT601, id="bt601"),
        pytest.param(9, BT2020, id="bt2020"),
        pytest.param(2, BT601, id="unspecified-is-bt601"),
    ],
)
@pytest.mark.parametrize("color_range", [0, 1, 2], ids=["unspecified-is-limited", "limited", "full"])
def test_colours_follow_the_matrix_and_range_of_the_stream(tmp_path, yuv, colorspace, weights, color_range):
    # Matroska stores matrix and range; 4:2:0 goes through the chroma interpolation.
    path = tmp_path / "c.mkv"
    constant_clip(path, yuv, "yuv420p", "u1", codec="ffv1", colorspace=colorspace, color_range=color_range)
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
        assert stored.colorspace == colorspace
        assert (stored.color_range or 1) == (color_range or 1)
    _, frames = read(path)
    expected = rgb_by_equation(yuv, *weights, full_range=color_range == 2)
    # Half a level is the rounding; FFmpeg's tables add a little.
    np.testing.assert_allclose(frames[0].image, np.broadcast_to(expected, (8, 16, 3)), atol=0.6, rtol=0)


def test_ten_bit_colours_round_to_the_nearest_level(tmp_path):
    yuv = (402, 380, 700)
    _, frames = read(constant_clip(tmp_path / "ten.mkv", yuv, "yuv420p10le", "<u2", codec="ffv1"))
    expected = rgb_by_equation(yuv, *BT601, full_range=False, bits=10)
    np.testing.assert_allclose(frames[0].image[4, 8], expected, atol=0.6, rtol=0)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (255, 0), (256, 1), (511, 1), (30000, 117), (65535, 255)])
def test_sixteen_bit_grey_keeps_its_high_byte(tmp_path, value, expected):
    _, frames = read(constant_clip(tmp_path / "g.mkv", [value], "gray16le", "<u2", codec="ffv1"))
    np.testing.assert_array_equal(frames[0].image, np.full((8, 16, 3), expected, np.uint8))


def test_eight_bit_grey_is_repeated_in_all_channels(tmp_path):
    _, frames = read(constant_clip(tmp_path / "g.mkv", [77], "gray", "u1", codec="ffv1"))
    np.testing.assert_array_equal(frames[0].image, np.full((8, 16, 3), 77, np.uint8))


def test_sixteen_bit_rgb_keeps_its_high_bytes(tmp_path, write_clip):
    deep = np.random.default_rng(1).integers(0, 65536, (9, 13, 3)).astype(np.uint16)
    path = write_clip(tmp_path / "deep.nut", [deep], codec="rawvideo", pixel_format="rgb48le", source_format="rgb48le")
    np.testing.assert_array_equal(read(path)[1][0].image, (deep >> 8).astype(np.uint8))


def test_alpha_is_dropped_and_the_stored_colours_stay(tmp_path, write_clip):
    rgba = np.random.default_rng(2).integers(0, 256, (10, 12, 4)).astype(np.uint8)
    rgba[:5, :, 3] = 0
    path = write_clip(tmp_path / "a.mkv", [rgba], pixel_format="bgra", source_format="rgba")
    np.testing.assert_array_equal(read(path)[1][0].image, rgba[:, :, :3])


def test_a_gif_is_a_video_with_its_own_times(tmp_path):
    from PIL import Image

    pages = [Image.new("RGB", (12, 10), color) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:], duration=[100, 250, 100])
    info, frames = read(tmp_path / "a.gif")
    assert info.kind == "video_file"
    assert [frame.time_s for frame in frames] == [0, Fraction(1, 10), Fraction(35, 100)]
    assert [tuple(frame.image[5, 5]) for frame in frames] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (33, 47)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "bgr0"])
def test_odd_and_tiny_sizes_are_read_whole(tmp_path, write_clip, size, pixel_format):
    image = np.full((*size, 3), 128, np.uint8)
    info, frames = read(write_clip(tmp_path / "odd.mkv", [image, image], pixel_format=pixel_format))
    assert (info.height, info.width) == size
    assert [frame.image.shape for frame in frames] == [(*size, 3)] * 2
    assert all(frame.image.flags.c_contiguous and frame.image.dtype == np.uint8 for frame in frames)
    assert np.abs(frames[0].image.astype(int) - 128).max() <= 2  # 128 grey is between two limited-range codes


def set_display_matrix(path, a, b, c, d):
    """Write the 2x2 part of the matrix into the track header of an MP4, as phones do."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4  # version and flags follow
    offset = start + (40 if data[start] == 0 else 52)
    values = list(struct.unpack(">9i", data[offset : offset + 36]))
    assert values[0] == values[4] == 65536, "the identity matrix is not where it should be"
    values[0], values[1], values[3], values[4] = (v * 65536 for v in (a, b, c, d))
    data[offset : offset + 36] = struct.pack(">9i", *values)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        pytest.param((1, 0, 0, 1), lambda image: image, id="upright"),
        pytest.param((0, 1, -1, 0), lambda image: np.rot90(image, -1), id="quarter turn clockwise"),
        pytest.param((-1, 0, 0, -1), lambda image: np.rot90(image, 2), id="half turn"),
        pytest.param((0, -1, 1, 0), lambda image: np.rot90(image, 1), id="quarter turn back"),
        pytest.param((-1, 0, 0, 1), lambda image: image[:, ::-1], id="mirrored"),
        pytest.param((1, 0, 0, -1), lambda image: image[::-1], id="upside down"),
    ],
)
def test_the_display_rotation_is_applied(tmp_path, write_clip, matrix, turn):
    path = write_clip(tmp_path / "phone.mp4", 2, codec="libx264", pixel_format="yuv420p")
    _, stored = read(path)
    set_display_matrix(path, *matrix)
    info, frames = read(path)
    expected = turn(stored[1].image)
    assert (info.height, info.width) == expected.shape[:2]
    np.testing.assert_array_equal(frames[1].image, expected)
    assert frames[1].image.flags.c_contiguous


def test_the_rotation_turns_the_way_ffmpeg_says(tmp_path, write_clip):
    path = write_clip(tmp_path / "phone.mp4", 1, codec="libx264", pixel_format="yuv420p")
    set_display_matrix(path, 0, 1, -1, 0)
    with av.open(str(path)) as container:
        # FFmpeg counts against the clock: -90 is a quarter turn clockwise.
        assert next(container.decode(video=0)).rotation == -90


def test_a_colon_or_a_percent_sign_in_a_name_is_only_a_name(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.mkv", 2).rename(tmp_path / "a:b %03d #1.mkv")
    assert len(read(path)[1]) == 2


def test_a_file_can_be_iterated_again_from_the_start(tmp_path, write_clip):
    with open_source(write_clip(tmp_path / "clip.mkv", 4)) as source:
        once = [frame.image.copy() for frame in source]
        again = list(source)
    assert [frame.index for frame in again] == [0, 1, 2, 3]
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second.image)


def test_two_iterations_at_once_are_refused(tmp_path, write_clip):
    with open_source(write_clip(tmp_path / "clip.mkv", 4)) as source:
        one = iter(source)
        next(one)
        other = iter(source)
        next(other)
        with pytest.raises(VideoOpenError, match="iterated twice at once"):
            next(one)
        assert [frame.index for frame in other] == [1, 2, 3]


def test_closing_while_another_thread_decodes_ends_the_iteration(tmp_path, write_clip):
    source = open_source(write_clip(tmp_path / "clip.mkv", 200))
    started, result = threading.Event(), []

    def run():
        for frame in source:
            result.append(frame.index)
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    source.close()
    thread.join(10)
    assert not thread.is_alive()
    assert result == list(range(len(result)))
    with pytest.raises(VideoOpenError, match="closed"):
        next(iter(source))


def test_frames_stay_valid_after_the_source_is_closed(tmp_path, write_clip, picture):
    with open_source(write_clip(tmp_path / "clip.mkv", 3)) as source, prefetch(source) as frames:
        kept = list(frames)
    np.testing.assert_array_equal(kept[2].image, picture(2))
    kept[2].image[:] = 0  # the memory is the caller's own
