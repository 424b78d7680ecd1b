"""Inputs of every kind, good and bad, made where a test needs them: small, and something moves in the good ones."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIZE_HW = (48, 64)


def pictures(count=6, size_hw=SIZE_HW):
    """(count, H, W, 3) uint8: a bright square that moves over a still texture."""
    height, width = size_hw
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 120, (height // 8 + 1, width // 8 + 1, 3))
    still = np.kron(coarse, np.ones((8, 8, 1), int))[:height, :width].astype(np.uint8)
    clip = np.repeat(still[None], count, axis=0)
    side = max(1, min(height, width) // 3)
    for index, picture in enumerate(clip):
        x = min(2 * index, max(0, width - side))
        picture[height // 4 : height // 4 + side, x : x + side] = (240, 200, 60)
    return clip


def write_video(path, clip, codec="ffv1", rate=25, pixel_format=None):
    """A video file with these pictures; FFV1 keeps them exactly."""
    formats = {"ffv1": "bgr0", "h264": "yuv420p", "mpeg4": "yuv420p"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264" if codec == "h264" else codec, rate=rate)
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = pixel_format or formats[codec]
        for picture in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_folder(path, clip, suffix=".png"):
    """A folder of images named frame_0, frame_1, ..."""
    path.mkdir()
    for index, picture in enumerate(clip):
        Image.fromarray(picture).save(path / f"frame_{index}{suffix}")
    return path


def odd_sized(folder):
    return write_video(folder / "odd.mkv", pictures(size_hw=(47, 63)))


def odd_sized_folder(folder):
    return write_folder(folder / "odd", pictures(size_hw=(47, 63)))


def one_pixel(folder):
    return write_folder(folder / "pixel", pictures(3, (1, 1)))


def grey_images(folder):
    return write_folder(folder / "grey", pictures()[..., 0])


def grey_video(folder):
    return write_video(folder / "grey.mkv", pictures(), pixel_format="gray")


def sixteen_bit_images(folder):
    return write_folder(folder / "deep", pictures()[..., 0].astype(np.uint16) * 257)


def sixteen_bit_video(folder):
    return write_video(folder / "deep.mkv", pictures(), pixel_format="gray16le")


def alpha_images(folder):
    clip = pictures()
    return write_folder(folder / "alpha", np.concatenate([clip, np.full_like(clip[..., :1], 200)], axis=-1))


def palette_images(folder):
    path = folder / "palette"
    path.mkdir()
    for index, picture in enumerate(pictures()):
        Image.fromarray(picture).quantize(32).save(path / f"frame_{index}.png")
    return path


def jpeg_images(folder):
    return write_folder(folder / "jpeg", pictures(), suffix=".jpg")


def rotated_video(folder):
    """64 x 48 pixels stored, to be shown turned by a quarter: 48 x 64."""
    path = write_video(folder / "rotated.mp4", pictures(), codec="h264")
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40  # after flags, times, id, duration, layer and volume
    one, w = 1 << 16, 1 << 30
    data[place : place + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, w)
    path.write_bytes(data)
    return path


def variable_rate_video(folder):
    path = folder / "variable.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE_HW, "bgr0"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for picture, milliseconds in zip(pictures(), (0, 40, 100, 500, 520, 1000), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = milliseconds, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def single_picture(folder):
    path = folder / "one.png"
    Image.fromarray(pictures(1)[0]).save(path)
    return path


# Whatever of this a user has must simply work: (maker, number of frames, width, height, stem of the first mask).
GOOD = {
    "odd_sized": (odd_sized, 6, 63, 47, "00000"),
    "odd_sized_folder": (odd_sized_folder, 6, 63, 47, "frame_0"),
    "one_pixel": (one_pixel, 3, 1, 1, "frame_0"),
    "grey_images": (grey_images, 6, 64, 48, "frame_0"),
    "grey_video": (grey_video, 6, 64, 48, "00000"),
    "sixteen_bit_images": (sixteen_bit_images, 6, 64, 48, "frame_0"),
    "sixteen_bit_video": (sixteen_bit_video, 6, 64, 48, "00000"),
    "alpha_images": (alpha_images, 6, 64, 48, "frame_0"),
    "palette_images": (palette_images, 6, 64, 48, "frame_0"),
    "jpeg_images": (jpeg_images, 6, 64, 48, "frame_0"),
    "rotated_video": (rotated_video, 6, 48, 64, "00000"),
    "variable_rate_video": (variable_rate_video, 6, 64, 48, "00000"),
    "single_picture": (single_picture, 1, 64, 48, "one"),
}


def missing(folder):
    return folder / "nowhere.mp4"


def empty_folder(folder):
    path = folder / "empty"
    path.mkdir()
    return path


def folder_without_images(folder):
    path = folder / "texts"
    path.mkdir()
    (path / "notes.txt").write_text("nothing to see")
    return path


def zero_bytes(folder):
    path = folder / "zero.mp4"
    path.touch()
    return path


def text_named_mp4(folder):
    path = folder / "text.mp4"
    path.write_text("This is not a video.\n" * 50)
    return path


def sound_only(folder):
    path = folder / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    return path


def broken_first_image(folder):
    path = folder / "broken"
    path.mkdir()
    (path / "frame_0.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing useful")
    return path


# Nothing can be made of these: (maker, words of the sentence).
BAD = {
    "missing": (missing, "does not exist"),
    "empty_folder": (empty_folder, "empty"),
    "folder_without_images": (folder_without_images, "texts"),
    "zero_bytes": (zero_bytes, "zero.mp4"),
    "text_named_mp4": (text_named_mp4, "text.mp4"),
    "sound_only": (sound_only, "sound.wav"),
    "broken_first_image": (broken_first_image, "frame_0.png"),
}


def truncated_video(folder):
    """The last third is cut off, as after a copy that was broken off."""
    path = write_video(folder / "whole.mkv", pictures(24))
    short = folder / "truncated.mkv"
    data = path.read_bytes()
    short.write_bytes(data[: len(data) * 2 // 3])
    return short


def truncated_image(folder):
    path = write_folder(folder / "cut", pictures())
    file = path / "frame_4.png"
    file.write_bytes(file.read_bytes()[:200])
    return path


def changing_size(folder):
    path = write_folder(folder / "sizes", pictures())
    Image.fromarray(pictures(1, (60, 80))[0]).save(path / "frame_4.png")
    return path


# Good at first, then not: (maker, least number of frames that must be kept).
DAMAGED = {
    "truncated_video": (truncated_video, 8),
    "truncated_image": (truncated_image, 4),
    "changing_size": (changing_size, 4),
}


def stream_bytes(clip, folder: Path) -> bytes:
    """A container that can be read from a pipe."""
    return write_video(folder / "stream.nut", clip).read_bytes()
