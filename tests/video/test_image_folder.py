"""Folders of images: order, names, times, and every kind of image as 8-bit RGB."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import VideoOpenError
from cvseg.video import open_source
from cvseg.video.image_folder import natural_key
from cvseg.video.still_image import read_image

RGB = np.random.default_rng(5).integers(0, 256, (7, 11, 3)).astype(np.uint8)


def test_numbers_count_as_numbers_and_hidden_and_other_files_are_passed_over(tmp_path):
    for name in ["frame_10.png", "frame_9.jpg", "frame_2.png", ".frame_1.png", "Frame_3.PNG"]:
        Image.fromarray(RGB).save(tmp_path / name)
    (tmp_path / "frame_4.txt").write_text("notes")
    (tmp_path / "frame_5.png").mkdir()
    with open_source(tmp_path, rate=10) as source:
        frames = list(source)
    assert [frame.name for frame in frames] == ["frame_2", "Frame_3", "frame_9", "frame_10"]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in frames] == [Fraction(i, 10) for i in range(4)]
    assert (source.info.frame_count, source.info.rate, source.info.name) == (4, 10, tmp_path.name)


def folder_of(path, count):
    path.mkdir()
    for number in range(count):
        Image.fromarray(RGB).save(path / f"{number:03}.png")


def test_a_folder_with_a_picture_beside_folders_of_frames_is_refused_by_naming_them(tmp_path):
    folder_of(tmp_path / "sequence", 1)
    folder_of(tmp_path / "sequence" / "groundtruth", 20)
    folder_of(tmp_path / "sequence" / "input", 20)
    with pytest.raises(VideoOpenError, match=r"1 image\(s\), 000.png first.* input \(20\), groundtruth \(20\).*input,"):
        open_source(tmp_path / "sequence")
    with open_source(tmp_path / "sequence" / "000.png") as source:
        assert source.info.frame_count == 1
    folder_of(tmp_path / "frames", 4)
    folder_of(tmp_path / "frames" / "masks", 20)
    with open_source(tmp_path / "frames") as source:
        assert source.info.frame_count == 4


def test_a_folder_without_pictures_names_the_folder_of_frames_before_that_of_the_truth(tmp_path):
    (tmp_path / "docs").mkdir()
    folder_of(tmp_path / "groundtruth", 2)
    folder_of(tmp_path / "input", 2)
    with pytest.raises(VideoOpenError, match=r"folders of them: input \(2\), groundtruth \(2\);.*Is it .*input\?"):
        open_source(tmp_path)


def test_natural_order_is_total_and_pads_nothing():
    names = ["a1", "a01", "a1b2", "a1b10", "b", "10", "9", "a"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "a01", "a1", "a1b2", "a1b10", "b"]


@pytest.mark.parametrize("suffix", ["png", "ppm", "bmp", "tif", "tga", "webp"])
def test_lossless_images_come_back_bit_exact(tmp_path, suffix):
    Image.fromarray(RGB).save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    pixels = read_image(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(pixels, RGB)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


def test_grey_and_two_level_images_are_repeated_in_all_channels(tmp_path):
    Image.fromarray(RGB[:, :, 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), np.repeat(RGB[:, :, :1], 3, axis=2))
    Image.fromarray(RGB[:, :, 0] > 100).save(tmp_path / "two.png")
    np.testing.assert_array_equal(read_image(tmp_path / "two.png")[:, :, 1], (RGB[:, :, 0] > 100) * np.uint8(255))


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bit_grey_keeps_its_high_byte(tmp_path, suffix):
    deep = np.array([[0, 255, 256, 511], [30000, 65279, 65280, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / f"a.{suffix}")
    expected = np.array([[0, 0, 1, 1], [117, 254, 255, 255]], np.uint8)
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}"), np.repeat(expected[:, :, None], 3, axis=2))


def test_sixteen_bit_rgb_keeps_its_high_bytes(tmp_path, write_clip):
    deep = np.random.default_rng(6).integers(0, 65536, (5, 6, 3)).astype(np.uint16)
    # Pillow cannot write 16-bit colour; FFmpeg can.
    path = write_clip(
        tmp_path / "a.png", [deep], codec="png", pixel_format="rgb48be", container="image2", source_format="rgb48le"
    )
    np.testing.assert_array_equal(read_image(path), (deep >> 8).astype(np.uint8))


def test_alpha_is_dropped_and_the_stored_colours_stay(tmp_path):
    alpha = np.zeros((7, 11, 1), np.uint8)
    alpha[:, 5:] = 130
    Image.fromarray(np.concatenate([RGB, alpha], axis=2)).save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), RGB)
    Image.fromarray(np.concatenate([RGB[:, :, :1], alpha], axis=2), mode=None).save(tmp_path / "grey_alpha.png")
    np.testing.assert_array_equal(read_image(tmp_path / "grey_alpha.png"), np.repeat(RGB[:, :, :1], 3, axis=2))


@pytest.mark.parametrize("transparency", [None, 1, bytes([255, 0, 128, 255])])
def test_palettes_are_looked_up(tmp_path, transparency):
    indices = np.array([[0, 1, 2, 3]], np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    picture.save(tmp_path / "p.png", **({} if transparency is None else {"transparency": transparency}))
    assert read_image(tmp_path / "p.png")[0].tolist() == [[10, 20, 30], [200, 0, 0], [0, 200, 0], [0, 0, 200]]


def test_cmyk_jpegs_are_converted(tmp_path):
    for name, ink, rgb in [("red", (0, 255, 255, 0), (255, 0, 0)), ("black", (0, 0, 0, 255), (0, 0, 0))]:
        Image.new("CMYK", (8, 8), ink).save(tmp_path / f"{name}.jpg", quality=95)
        np.testing.assert_allclose(read_image(tmp_path / f"{name}.jpg")[4, 4], rgb, atol=3)  # JPEG loss


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(tmp_path, orientation):
    from PIL import ImageOps

    picture = Image.fromarray(RGB)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    pixels = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.flags.c_contiguous
    assert pixels.shape[0] == (7 if orientation < 5 else 11)


def test_one_image_is_a_clip_of_one_frame(tmp_path):
    Image.fromarray(RGB[:1, :1]).save(tmp_path / "dot.png")
    with open_source(tmp_path / "dot.png") as source:
        frames = list(source)
    assert (source.info.width, source.info.height, source.info.name) == (1, 1, "dot")
    assert [frame.name for frame in frames] == ["dot"]


def test_the_pages_of_a_stack_are_frames(tmp_path):
    pages = [Image.fromarray(np.full((4, 5), 40 * i, np.uint8)) for i in range(4)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with open_source(tmp_path / "stack.tif") as source:
        frames = list(source)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 40, 80, 120]
    assert [frame.name for frame in frames] == ["00000", "00001", "00002", "00003"]


def test_a_closed_folder_ends_and_refuses(tmp_path):
    for i in range(3):
        Image.fromarray(RGB).save(tmp_path / f"{i}.png")
    source = open_source(tmp_path)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []
    with pytest.raises(VideoOpenError, match="closed"):
        next(iter(source))
