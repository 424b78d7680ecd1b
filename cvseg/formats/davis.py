"""DAVIS masks: one indexed PNG a frame, the value of a pixel is the id of its object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_shapes
from cvseg.color.palette import davis_palette
from cvseg.errors import DtypeError, FormatError, OutputError, RangeError
from cvseg.records.frame import Frame
from cvseg.records.result import FrameResult
from cvseg.video.replace_file import file_in, prepare_folder, replacing

LARGEST_INDEX = 255
LARGEST_ID = 65535


def write_mask(path: str | Path, labels: NDArray[Any]) -> None:
    """Write a label map as a PNG; the file appears whole or not at all.

    Ids up to 255: indexed PNG with the DAVIS palette. A frame that holds a larger id, up to 65535, is written as
    16-bit grey PNG whose values are the ids, so that no id is lost; `read_mask` reads both.

    Parameters
    ----------
    path : file to write
    labels : (H, W) integer or bool, 0 background, else the id

    Raises
    ------
    OutputError, ShapeError, DtypeError
    RangeError
        when an id is negative or above 65535.
    """
    from PIL import Image

    check_shapes("write_mask", labels=(labels, "H W"))
    if labels.dtype.kind not in "iub":
        raise DtypeError(
            f"write_mask: labels is {labels.dtype}; expected whole numbers. Convert it with astype(np.int32)."
        )
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > LARGEST_ID or not labels.size:
        raise RangeError(
            f"write_mask: labels is {labels.shape} with ids from {low} to {high}; expected at least one pixel and ids "
            f"from 0 to {LARGEST_ID}. Renumber the ids."
        )
    if high <= LARGEST_INDEX:
        picture = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
        picture.putpalette(davis_palette().tobytes())
    else:
        picture = Image.fromarray(np.ascontiguousarray(labels, np.uint16))
    with replacing(path) as partial, open(partial, "wb") as file:
        picture.save(file, format="PNG")


def read_mask(path: str | Path) -> NDArray[np.int32]:
    """Read a mask: palette indices, or the values of a grey PNG, never palette colours.

    Values are returned as stored: DAVIS 2016 stores 255 for the object, some DAVIS sets store 255 for "not labelled".

    Returns
    -------
    (H, W) int32

    Raises
    ------
    FormatError
        when the file is missing, damaged, or holds colours instead of ids.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.load()
            mode, kind = picture.mode, picture.format
            values = np.asarray(picture)
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a mask (indexed PNG). Check the path.") from None
    except Exception as error:  # Pillow's decoders raise nearly every built-in on damaged data
        unknown = type(error).__name__ == "UnidentifiedImageError"  # its text repeats the path
        reason = "it is no picture" if unknown else str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(
            f"{path} cannot be read as a mask ({reason}); expected an indexed PNG. Copy it again."
        ) from None
    if kind == "JPEG":
        raise FormatError(
            f"{path} is a JPEG, whatever its ending says, and JPEG changes ids; expected an indexed or grey PNG. "
            "Write the masks as PNG."
        )
    if mode not in ("P", "L", "1", "I") and not mode.startswith("I;16"):
        raise FormatError(
            f"{path} is a colour picture ({mode}); expected an indexed or grey PNG whose values are ids. "
            "Was it saved by a program that expands palettes?"
        )
    return np.ascontiguousarray(values, np.int32)


class MaskSink:
    """Writes ``folder/<frame name>.png`` with `write_mask`; a `FrameSink` whose pictures are label maps."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = prepare_folder(folder)
        self._closed = False

    def write(self, labels: NDArray[Any], frame: Frame) -> None:
        """Write the (H, W) ids of one frame."""
        if self._closed:
            raise OutputError(f"{self._folder}: the sink is closed; open a new one to write more.")
        write_mask(file_in(self._folder, frame.name, ".png"), labels)

    def write_result(self, result: FrameResult) -> None:
        """Write the labels of a result of the pipeline."""
        self.write(result.labels, result.frame)

    def close(self) -> None:
        self._closed = True

    def abort(self) -> None:
        self._closed = True

    def __enter__(self) -> MaskSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
