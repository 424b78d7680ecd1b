"""KITTI flow: a PNG of 16-bit RGB, u = (R - 32768) / 64, v = (G - 32768) / 64, B = 1 where the flow is known.

Pixels in row order from the top left; u is right, v is down, both in steps of 1/64 pixel from -512 to 511.98. Where B
is 0 the other two mean nothing; in memory both components of such a pixel are NaN. B is a mark: 0 or one other value.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import FormatError, RangeError
from cvseg.video.replace_file import replacing

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ZERO_FLOW = 32768
STEPS_PER_PX = 64
BIT_DEPTH, RGB = 16, 2  # as in the header chunk of a PNG
COLOUR_TYPES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
LARGEST_SIDE = 99_999


def read_kitti_flow(path: str | Path) -> NDArray[np.float32]:
    """Read a KITTI flow PNG.

    Parameters
    ----------
    path : file to read

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, x right and y down; NaN in both components where the flow is unknown

    Raises
    ------
    FormatError
        when the file is missing, damaged or cut short, is not 16-bit RGB, or stores its channels as BGR.

    References
    ----------
    [Menze2015]_ (the benchmark that uses the format)
    """
    path = Path(path)
    _check_png(path)
    words = _decode(path)
    red, mark = words[..., 0], words[..., 2]
    marks = np.unique(mark[mark > 0])
    if marks.size > 1:
        if red.max() <= 1:
            raise FormatError(
                f"{path} has its channels in the order BGR; expected RGB with the mark of known pixels in B. "
                "OpenCV writes BGR: reverse the channels before writing."
            )
        raise FormatError(
            f"{path} has {marks.size} different values above 0 in its blue channel; expected 0 for unknown and one "
            "value for known. Is it another kind of 16-bit picture?"
        )
    # Whole numbers below 2^16 over a power of two: exact in float32.
    flow_xy = (words[..., :2].astype(np.float32) - np.float32(ZERO_FLOW)) / np.float32(STEPS_PER_PX)
    flow_xy[mark == 0] = np.nan
    return flow_xy


def write_kitti_flow(path: str | Path, flow_xy: NDArray[Any]) -> None:
    """Write a KITTI flow PNG; the file appears whole or not at all.

    Values are rounded to 1/64 pixel, so that `read_kitti_flow` gives them back within 1/128.

    Parameters
    ----------
    path : file to write
    flow_xy : (H, W, 2) float32, pixels; pixels with a component that is not finite become unknown

    Raises
    ------
    ShapeError, DtypeError, OutputError
    RangeError
        when a known component lies outside [-512, 511.98], which the format cannot hold, or there is no pixel.
    """
    sizes = check_shapes("write_kitti_flow", flow_xy=(flow_xy, "H W 2"))
    check_dtype("write_kitti_flow", np.float32, flow_xy=flow_xy)
    if flow_xy.size == 0:
        raise RangeError(f"write_kitti_flow: flow_xy is {flow_xy.shape}; expected at least one pixel.")
    known = np.isfinite(flow_xy).all(axis=2)
    steps = np.rint(np.where(known[..., None], flow_xy, 0).astype(np.float64) * STEPS_PER_PX) + ZERO_FLOW
    if steps.min() < 0 or steps.max() > 65535:
        worst = float(np.abs(flow_xy[known]).max())
        raise RangeError(
            f"write_kitti_flow: flow_xy holds components up to {worst:.2f} px; KITTI's PNG holds -512 to 511.98. "
            "Write .flo, or set these pixels to NaN."
        )
    words = np.zeros((sizes["H"], sizes["W"], 3), ">u2")
    words[..., :2] = np.where(known[..., None], steps, 0)
    words[..., 2] = known
    with replacing(path) as partial:
        partial.write_bytes(_png(words))


def _check_png(path: Path) -> None:
    """Demand a whole PNG of 16-bit RGB: a decoder would fill what is missing with grey, or cut 16 bits to 8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise FormatError(f"{path} {reason}; expected a KITTI flow PNG. Check the path.") from None
    if data[:8] != SIGNATURE:
        raise FormatError(f"{path} does not begin as a PNG; expected a KITTI flow PNG. Is it another format?")
    position, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[position : position + 8].ljust(8, b"\0"))
        end = position + 12 + length
        if end > len(data):
            raise FormatError(f"{path} ends after {len(data)} bytes, inside a part of the picture. Copy it again.")
        if struct.unpack(">I", data[end - 4 : end])[0] != zlib.crc32(data[position + 4 : end - 4]):
            raise FormatError(f"{path} is damaged near byte {position} (check sum of {kind!r}). Copy it again.")
        if position == 8:
            _check_header(path, kind, data[16 : end - 4])
        position = end


def _check_header(path: Path, kind: bytes, header: bytes) -> None:
    if kind != b"IHDR" or len(header) != 13:
        raise FormatError(f"{path} does not begin with the header of a PNG. Copy it again.")
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise FormatError(
            f"{path} says it is {width}x{height} pixels; expected sides from 1 to {LARGEST_SIDE}. Copy it again."
        )
    if (depth, colour) != (BIT_DEPTH, RGB):
        raise FormatError(
            f"{path} is {depth}-bit {COLOUR_TYPES.get(colour, f'colour type {colour}')}; expected 16-bit RGB. "
            "Was it saved by a program that knows only 8 bits, or is it a picture of the flow?"
        )


def _decode(path: Path) -> NDArray[np.uint16]:
    """(H, W, 3) words. Pillow reads 16 bits a channel only for grey."""
    import av

    try:
        with av.open(str(path), format="png_pipe") as container:
            frame = next(container.decode(video=0))
            return np.asarray(frame.to_ndarray(format="rgb48le"), np.uint16)
    except (av.error.FFmpegError, StopIteration, ValueError) as error:
        raise FormatError(f"{path} cannot be decoded ({error}); expected a KITTI flow PNG. Copy it again.") from None


def _png(words: NDArray[Any]) -> bytes:
    """(H, W, 3) big-endian uint16 as a PNG; each row is stored as the difference to the row above."""
    height, width = words.shape[:2]
    rows = np.frombuffer(words.tobytes(), np.uint8).reshape(height, 6 * width)
    lines = np.full((height, 1 + 6 * width), 2, np.uint8)  # 2: the filter that subtracts the row above
    lines[0, 1:] = rows[0]
    lines[1:, 1:] = rows[1:] - rows[:-1]  # wraps around, as the format wants
    header = struct.pack(">IIBBBBB", width, height, BIT_DEPTH, RGB, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
