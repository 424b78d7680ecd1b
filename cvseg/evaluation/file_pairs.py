"""Pairs the files of a result folder with those of the truth, and names what is missing, extra or of the wrong size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cvseg.errors import FormatError, InputError

NAMED_FILES = 5  # of a longer list the rest is counted


@dataclass(frozen=True)
class FilePair:
    """One truth file and its result.

    Attributes
    ----------
    sequence : name of the folder below the root; "" when the files lie in the root itself
    frame : name of the truth file without its ending
    result : None when the result is missing and counts as empty
    truth : truth file
    """

    sequence: str
    frame: str
    result: Path | None
    truth: Path


def check_folder(caller: str, role: str, folder: Path) -> Path:
    """`folder`, when it is one; `role` is "results" or "truth".

    Raises
    ------
    InputError
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{caller}: {folder} {what}; expected the folder of the {role}. Check --{role}.")
    return folder


def files_below(folder: Path, endings: Collection[str]) -> dict[str, dict[str, Path]]:
    """Files by sequence and name without ending: of `folder` itself (sequence "") and of the folders in it.

    Parameters
    ----------
    folder : root
    endings : accepted endings in small letters with the dot, as {".png"}

    Returns
    -------
    dict : sequence to (name to path), both sorted. Hidden files are left out.

    Raises
    ------
    FormatError
        when two files of one sequence differ only in their ending: which one counts would be a guess.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if path.name.startswith(".") or not path.is_file() or path.suffix.lower() not in endings:
            continue
        sequence = "" if path.parent == folder else path.parent.name
        names = found.setdefault(sequence, {})
        if path.stem in names:
            raise FormatError(
                f"{path} and {names[path.stem].name} have one name; expected one file a frame. Remove one of them."
            )
        names[path.stem] = path
    return found


def pair_files(
    caller: str,
    results: Mapping[str, Mapping[str, Path]],
    truth: Mapping[str, Mapping[str, Path]],
    *,
    missing_as_empty: bool = False,
) -> tuple[list[FilePair], list[str]]:
    """A pair for every truth file, in order, and remarks on extra and missing results.

    Parameters
    ----------
    results, truth : sequence to (name to path), as `files_below` gives them
    missing_as_empty : a missing result is an empty one, and is named in the remarks; else an error

    Raises
    ------
    InputError
        when there is no truth, or a result is missing; the sentence names the first files.
    """
    pairs = [
        FilePair(sequence, frame, results.get(sequence, {}).get(frame), path)
        for sequence, frames in truth.items()
        for frame, path in frames.items()
    ]
    if not pairs:
        raise InputError(f"{caller}: the truth folder holds no file to compare with. Check --truth.")
    remarks = []
    absent = [_label(pair.sequence, pair.frame) for pair in pairs if pair.result is None]
    if absent and (not missing_as_empty or len(absent) == len(pairs)):
        advice = (
            "Check that both folders are laid out alike."
            if len(absent) == len(pairs)
            else "Write them, or count them as empty with --missing-as-empty."
        )
        raise InputError(
            f"{caller}: {len(absent)} of {len(pairs)} frames of the truth have no result ({listed(absent)}). {advice}"
        )
    if absent:
        remarks.append(f"{len(absent)} of {len(pairs)} results are missing and counted as empty: {listed(absent)}.")
    extra = [
        _label(sequence, frame)
        for sequence, frames in results.items()
        for frame in frames
        if frame not in truth.get(sequence, {})
    ]
    if extra:
        remarks.append(f"{len(extra)} result files have no truth and were not counted: {listed(extra)}.")
    return pairs, remarks


def check_same_size(
    result: Path | str, result_hw: tuple[int, ...], truth: Path | str, truth_hw: tuple[int, ...]
) -> None:
    """Demand one size; masks are never resized silently, because that changes every measure.

    Raises
    ------
    FormatError
    """
    if result_hw != truth_hw:
        sizes = [f"{size[1]}x{size[0]}" for size in (result_hw, truth_hw)]
        raise FormatError(
            f"{result} is {sizes[0]} pixels; expected {sizes[1]} as in {truth}. "
            "Write the results at the size of the truth."
        )


def listed(names: Iterable[str], most: int = NAMED_FILES) -> str:
    """The first names, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(names)
    head = ", ".join(names[:most])
    return head if len(names) <= most else f"{head} and {len(names) - most} more"


def _label(sequence: str, frame: str) -> str:
    return f"{sequence}/{frame}" if sequence else frame
