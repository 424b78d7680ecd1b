"""Label maps as files: PNG of 16 bits, or of 24 in three channels where numbers are larger, and NumPy's npz."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, OptionError, RangeError, nearest_name
from cvseg.video.replace_file import replacing

LABEL_MAP_ENDINGS = (".png", ".npz")
KEY = "labels"  # of the array in an npz file


def write_label_map(path: str | Path, labels: NDArray[np.integer[Any]]) -> None:
    """Write one label map, without loss.

    Parameters
    ----------
    path : ending in .png: 16-bit grey when no label is above 65535, else 8-bit RGB with
        label = red + 256 green + 65536 blue; or in .npz: int32 under "labels", compressed
    labels : (H, W) integers of at least 0; in a PNG below 2^24

    Raises
    ------
    OptionError
        for another ending.
    RangeError
        for labels that the file cannot hold.
    OutputError
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in LABEL_MAP_ENDINGS:
        raise OptionError(f"{path}: unknown ending '{path.suffix}'; {nearest_name(ending, LABEL_MAP_ENDINGS)}")
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    most = 2**24 - 1 if ending == ".png" else 2**31 - 1
    if low < 0 or high > most:
        raise RangeError(f"{path}: labels are {low} to {high}; a {ending} file holds 0 to {most}.")
    with replacing(path) as partial:
        if ending == ".npz":
            with open(partial, "wb") as file:
                np.savez_compressed(file, labels=labels.astype(np.int32))
            return
        from PIL import Image

        if high < 65536:
            picture = Image.fromarray(labels.astype(np.uint16))
        else:
            channels = [(labels >> shift & 255).astype(np.uint8) for shift in (0, 8, 16)]
            picture = Image.fromarray(np.stack(channels, axis=2))
        picture.save(partial, format="PNG")


def read_label_map(path: str | Path) -> NDArray[np.int32]:
    """The (H, W) int32 labels of a file that `write_label_map` made, or of any 8- or 16-bit grey PNG.

    Raises
    ------
    FormatError
        when the file is missing, damaged, or no label map.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".npz":
            with np.load(path) as held:
                labels = held[KEY]
        else:
            from PIL import Image

            with Image.open(path) as opened:
                labels = np.asarray(opened).astype(np.int32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(f"{path} cannot be read as a label map ({error}). Is it the right file?") from error
    if labels.ndim == 3 and labels.shape[2] == 3:
        labels = labels[:, :, 0] + (labels[:, :, 1] << 8) + (labels[:, :, 2] << 16)
    if labels.ndim != 2:
        raise FormatError(f"{path} holds an array of shape {labels.shape}; expected one label for each pixel.")
    return labels.astype(np.int32)
