"""Middlebury's .flo: dense flow of one pair of frames.

Little-endian throughout: float32 202021.25 (the bytes "PIEH"), int32 width, int32 height, then row by row, from the top
left pixel, float32 u (right) and float32 v (down) of each pixel, in pixels. A component beyond 1e9 in size, infinite or
NaN marks the pixel as unknown; in memory both components of such a pixel are NaN.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import FormatError, RangeError
from cvseg.video.replace_file import replacing

TAG = b"PIEH"
UNKNOWN_ABOVE = 1e9
UNKNOWN_VALUE = np.float32(1.666666752e9)  # what Middlebury itself writes
LARGEST_SIDE = 99_999  # a larger one is a damaged header
HEADER_BYTES = 12


def read_flo(path: str | Path) -> NDArray[np.float32]:
    """Read a .flo file.

    Parameters
    ----------
    path : file to read

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, x right and y down; NaN in both components where the flow is unknown

    Raises
    ------
    FormatError
        when the file is missing, does not begin with the tag, holds an absurd size, or is shorter or longer than its
        size demands.

    References
    ----------
    [Baker2011]_ (the data set that introduced the format)
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise FormatError(f"{path} {reason}; expected a .flo file. Check the path.") from None
    if data[:4] != TAG[: len(data)] or not data:
        raise FormatError(
            f"{path} begins with {data[:4]!r}; expected {TAG!r}, the tag of a .flo file. Is it another format?"
        )
    if len(data) < HEADER_BYTES:
        raise FormatError(f"{path} ends after {len(data)} bytes, inside its header of {HEADER_BYTES}. Copy it again.")
    width, height = np.frombuffer(data, "<i4", 2, 4).tolist()
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise FormatError(
            f"{path} says it is {width}x{height} pixels; expected sides from 1 to {LARGEST_SIDE}. "
            "Its header is damaged or written big-endian: copy or write it again."
        )
    needed = HEADER_BYTES + 8 * width * height
    if len(data) != needed:
        what = "ends after" if len(data) < needed else "goes on to"
        raise FormatError(f"{path} {what} {len(data)} bytes; {width}x{height} pixels need {needed}. Copy it again.")
    flow_xy = np.frombuffer(data, "<f4", offset=HEADER_BYTES).reshape(height, width, 2).astype(np.float32)
    # Written so that NaN counts as unknown. Mostly nothing is, and two looks tell.
    if not (flow_xy.max() <= UNKNOWN_ABOVE and flow_xy.min() >= -UNKNOWN_ABOVE):
        # A component each, because NumPy is slow along an axis of two.
        known = (np.abs(flow_xy[..., 0]) <= UNKNOWN_ABOVE) & (np.abs(flow_xy[..., 1]) <= UNKNOWN_ABOVE)
        flow_xy[~known] = np.nan
    return flow_xy


def write_flo(path: str | Path, flow_xy: NDArray[Any]) -> None:
    """Write a .flo file; it appears whole or not at all. `read_flo` gives back the same bits.

    Parameters
    ----------
    path : file to write
    flow_xy : (H, W, 2) float32, pixels; pixels with a component that is NaN, infinite or beyond 1e9 become unknown

    Raises
    ------
    ShapeError, DtypeError, OutputError
    RangeError
        when a side is 0 or above 99999.
    """
    sizes = check_shapes("write_flo", flow_xy=(flow_xy, "H W 2"))
    check_dtype("write_flo", np.float32, flow_xy=flow_xy)
    height, width = sizes["H"], sizes["W"]
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise RangeError(f"write_flo: flow_xy is {width}x{height} pixels; expected sides from 1 to {LARGEST_SIDE}.")
    known = (np.abs(flow_xy) <= UNKNOWN_ABOVE).all(axis=2, keepdims=True)
    values = np.where(known, flow_xy, UNKNOWN_VALUE).astype("<f4")
    with replacing(path) as partial:
        partial.write_bytes(TAG + np.array([width, height], "<i4").tobytes() + values.tobytes())
