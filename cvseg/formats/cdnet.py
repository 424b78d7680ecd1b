"""CDnet's truth of change detection: label masks, region of interest, and the range of frames that counts.

A sequence is a folder with groundtruth/gt000001.png ..., ROI.bmp, temporalROI.txt and the frames in input/ (SBI2015 and
the UCSD set keep to this layout, UCSD with frames in in/). Frame numbers are 1-based and stand in the file names; both
ends of the temporal region of interest count. Labels: 0 static, 50 shadow, 85 outside the region of interest, 170
unknown, 255 moving.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError
from cvseg.formats.davis import read_mask

LABELS = (0, 50, 85, 170, 255)


def read_change_labels(path: str | Path) -> NDArray[np.uint8]:
    """Read a truth mask.

    Returns
    -------
    (H, W) uint8 of the labels 0, 50, 85, 170 and 255

    Raises
    ------
    FormatError
        when the file is missing, damaged, a colour picture, or holds another label.
    """
    values = read_mask(path)
    strange = sorted(set(np.flatnonzero(np.bincount(values.ravel())).tolist()) - set(LABELS))
    if strange:
        raise FormatError(
            f"{path} holds the labels {', '.join(map(str, strange[:5]))}; expected {', '.join(map(str, LABELS))}. "
            "Was it saved with lossy compression, or does it hold object ids?"
        )
    return values.astype(np.uint8)


def read_region_of_interest(path: str | Path) -> NDArray[np.bool_]:
    """Read ROI.bmp: a pixel counts unless it is black.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    FormatError
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            # By brightness: in a palette picture the index says nothing.
            return np.asarray(picture.convert("L")) > 0
    except Exception as error:  # Pillow's decoders raise nearly every built-in on damaged data
        raise FormatError(f"{path} cannot be read as a picture ({error}). Copy it again.") from None


def read_temporal_region(path: str | Path) -> tuple[int, int]:
    """Read temporalROI.txt: the first and the last frame that count, both included.

    Raises
    ------
    FormatError
    """
    try:
        words = Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read ({error}); expected two frame numbers.") from None
    if len(words) != 2 or not all(word.isdigit() for word in words) or int(words[0]) > int(words[1]):
        raise FormatError(
            f"{path}, line 1: {' '.join(words)[:60]!r}; expected the first and the last frame number, as '470 1700'."
        )
    return int(words[0]), int(words[1])
