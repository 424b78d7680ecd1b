"""Files of the protocol of regions: label maps, boundary strengths, and what several people drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError
from cvseg.evaluation.boundary_matching import segment_boundary
from cvseg.formats.bsds import read_bsds_truth
from cvseg.formats.davis import read_mask


def read_truth(path: Path) -> list[tuple[NDArray[np.int32], NDArray[np.bool_]]]:
    """Labels and boundary of each truth in a .mat (one a person), a picture or an array."""
    if path.suffix.lower() == ".mat":
        return read_bsds_truth(path)
    return [(labels, segment_boundary(labels)) for labels in read_labels(path)]


def read_labels(path: Path) -> list[NDArray[np.int32]]:
    """Levels of labels of a picture or an array."""
    if path.suffix.lower() == ".png":
        return [read_mask(path)]
    values = _read_array(path)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.dtype.kind not in "iub" or not values.size:
        raise FormatError(f"{path} is {values.shape} {values.dtype}; expected (H, W) or (n, H, W) whole-number labels.")
    return [level.astype(np.int32) for level in values]


def read_strength(path: Path) -> NDArray[np.float64]:
    """(H, W) in [0, 1]: a grey picture over its largest value, or an array as it is."""
    if path.suffix.lower() == ".png":
        from PIL import Image

        values = read_mask(path)
        with Image.open(path) as picture:
            largest = 65535 if picture.mode.startswith("I") else 1 if picture.mode == "1" else 255
        return values / largest
    array = _read_array(path)
    if array.ndim != 2 or array.dtype.kind not in "fiub" or not array.size:
        raise FormatError(f"{path} is {array.shape} {array.dtype}; expected (H, W) strengths in [0, 1].")
    return array.astype(np.float64)


def _read_array(path: Path) -> NDArray[Any]:
    try:
        with open(path, "rb") as file:
            if path.suffix.lower() == ".npy":
                return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
            with np.load(file, allow_pickle=False) as archive:
                if len(archive.files) != 1:
                    raise FormatError(f"{path} holds {len(archive.files)} arrays; expected one, the labels.")
                return np.asarray(archive[archive.files[0]])
    except FormatError:
        raise
    except Exception as error:  # NumPy raises ValueError, EOFError, BadZipFile and more on damaged data
        raise FormatError(f"{path} cannot be read as a NumPy array ({error}); copy or write it again.") from None
