"""Pairs files whose names differ by the number in them: in000012.jpg, gt000012.png and bin12.png are one frame."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from cvseg.errors import FormatError

NUMBER = re.compile(r"\d+")


def frame_number(name: str) -> int | None:
    """The last whole number in `name`; None when there is none.

    Examples
    --------
    >>> frame_number("gt000012"), frame_number("frame_7"), frame_number("ROI")
    (12, 7, None)
    """
    numbers = NUMBER.findall(name)
    return int(numbers[-1]) if numbers else None


def numbered_files(folder: Path, endings: Collection[str]) -> dict[int, Path]:
    """Files of `folder` by the number in their name, rising; files without a number and hidden ones are left out.

    Parameters
    ----------
    folder : not searched further down
    endings : accepted endings in small letters with the dot, as {".png"}

    Raises
    ------
    FormatError
        when two files have one number: which one counts would be a guess.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        number = frame_number(path.stem)
        if number is None or path.name.startswith(".") or path.suffix.lower() not in endings or not path.is_file():
            continue
        if number in found:
            raise FormatError(
                f"{path} and {found[number].name} have one number; expected one file a frame. Remove one of them."
            )
        found[number] = path
    return dict(sorted(found.items()))
