"""COCO run-length masks: text of one mask, and its area, box and overlaps without decoding.

Rules of the format: runs go down the columns (pixel (x, y) is number ``x * height + y``); the first run counts
background; boxes are half-open and 0-based; there is no ignore label, a crowd is marked beside the mask. The
compressed text holds each run in groups of 5 bits, lowest first, as characters from code 48 on; bit 6 says that more
follow, the last group carries the sign; from the fourth run on the difference to the run two before is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.errors import FormatError
from cvseg.masks.run_length import (
    Runs,
    check_runs,
    mask_runs,
    merge_runs,
    polygon_runs,
    run_area,
    run_box_xyxy,
    run_overlaps,
    runs_mask,
)

Counts = str | bytes | Sequence[int] | NDArray[Any]

FIRST_CHARACTER = 48
MORE = 32
SIGN = 16
MOST_GROUPS = 13  # 65 bits: more cannot be a 64-bit number


def encode_rle(mask: NDArray[np.bool_]) -> bytes:
    """Compressed COCO text of a mask.

    Parameters
    ----------
    mask : (H, W) bool

    Returns
    -------
    bytes : ASCII; the same as the reference program writes

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> encode_rle(np.array([[False, True], [True, True]]))
    b'13'
    """
    return encode_runs(mask_runs(mask))


def decode_rle(counts: Counts, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask of compressed text or of a list of runs.

    Parameters
    ----------
    counts : compressed text, or runs as numbers
    size_hw : height and width

    Returns
    -------
    (H, W) bool

    Raises
    ------
    FormatError
        when the text is damaged or the runs do not add up to the image.

    Examples
    --------
    >>> decode_rle("13", (2, 2)).astype(int).tolist()
    [[0, 1], [1, 1]]
    """
    runs = decode_runs(counts)
    _check("decode_rle", runs, size_hw)
    return runs_mask(runs, size_hw)


def encode_runs(runs: Runs) -> bytes:
    """Compressed text of runs.

    >>> encode_runs(np.array([100, 3, 40, 5]))
    b'T33X12'
    """
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]
    # A number of g groups lies in [-2**(5g-1), 2**(5g-1)): the last group carries the sign.
    size = np.where(values < 0, ~values, values)
    groups = np.ones(len(values), np.int64)
    for count in range(1, MOST_GROUPS):
        more = size >> (5 * count - 1) != 0
        if not more.any():
            break
        groups += more
    place = np.arange(int(groups.sum())) - np.repeat(np.cumsum(groups) - groups, groups)
    codes = (np.repeat(values, groups) >> 5 * place) & (MORE - 1)
    codes |= np.where(place + 1 < np.repeat(groups, groups), MORE, 0)
    return (codes + FIRST_CHARACTER).astype(np.uint8).tobytes()


def decode_runs(counts: Counts) -> Runs:
    """Runs of compressed text; a list of runs becomes an array.

    Returns
    -------
    (n,) int64, not negative

    Raises
    ------
    FormatError
        naming the place of the first wrong character.

    Examples
    --------
    >>> decode_runs("T33X12").tolist()
    [100, 3, 40, 5]
    """
    if not isinstance(counts, (str, bytes)):
        try:
            given = np.asarray(counts)
        except (ValueError, OverflowError):  # lists of unequal length, numbers without end
            given = np.zeros((0, 0))
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise FormatError(
                "decode_runs: the runs are not a flat list of whole numbers; expected compressed text or such a list."
            )
        runs = given.astype(np.int64)
    else:
        runs = _decoded_text(counts)
    if runs.size and int(runs.min()) < 0:
        place = int(np.argmax(runs < 0))
        raise FormatError(
            f"decode_runs: run {place} is {int(runs[place])} pixels long; expected 0 or more. The text is damaged."
        )
    return runs


def rle_area(counts: Counts) -> int:
    """Number of pixels of the mask.

    >>> rle_area("13")
    3
    """
    return run_area(decode_runs(counts))


def rle_box_xyxy(counts: Counts, size_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """Half-open box (x0, y0, x1, y1) around the mask; (0, 0, 0, 0) for an empty one.

    >>> rle_box_xyxy("13", (2, 2))
    (0, 0, 2, 2)
    """
    runs = decode_runs(counts)
    _check("rle_box_xyxy", runs, size_hw)
    return run_box_xyxy(runs, size_hw[0])


def rle_overlaps(
    list_a: Sequence[Counts], list_b: Sequence[Counts], crowd: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Intersection over union of every pair of masks of one size, see `cvseg.masks.run_length.run_overlaps`.

    >>> rle_overlaps(["13"], ["13", [0, 1, 3]]).tolist()
    [[1.0, 0.0]]
    """
    return run_overlaps([decode_runs(counts) for counts in list_a], [decode_runs(counts) for counts in list_b], crowd)


def merge(masks: Sequence[Counts], *, intersect: bool = False) -> bytes:
    """Compressed text of the union, or of the intersection, of masks of one size.

    >>> merge(["13", [0, 1, 3]])
    b'04'
    """
    return encode_runs(merge_runs([decode_runs(counts) for counts in masks], intersect=intersect))


def polygons_rle(polygons: Sequence[ArrayLike], size_hw: tuple[int, int]) -> bytes:
    """Compressed text of the union of polygons, each x, y, x, y, ... in pixels, drawn by COCO's rule.

    >>> polygons_rle([[0, 0, 2, 0, 2, 1, 0, 1]], (2, 3))
    b'01102'
    """
    return encode_runs(segmentation_runs(polygons, size_hw))


def segmentation_runs(segmentation: Any, size_hw: tuple[int, int]) -> Runs:
    """Runs of what a COCO file holds under "segmentation": polygons, or {"counts": text or list, "size": [H, W]}.

    Raises
    ------
    FormatError
        when it is neither, is damaged, or belongs to an image of another size.
    """
    if isinstance(segmentation, Mapping):
        size = segmentation.get("size")
        if size is not None and (not isinstance(size, Sequence) or list(size) != list(size_hw)):
            raise FormatError(f"the mask has size {size}; expected {list(size_hw)} (height, width) as its image.")
        counts = segmentation.get("counts")
        if not isinstance(counts, (str, bytes, list)):
            raise FormatError("the mask has no 'counts'; expected compressed text or a list of runs.")
        runs = decode_runs(counts)
        _check("the mask", runs, size_hw)
        return runs
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, (str, bytes)) or not len(segmentation):
        raise FormatError("the mask is neither a list of polygons nor a table with 'counts' and 'size'.")
    try:
        return merge_runs([polygon_runs(polygon, size_hw) for polygon in segmentation])
    except (TypeError, ValueError) as error:
        raise FormatError(f"a polygon of the mask cannot be read ({error}).") from None


def _check(caller: str, runs: Runs, size_hw: tuple[int, int]) -> None:
    try:
        check_runs(caller, runs, size_hw)
    except ValueError as error:
        raise FormatError(str(error)) from None


def _decoded_text(text: str | bytes) -> Runs:
    try:
        data = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise FormatError(
            f"decode_runs: character {error.start} of the text is not ASCII; the text is damaged."
        ) from None
    codes = np.frombuffer(data, np.uint8).astype(np.int64) - FIRST_CHARACTER
    wrong = np.flatnonzero((codes < 0) | (codes >= 2 * MORE))
    if wrong.size:
        place = int(wrong[0])
        raise FormatError(
            f"decode_runs: character {place} of the text is {chr(data[place])!r}; expected one from '0' to 'o'. "
            "The text is damaged, or the mask is not in COCO's form."
        )
    if codes.size and codes[-1] & MORE:
        raise FormatError("decode_runs: the text ends in the middle of a run; it is cut off.")
    last = np.flatnonzero(codes & MORE == 0)
    first = np.concatenate([np.zeros(1, np.int64), last[:-1] + 1])[: len(last)]
    groups = last - first + 1
    if groups.size and int(groups.max()) > MOST_GROUPS - 1:
        raise FormatError("decode_runs: a run has more than 60 bits; the text is damaged.")
    place = np.arange(len(codes)) - np.repeat(first, groups)
    values = np.add.reduceat((codes & (MORE - 1)) << 5 * place, first) if len(first) else np.zeros(0, np.int64)
    values -= np.where(codes[last] & SIGN != 0, np.left_shift(np.int64(1), 5 * groups), 0)
    # The fourth run and later ones are differences to the run two before.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
