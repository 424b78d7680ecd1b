"""Masks of any segmenter, frame by frame, without identities: a folder of PNGs, MOTS text, COCO run-length JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError

MOST_PIXELS = 2**30


@dataclass(frozen=True, eq=False)
class MaskFrame:
    """Objects of one frame.

    Attributes
    ----------
    index : from 0
    name : stem for files made from this frame
    labels : (H, W) int32, 0 background, objects 1..n in no lasting order
    """

    index: int
    name: str
    labels: NDArray[np.int32]


def is_mask_input(path: str | Path) -> bool:
    """Whether a path is a folder, a JSON file, or a text file whose lines are MOTS masks."""
    path = Path(path)
    if path.is_dir() or path.suffix.lower() == ".json":
        return True
    try:
        with open(path, encoding="utf-8-sig") as file:
            words = next((line for line in file if line.strip()), "").split()
    except (OSError, UnicodeDecodeError):
        return False
    return len(words) == 6 and "," not in words[0] and words[3].isdecimal() and not _is_number(words[5])


def read_mask_frames(path: str | Path) -> Iterator[MaskFrame]:
    """Read masks in the order of the frames; frames without a mask between the first and the last are empty ones.

    Parameters
    ----------
    path : a folder of PNGs (label maps; one with a single value is split into its components), MOTS text, or JSON:
        a list of ``{"frame" or "image_id": number, "segmentation": {"size", "counts"}, "score": number}``, in which the
        lowest number is the first frame and the higher score lies on top

    Raises
    ------
    FormatError
        naming the file and the entry, before the first frame for text and JSON.
    """
    path = Path(path)
    if path.is_dir():
        return _folder_frames(path)
    if path.suffix.lower() == ".json":
        return _json_frames(path)
    from cvseg.formats.mots import IGNORE_ID, read_mots

    found = read_mots(path)
    if not found:
        raise FormatError(f"{path} holds no mask; expected a line for each object and frame.")
    # MOTSChallenge counts from 1, KITTI from 0.
    first = min(min(found), 1)

    def painted() -> Iterator[tuple[int, Any]]:
        for number, frame in found.items():
            labels = frame.labels.labels()
            yield number - first, np.where(labels == IGNORE_ID, 0, labels)

    return _without_gaps(painted(), path)


def _folder_frames(folder: Path) -> Iterator[MaskFrame]:
    from cvseg.formats.davis import read_mask
    from cvseg.regions import label_components

    files = sorted(
        (file for file in folder.iterdir() if file.suffix.lower() == ".png"),
        key=lambda file: (file.stem.isdecimal(), int(file.stem) if file.stem.isdecimal() else 0, file.stem),
    )
    if not files:
        raise FormatError(f"{folder} holds no PNG; expected a mask for each frame.")

    def frames() -> Iterator[MaskFrame]:
        size = None
        for index, file in enumerate(files):
            labels = read_mask(file)
            size = size or labels.shape
            _check_size(labels.shape, size, str(file))
            if int(labels.max()) and len(np.unique(labels[labels > 0])) == 1:
                labels = np.asarray(label_components(labels > 0)[0], np.int32)
            yield MaskFrame(index, file.stem, _numbered(labels))

    return frames()


def _json_frames(path: Path) -> Iterator[MaskFrame]:
    from cvseg.formats.coco import read_json
    from cvseg.formats.coco_rle import segmentation_runs
    from cvseg.masks.run_length import runs_mask

    data = read_json(path)
    if not isinstance(data, list) or not data:
        raise FormatError(f"{path} is not a list of masks; expected [{{'frame', 'segmentation', 'score'}}, ...].")
    entries: dict[int, list[tuple[float, int, Any]]] = {}
    size: tuple[int, int] | None = None
    for place, entry in enumerate(data):
        where = f"{path}: mask {place}"
        if not isinstance(entry, Mapping):
            raise FormatError(f"{where} is no table; expected frame, segmentation and score.")
        number, score = entry.get("frame", entry.get("image_id")), entry.get("score", 1.0)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise FormatError(f"{where}: frame is {number!r}; expected 'frame' or 'image_id', a whole number from 0.")
        if not isinstance(score, (int, float)) or not np.isfinite(score):
            raise FormatError(f"{where}: score is {score!r}; expected a finite number.")
        segmentation = entry.get("segmentation")
        sides = segmentation.get("size") if isinstance(segmentation, Mapping) else None
        if not (isinstance(sides, list) and len(sides) == 2 and all(isinstance(n, int) and n > 0 for n in sides)):
            raise FormatError(f"{where}: the segmentation has no size; expected {{'size': [height, width], 'counts'}}.")
        if sides[0] * sides[1] > MOST_PIXELS:
            raise FormatError(f"{where}: size is {sides}; expected at most {MOST_PIXELS} pixels.")
        size = size or (sides[0], sides[1])
        _check_size((sides[0], sides[1]), size, where)
        try:
            runs = segmentation_runs(segmentation, size)
        except FormatError as error:
            raise FormatError(f"{where}: {error}") from None
        entries.setdefault(number, []).append((float(score), place, runs))
    assert size is not None
    shape = size
    first = min(entries)

    def painted() -> Iterator[tuple[int, Any]]:
        for number in sorted(entries):
            labels = np.zeros(shape, np.int32)
            for n, (_, _, runs) in enumerate(sorted(entries[number], key=lambda item: item[:2]), 1):
                labels[runs_mask(runs, shape)] = n
            yield number - first, labels

    return _without_gaps(painted(), path)


def _without_gaps(painted: Iterator[tuple[int, Any]], path: Path) -> Iterator[MaskFrame]:
    at, shape = 0, None
    for index, labels in painted:
        shape = shape or labels.shape
        _check_size(labels.shape, shape, f"{path}, frame {index}")
        for empty in range(at, index):
            yield MaskFrame(empty, f"{empty:05d}", np.zeros(shape, np.int32))
        yield MaskFrame(index, f"{index:05d}", _numbered(labels))
        at = index + 1


def _numbered(labels: Any) -> NDArray[np.int32]:
    values, places = np.unique(labels, return_inverse=True)
    order = np.cumsum(values > 0) * (values > 0)
    return np.ascontiguousarray(order[places].reshape(labels.shape), np.int32)


def _check_size(shape: Any, first: Any, where: str) -> None:
    if tuple(shape) != tuple(first):
        raise FormatError(
            f"{where} is {shape[1]}x{shape[0]} pixels; expected {first[1]}x{first[0]} as the first frame."
        )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
