"""Every bad input gets one sentence: what came, what is needed, what to do. Good frames come before the error."""

from __future__ import annotations

import os
import wave

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import (
    CvsegError,
    DtypeError,
    FrameDecodeError,
    InputError,
    OptionError,
    ShapeError,
    VideoOpenError,
)
from cvseg.video import open_source, prefetch


def read_until_error(source):
    """Frames before the error, and the error."""
    frames = []
    with pytest.raises(FrameDecodeError) as caught:
        for frame in source:
            frames.append(frame)
    return frames, str(caught.value)


@pytest.fixture(autouse=True)
def silent(capfd):
    """FFmpeg must not print: the sentence is all a user sees."""
    yield
    printed = capfd.readouterr()
    assert printed.err == ""
    assert printed.out == ""


def test_a_missing_path_names_the_nearest_file(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"x")
    with pytest.raises(VideoOpenError, match=r"clip2\.mp4 does not exist; expected .* Did you mean 'clip\.mp4'\?"):
        open_source(tmp_path / "clip2.mp4")
    with pytest.raises(VideoOpenError, match=r"does not exist; .* There is no folder"):
        open_source(tmp_path / "nowhere" / "clip.mp4")
    with pytest.raises(VideoOpenError, match=r"does not exist; .* Check the spelling"):
        open_source(tmp_path / "entirely different")


def test_an_empty_folder_and_a_folder_of_other_files(tmp_path):
    with pytest.raises(VideoOpenError, match="is an empty folder; expected"):
        open_source(tmp_path)
    (tmp_path / ".hidden.png").write_bytes(b"x")
    with pytest.raises(VideoOpenError, match="is an empty folder; expected"):
        open_source(tmp_path)
    (tmp_path / "one.txt").write_text("one")
    with pytest.raises(VideoOpenError, match=r"holds no images but 1 file\(s\) like \*\.txt; expected"):
        open_source(tmp_path)


def test_a_folder_of_folders_names_the_first(tmp_path):
    (tmp_path / "bear").mkdir()
    with pytest.raises(VideoOpenError, match=r"holds no images but 1 folder\(s\); .* Is it .*bear\?"):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.png"])
def test_a_file_of_zero_bytes(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(VideoOpenError, match="is empty \\(0 bytes\\); expected"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.nfo", "notes.png", "notes"])
def test_a_text_file_is_not_a_video(tmp_path, name):
    (tmp_path / name).write_text("These are\nsome notes.\n" * 30)
    with pytest.raises(VideoOpenError, match=r"notes.*(cannot be read as|holds no video stream but text)"):
        open_source(tmp_path / name)


def test_a_file_without_a_video_stream(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    with pytest.raises(VideoOpenError, match="holds no video stream but audio; expected a video"):
        open_source(tmp_path / "sound.wav")


def test_a_device_is_not_a_video_file():
    with pytest.raises(VideoOpenError, match="is a device or a socket; expected a video file"):
        open_source("/dev/zero")


def test_permission_denied_on_a_file_and_on_a_folder(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.mkv", 2)
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.new("RGB", (4, 4)).save(folder / "0.png")
    tmp_path.chmod(0o755)
    path.chmod(0)
    folder.chmod(0)
    user = os.geteuid()
    parents = [
        (parent, parent.stat().st_mode)
        for parent in tmp_path.parents
        if parent.owner() and not parent.stat().st_mode & 1
    ]
    try:
        for parent, mode in parents:
            parent.chmod(mode | 0o011)
        if user == 0:
            os.seteuid(65534)  # root may read everything: be somebody else
        with pytest.raises(VideoOpenError, match="may not be read: permission denied"):
            open_source(path)
        with pytest.raises(VideoOpenError, match="may not be read: permission denied"):
            open_source(folder)
        with pytest.raises(VideoOpenError, match="may not be read: permission denied"):
            open_source(folder / "0.png")
    finally:
        if user == 0:
            os.seteuid(0)
        for parent, mode in parents:
            parent.chmod(mode)
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("clip.mkv", "ffv1", "bgr0"),
        ("clip.mkv", "libx264", "yuv420p"),
        ("clip.avi", "mjpeg", "yuvj420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.ts", "libx264", "yuv420p"),
        ("clip.flv", "flv", "yuv420p"),
        ("clip.nut", "ffv1", "bgr0"),
        ("front.mp4", "libx264", "yuv420p"),
        ("clip.y4m", "wrapped_avframe", "yuv420p"),
    ],
)
@pytest.mark.parametrize("fraction", [0.5, 0.93])
def test_a_truncated_file_gives_its_good_frames_and_then_says_how_many(
    tmp_path, write_clip, name, codec, pixel_format, fraction
):
    rng = np.random.default_rng(3)
    noise = [np.kron(rng.integers(30, 220, (12, 15, 3)), np.ones((4, 4, 1))).astype(np.uint8) for _ in range(20)]
    path = write_clip(
        tmp_path / name,
        noise,
        codec=codec,
        pixel_format=pixel_format,
        container={".mkv": "matroska", ".y4m": "yuv4mpegpipe"}.get(path_suffix(name)),
        container_options={"movflags": "faststart"} if name == "front.mp4" else None,
        options={"g": "5"},
    )
    with open_source(path) as source:
        whole = [frame.image.copy() for frame in source]
    assert len(whole) == 20
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    with open_source(path) as source:
        frames, sentence = read_until_error(prefetch(source))
    assert 2 <= len(frames) < 20
    assert f"is damaged after {len(frames)} frames" in sentence
    assert f"The {len(frames)} frames before were read." in sentence
    for before, after in zip(whole, frames, strict=False):
        np.testing.assert_array_equal(before, after.image)


def path_suffix(name):
    return "." + name.rsplit(".", 1)[1]


@pytest.mark.parametrize("cut", [1, 68, 187])
def test_a_transport_stream_that_ends_inside_a_packet_is_damaged(tmp_path, write_clip, cut):
    path = write_clip(tmp_path / "clip.ts", 12, codec="libx264", pixel_format="yuv420p")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10 // 188 * 188 - cut])
    with open_source(path) as source:
        frames, sentence = read_until_error(source)
    assert 0 < len(frames) < 12
    assert f"is damaged after {len(frames)} frames" in sentence


def test_damage_in_the_middle_can_be_skipped(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.ts", 30, codec="libx264", pixel_format="yuv420p", options={"g": "6"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 188 // 2 * 188
    data[middle : middle + 6 * 188] = np.random.default_rng(0).bytes(6 * 188)
    path.write_bytes(data)
    with open_source(path) as source:
        before, sentence = read_until_error(source)
    assert "damaged='skip'" in sentence
    with open_source(path, damaged="skip") as source:
        frames = list(source)
    assert len(before) < len(frames) < 30
    assert frames[-1].time_s > before[-1].time_s
    assert [frame.index for frame in frames] == list(range(len(frames)))


def test_an_mp4_without_its_index_says_so(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.mp4", 20, codec="libx264", pixel_format="yuv420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 100])
    with pytest.raises(VideoOpenError, match=r"ends before its index \(moov\).*cut short"):
        open_source(path)


def test_an_mp4_whose_index_is_cut_says_so(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.mp4", 20, codec="libx264", pixel_format="yuv420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"stsd")])
    with pytest.raises(VideoOpenError, match=r"cut short.*bytes are missing"):
        open_source(path)


def test_a_link_to_nothing_is_named_as_such(tmp_path):
    (tmp_path / "clip.mkv").symlink_to(tmp_path / "gone.mkv")
    with pytest.raises(VideoOpenError, match="is a link to a file that does not exist"):
        open_source(tmp_path / "clip.mkv")


def test_a_stream_whose_pictures_change_size(tmp_path, write_clip):
    # Pictures of Motion JPEG stand alone, so two streams can be joined; the second has another size.
    data = b""
    for size in [(32, 48), (48, 64)]:
        images = [np.full((*size, 3), 90 + i, np.uint8) for i in range(4)]
        part = write_clip(tmp_path / "part", images, codec="mjpeg", pixel_format="yuvj420p", container="mjpeg")
        data += part.read_bytes()
    (tmp_path / "joined.mjpeg").write_bytes(data)
    with open_source(tmp_path / "joined.mjpeg") as source:
        frames, sentence = read_until_error(source)
    assert len(frames) == 4
    assert "frame 4 is 64x48; expected 48x32 like the frames before it. 4 frames were read." in sentence


def test_joined_transport_streams_can_be_read_by_skipping(tmp_path, write_clip):
    part = write_clip(tmp_path / "part.ts", 6, codec="libx264", pixel_format="yuv420p").read_bytes()
    (tmp_path / "joined.ts").write_bytes(part + part)
    with open_source(tmp_path / "joined.ts", damaged="skip") as source:
        frames = list(source)
    assert len(frames) == 12
    # The clock of the second part begins anew; frames go on one period apart.
    assert [frame.time_s for frame in frames] == [index / source.info.rate for index in range(12)]


def save_images(folder, sizes):
    folder.mkdir(exist_ok=True)
    for i, (height, width) in enumerate(sizes):
        Image.fromarray(np.full((height, width, 3), i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_folder_whose_images_change_size(tmp_path):
    with open_source(save_images(tmp_path / "frames", [(8, 9), (8, 9), (9, 8)])) as source:
        frames, sentence = read_until_error(source)
    assert len(frames) == 2
    assert "2.png is 8x9; expected 9x8 like 0.png. 2 frames were read." in sentence


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_an_unreadable_image_in_the_middle_of_a_folder(tmp_path, damage):
    folder = save_images(tmp_path / "frames", [(40, 50)] * 5)
    noise = np.random.default_rng(4).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "3.png")
    data = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(
        {"truncated": data[: len(data) // 2], "text": b"not a picture", "empty": b""}[damage]
    )
    with open_source(folder) as source:
        frames, sentence = read_until_error(source)
    assert [frame.name for frame in frames] == ["0", "1", "2"]
    assert "frame 3 of 5" in sentence
    assert "3.png cannot be read as a picture" in sentence
    assert "3 frames before it were read." in sentence


def test_a_folder_that_begins_with_an_unreadable_image(tmp_path):
    folder = save_images(tmp_path / "frames", [(4, 5)] * 2)
    (folder / "0.png").write_bytes(b"not a picture")
    with pytest.raises(VideoOpenError, match=r"no frame could be read: .*0\.png cannot be read as a picture"):
        open_source(folder)


def test_two_images_of_one_name(tmp_path):
    folder = save_images(tmp_path / "frames", [(4, 5)])
    Image.new("RGB", (5, 4)).save(folder / "0.jpg")
    with pytest.raises(
        VideoOpenError, match=r"holds 0\.(jpg|png) and 0\.(jpg|png), whose results would have the same name"
    ):
        open_source(folder)


def test_pictures_of_floats_in_a_file(tmp_path):
    Image.fromarray(np.ones((4, 5), np.float32)).save(tmp_path / "depth.tif")
    with pytest.raises(VideoOpenError, match="holds floating-point values; expected 8- or 16-bit pictures"):
        open_source(tmp_path / "depth.tif")


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        (np.zeros((2, 4, 5), np.float32), DtypeError, "is float32; expected uint8.*visible step"),
        (np.full((2, 4, 5), np.nan, np.float32), DtypeError, "is float32; .* NaN or infinite"),
        (np.full((2, 4, 5, 3), np.inf), DtypeError, "is float64; .* NaN or infinite"),
        (np.zeros((2, 4, 5), np.int32), DtypeError, "is int32; expected uint8"),
        (np.zeros((2, 4, 5), bool), DtypeError, r"is bool; expected uint8.*\* 255"),
        (np.zeros((4, 5), np.uint8), ShapeError, r"is \(4, 5\); expected \(T, H, W\)"),
        (np.zeros((2, 4, 5, 2), np.uint8), ShapeError, r"is \(2, 4, 5, 2\); expected"),
        (np.zeros((480, 640, 3), np.uint8), ShapeError, "looks like one picture.*array\\[None\\]"),
        (np.zeros((0, 4, 5), np.uint8), ShapeError, "at least one frame"),
        (np.zeros((2, 0, 5), np.uint8), ShapeError, "at least one pixel"),
    ],
)
def test_arrays_that_are_no_clip(array, error, words):
    with pytest.raises(error, match=words):
        open_source(array)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (5, InputError, "got int; expected a path"),
        (None, InputError, "got NoneType; expected a path"),
        (b"clip.mp4", InputError, "got bytes; expected a path"),
        ("", InputError, "the path is ''"),
        ("a\0b", VideoOpenError, "cannot be a path|does not exist"),
        ([], VideoOpenError, "the iterator gave no picture"),
        (["one.png"], InputError, "frame 0 of the iterator is str; expected"),
        ([np.zeros((4, 5))], DtypeError, "frame 0 of the iterator is float64; expected uint8"),
        ([np.zeros((4, 5, 7), np.uint8)], ShapeError, r"frame 0 of the iterator is \(4, 5, 7\); expected \(H, W\)"),
    ],
)
def test_things_that_are_no_input(source, error, words):
    with pytest.raises(error, match=words):
        open_source(source)


def test_an_iterator_whose_pictures_change_size_or_type():
    with open_source(iter([np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8)])) as source:
        frames, sentence = read_until_error(source)
    assert len(frames) == 1
    assert "frame 1 of the iterator is 4x5; expected 5x4 like frame 0. 1 frames were read." in sentence
    with open_source(iter([np.zeros((4, 5), np.uint8), np.zeros((4, 5))])) as source:
        frames = iter(source)
        next(frames)
        with pytest.raises(DtypeError, match="frame 1 of the iterator is float64"):
            next(frames)


@pytest.mark.parametrize("rate", [0, -5, "fast", float("nan"), float("inf"), True, "1/0"])
def test_a_rate_that_is_no_rate(rate):
    with pytest.raises(OptionError, match=r"rate is .*; expected frames per second"):
        open_source(np.zeros((2, 4, 5), np.uint8), rate=rate)


def test_an_unknown_way_to_treat_damage():
    with pytest.raises(OptionError, match="damaged is 'stopp'; did you mean 'stop'"):
        open_source(np.zeros((2, 4, 5), np.uint8), damaged="stopp")


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes_in_a_video_never_end_in_anything_but_a_sentence(tmp_path, write_clip, seed):
    rng = np.random.default_rng(seed)
    name, codec, pixel_format = [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.avi", "mjpeg", "yuvj420p"),
    ][seed % 3]
    path = write_clip(tmp_path / name, 12, codec=codec, pixel_format=pixel_format)
    data = bytearray(path.read_bytes())
    for _ in range(4):
        start = int(rng.integers(0, len(data) - 40))
        data[start : start + 40] = rng.bytes(40)
    path.write_bytes(data)
    frames = []
    try:
        with open_source(path) as source:
            frames.extend(source)
    except CvsegError as error:
        assert str(error).endswith((".", "?")) and "\n" not in str(error)
    assert all(frame.image.dtype == np.uint8 for frame in frames)


@pytest.mark.parametrize("junk", [b"\0" * 5, b"\0" * 4096, b"appended by another program" * 20])
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.ts", "libx264", "yuv420p"),
    ],
)
def test_bytes_after_the_end_are_no_damage(tmp_path, write_clip, junk, name, codec, pixel_format):
    path = write_clip(tmp_path / name, 6, codec=codec, pixel_format=pixel_format)
    path.write_bytes(path.read_bytes() + junk)
    with open_source(path) as source:
        assert len(list(source)) == 6
