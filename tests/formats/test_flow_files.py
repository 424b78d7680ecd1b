"""Flow files: round trips, the marks of unknown pixels, and damaged files named with their reason."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import FormatError, OutputError, RangeError
from cvseg.formats import kitti_flow
from cvseg.formats.flo import read_flo, write_flo
from cvseg.formats.flow_file import FLOW_ENDINGS, read_flow, write_flow
from cvseg.formats.kitti_flow import read_kitti_flow, write_kitti_flow


def some_flow(seed=0, size_hw=(5, 7)):
    rng = np.random.default_rng(seed)
    flow_xy = rng.normal(0, 40, (*size_hw, 2)).astype(np.float32)
    flow_xy[rng.random(size_hw) < 0.2] = np.nan
    return flow_xy


def test_a_flo_file_is_tag_width_height_and_interleaved_components(tmp_path):
    (tmp_path / "a.flo").write_bytes(b"PIEH" + struct.pack("<ii4f", 2, 1, 1.5, -2.0, 3.0, 2e9))
    flow_xy = read_flo(tmp_path / "a.flo")
    np.testing.assert_array_equal(flow_xy, np.float32([[[1.5, -2.0], [np.nan, np.nan]]]))
    assert struct.unpack("<f", b"PIEH")[0] == 202021.25


def test_flo_comes_back_with_the_same_bits(tmp_path):
    write_flo(tmp_path / "a.flo", some_flow())
    np.testing.assert_array_equal(read_flo(tmp_path / "a.flo"), some_flow())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with b''"),
        (b"PIE", "ends after 3 bytes, inside its header"),
        (b"HEIP" + bytes(16), "begins with b'HEIP'"),
        (b"PIEH" + struct.pack("<ii", 0, 4), "says it is 0x4 pixels"),
        (b"PIEH" + struct.pack("<ii", 4, -1), "says it is 4x-1 pixels"),
        (b"PIEH" + struct.pack(">ii", 4, 3) + bytes(96), "big-endian"),
        (b"PIEH" + struct.pack("<ii", 2, 1) + bytes(15), "ends after 27 bytes; 2x1 pixels need 28"),
        (b"PIEH" + struct.pack("<ii", 2, 1) + bytes(17), "goes on to 29 bytes"),
    ],
)
def test_a_damaged_flo_file_is_named_with_its_reason(tmp_path, data, reason):
    (tmp_path / "bad.flo").write_bytes(data)
    with pytest.raises(FormatError, match=r"bad\.flo") as caught:
        read_flo(tmp_path / "bad.flo")
    assert reason in str(caught.value)


def test_kitti_words_follow_the_formula(tmp_path):
    words = np.zeros((2, 2, 3), ">u2")
    words[0, 0] = 32768 + 64, 32768 - 32, 1
    words[0, 1] = 0, 65535, 1
    words[1, 0] = 40000, 40000, 0
    (tmp_path / "a.png").write_bytes(kitti_flow._png(words))
    expected = np.float32([[[1, -0.5], [-512, 511.984375]], [[np.nan] * 2, [np.nan] * 2]])
    np.testing.assert_array_equal(read_kitti_flow(tmp_path / "a.png"), expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 9), width=st.integers(1, 9))
def test_kitti_keeps_every_step_of_a_64th_and_every_unknown_pixel(tmp_path_factory, seed, height, width):
    rng = np.random.default_rng(seed)
    flow_xy = (rng.integers(-32768, 32768, (height, width, 2)) / 64).astype(np.float32)
    flow_xy[rng.random((height, width)) < 0.3] = np.nan
    path = tmp_path_factory.mktemp("kitti") / "a.png"
    write_kitti_flow(path, flow_xy)
    np.testing.assert_array_equal(read_kitti_flow(path), flow_xy)


def test_kitti_rounds_to_half_a_step_and_refuses_what_it_cannot_hold(tmp_path):
    write_kitti_flow(tmp_path / "a.png", some_flow())
    np.testing.assert_allclose(read_kitti_flow(tmp_path / "a.png"), some_flow(), atol=1 / 128, rtol=0)
    with pytest.raises(RangeError, match=r"600\.00 px"):
        write_kitti_flow(tmp_path / "b.png", np.full((2, 2, 2), 600, np.float32))
    assert not (tmp_path / "b.png").exists()


def write_png(path, mode, size=(4, 3)):
    from PIL import Image

    Image.new(mode, size).save(path)


def test_pictures_of_another_depth_or_colour_are_refused(tmp_path):
    for mode, words in (("RGB", "8-bit RGB"), ("I;16", "16-bit grey"), ("RGBA", "8-bit RGB with alpha")):
        write_png(tmp_path / "bad.png", mode)
        with pytest.raises(FormatError, match=rf"bad\.png is {words}; expected 16-bit RGB"):
            read_kitti_flow(tmp_path / "bad.png")


def test_a_cut_damaged_or_swapped_kitti_file_is_named_with_its_reason(tmp_path):
    write_kitti_flow(tmp_path / "a.png", some_flow())
    data = (tmp_path / "a.png").read_bytes()
    bad = tmp_path / "bad.png"
    damaged = bytearray(data)
    damaged[60] ^= 255
    words = np.zeros((3, 4, 3), ">u2")
    words[..., 1:] = 32000
    words[0, 0, 2], words[0, :, 0] = 31000, 1
    other = words.copy()
    other[..., 0] = 32000
    for content, reason in (
        (data[:-5], "inside a part of the picture"),
        (data[:40], "inside a part of the picture"),
        (data[:20], "inside a part of the picture"),
        (bytes(damaged), "is damaged near byte 33"),
        (b"GIF89a" + data, "does not begin as a PNG"),
        (kitti_flow._png(words), "in the order BGR"),
        (kitti_flow._png(other), "2 different values above 0 in its blue channel"),
    ):
        bad.write_bytes(content)
        with pytest.raises(FormatError, match=r"bad\.png") as caught:
            read_kitti_flow(bad)
        assert reason in str(caught.value)


def test_a_picture_whose_data_do_not_unpack_is_refused(tmp_path):
    import zlib

    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", b"not compressed"), (b"IEND", b"")
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    (tmp_path / "bad.png").write_bytes(kitti_flow.SIGNATURE + data)
    with pytest.raises(FormatError, match=r"bad\.png"):
        read_kitti_flow(tmp_path / "bad.png")


@pytest.mark.parametrize("ending", FLOW_ENDINGS)
def test_the_ending_chooses_the_format(tmp_path, ending):
    flow_xy = np.round(some_flow() * 64) / np.float32(64)
    write_flow(tmp_path / f"a{ending}", flow_xy)
    np.testing.assert_array_equal(read_flow(tmp_path / f"a{ending}"), flow_xy)
    with pytest.raises(FormatError, match="does not exist"):
        read_flow(tmp_path / f"b{ending}")
    with pytest.raises(OutputError):
        write_flow(tmp_path / "nowhere" / f"b{ending}", flow_xy)
    (tmp_path / f"c{ending}").write_bytes((tmp_path / f"a{ending}").read_bytes()[:50])
    with pytest.raises(FormatError, match=f"c{ending}"):
        read_flow(tmp_path / f"c{ending}")


def test_an_unknown_ending_and_arrays_that_are_no_flow_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"ends in '.tiff'; expected one of .flo, .png"):
        read_flow(tmp_path / "a.tiff")
    for values in (np.zeros((4, 5), np.float32), np.zeros((4, 5, 2), np.int32), np.zeros((0, 5, 2), np.float32)):
        np.save(tmp_path / "a.npy", values)
        with pytest.raises(FormatError, match=r"expected \(height, width, 2\)"):
            read_flow(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(FormatError, match="holds 2 arrays"):
        read_flow(tmp_path / "a.npz")


def test_half_and_double_arrays_are_read_as_float32(tmp_path):
    for dtype in (np.float16, np.float64):
        np.save(tmp_path / "a.npy", np.array([[[1.5, np.inf], [2.5, -3]]], dtype))
        flow_xy = read_flow(tmp_path / "a.npy")
        assert flow_xy.dtype == np.float32
        np.testing.assert_array_equal(flow_xy, np.float32([[[np.nan, np.nan], [2.5, -3]]]))


def test_the_development_files_have_the_known_numbers_of_valid_pixels(data_folder):
    counts = {
        "Middlebury_flow/other-gt-flow/Grove2/flow10.flo": 307200,
        "Middlebury_flow/other-gt-flow/RubberWhale/flow10.flo": 222970,
        "KITTI2012_flow/flow_noc/000157_10.png": 116719,
        "FlyingChairs_samples/0000000-gt.flo": 196608,
    }
    for name, count in counts.items():
        flow_xy = read_flow(data_folder / name)
        assert int(np.isfinite(flow_xy).all(axis=2).sum()) == count
