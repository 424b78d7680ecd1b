"""Finds the files of tracking benchmarks: the truth of every sequence, its result, its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import listed
from cvseg.evaluation.tracking_accuracy import FrameMatches
from cvseg.evaluation.tracking_data import TrackingSequence
from cvseg.formats.mot_sequence_info import SequenceInfo, read_sequence_info

CALLER = "evaluate tracking"
BOXES, MASKS = "boxes", "masks"
LONGEST = 1_000_000  # frames, where no seqinfo.ini says the length: nine hours; what goes beyond is a damaged number


@dataclass(frozen=True)
class TrackingFiles:
    """One sequence.

    Attributes
    ----------
    name : of the sequence
    truth : text file, or folder of PNG masks
    result : the same; None when it is missing
    kind : "boxes" or "masks"
    info : seqinfo.ini beside the truth, or None
    images : folder of the pictures, or None
    """

    name: str
    truth: Path
    result: Path | None
    kind: str
    info: SequenceInfo | None = None
    images: Path | None = None


@dataclass(frozen=True, eq=False)
class Tracked:
    """One sequence, or one class of it, ready to be measured.

    Attributes
    ----------
    name : of the row
    sequence : what counts
    numbers : number of each frame, as in the files
    picture : draws frame i with its matches; None where nothing can be drawn
    group : class, for masks
    """

    name: str
    sequence: TrackingSequence
    numbers: Sequence[int]
    picture: Callable[[int, FrameMatches], NDArray[np.uint8]] | None = None
    group: str = ""


def find_tracking_files(
    results: Path, truth: Path, *, kind: str = "auto", images: str = "", missing_as_empty: bool = False
) -> tuple[list[TrackingFiles], list[str]]:
    """Sequences of `truth` with their results, by name, and remarks.

    Parameters
    ----------
    results, truth : folders, or one file each
    kind : "boxes", "masks", or "auto": by what the files hold
    images : folder with a folder for each sequence, or the pictures of the only one; "" looks beside the truth
    missing_as_empty : a sequence without a result counts as one where nothing was found

    Raises
    ------
    InputError
        when there is no truth, a result is missing, or `images` is no folder.
    FormatError
        when two files could be the result.
    """
    for role, path in (("results", results), ("truth", truth)):
        if not path.exists():
            raise InputError(f"{CALLER}: {path} does not exist; expected the {role}. Check --{role}.")
    if images and not Path(images).is_dir():
        raise InputError(f"{CALLER}: {images} is no folder; expected the pictures of the frames. Check --images.")
    truths = _truths(truth)
    if not truths:
        raise InputError(
            f"{CALLER}: {truth} holds no truth; expected SEQUENCE/gt/gt.txt, SEQUENCE.txt, or SEQUENCE/*.png. "
            "Check --truth."
        )
    kinds = {name: kind if kind != "auto" else _kind(path) for name, path in truths.items()}
    found = {name: _result(results, name, kinds[name], alone=len(truths) == 1) for name in truths}
    missing = [name for name, path in found.items() if path is None]
    remarks = []
    if missing and (not missing_as_empty or len(missing) == len(found)):
        raise InputError(
            f"{CALLER}: {len(missing)} of {len(found)} sequences have no result ({listed(missing)}); expected "
            f"{results / (missing[0] + '.txt')} or a folder of masks {results / missing[0]}. "
            + ("Check --results." if len(missing) == len(found) else "Or count them as empty with --missing-as-empty.")
        )
    if missing:
        remarks.append(f"{len(missing)} of {len(found)} results are missing and counted as empty: {listed(missing)}.")
    if extra := _extra(results, found):
        remarks.append(f"{len(extra)} results have no truth and were not counted: {listed(extra)}.")
    files = []
    for name, path in truths.items():
        info = _info(path)
        files.append(TrackingFiles(name, path, found[name], kinds[name], info, _images(images, name, path, info)))
    return files, remarks


def png_files(folder: Path) -> list[Path]:
    """The PNG files of a folder, by name."""
    return sorted(path for path in folder.glob("*.png") if not path.name.startswith("."))


def _truths(truth: Path) -> dict[str, Path]:
    if truth.is_file():
        return {_name_of_file(truth): truth}
    own = _truth_in(truth)
    if own is not None:
        return {truth.resolve().name: own}
    found: dict[str, Path] = {}
    for path in sorted(truth.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inside = _truth_in(path)
            if inside is not None:
                _put(found, path.name, inside)
        elif path.suffix.lower() == ".txt":
            _put(found, path.stem, path)
    return found


def _put(found: dict[str, Path], name: str, path: Path) -> None:
    if name in found:
        raise FormatError(
            f"{CALLER}: {found[name]} and {path} are both the truth of {name}; expected one. Remove one of them."
        )
    found[name] = path


def _truth_in(folder: Path) -> Path | None:
    """Truth of the one sequence whose folder this is, or None."""
    for inside in (folder / "gt" / "gt.txt", folder / "gt.txt"):
        if inside.is_file():
            return inside
    for inside in (folder / "gt", folder):
        if inside.is_dir() and png_files(inside):
            return inside
    return None


def _name_of_file(path: Path) -> str:
    """SEQUENCE/gt/gt.txt and SEQUENCE/gt.txt are named by their folder, SEQUENCE.txt by itself."""
    if path.name != "gt.txt":
        return path.stem
    folder = path.resolve().parent
    return folder.parent.name if folder.name == "gt" else folder.name


def _result(results: Path, name: str, kind: str, *, alone: bool) -> Path | None:
    if results.is_file():
        return results if alone else None
    folder = results / name
    candidates = [results / f"{name}.txt", results / "data" / f"{name}.txt", folder / "tracks.txt"]
    candidates += [folder / f"{name}.txt", folder, folder / "masks"]
    if alone:
        candidates += [results / "tracks.txt", results, results / "masks"]
    found = [path for path in candidates if path.is_file() or (path.is_dir() and png_files(path))]
    # The pipeline writes tracks.txt, which holds boxes, and masks/ into one folder.
    found = [path for path in found if (path.is_file() if kind == BOXES else path.name != "tracks.txt")]
    if len(found) > 1:
        raise FormatError(
            f"{CALLER}: {found[0]} and {found[1]} could both be the result of {name}; expected one. "
            "Move the other away, or name a file with --results."
        )
    return found[0] if found else None


def _extra(results: Path, found: dict[str, Path | None]) -> list[str]:
    """Names of text files and folders of results that belong to no sequence."""
    if results.is_file():
        return []
    used = set(found.values())
    listing = [*results.glob("*.txt"), *(results / "data").glob("*.txt"), *results.glob("*/tracks.txt")]
    names = [path for path in listing if path.stem not in found and path.parent.name not in found and path not in used]
    names += [
        path
        for path in results.glob("*/")
        if path.name not in found and not path.name.startswith(".") and path not in used and png_files(path)
    ]
    return sorted(path.relative_to(results).as_posix() for path in names if path != results / "masks")


def _kind(path: Path) -> str:
    """Masks when it is a folder, or its first line ends in text that is no number."""
    if path.is_dir():
        return MASKS
    try:
        with open(path, encoding="utf-8-sig") as file:
            line = next((line for line in file if line.strip()), "")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected tracks.") from None
    words = line.split()
    if len(words) != 6 or "," in words[0]:
        return BOXES
    try:
        float(words[5])
    except ValueError:
        return MASKS
    return BOXES


def _homes(truth: Path) -> list[Path]:
    """Where seqinfo.ini and the pictures of a sequence may lie: its own folder."""
    if truth.is_dir():
        return [truth.parent if truth.name == "gt" else truth]
    return [truth.parent, truth.parent.parent] if truth.name == "gt.txt" else [truth.parent]


def _info(truth: Path) -> SequenceInfo | None:
    for folder in _homes(truth):
        if (folder / "seqinfo.ini").is_file():
            return read_sequence_info(folder / "seqinfo.ini")
    return None


def _images(images: str, name: str, truth: Path, info: SequenceInfo | None) -> Path | None:
    inner = info.image_folder if info else "img1"
    base = Path(images)
    chosen = [base / name / inner, base / name, base / inner, base]
    return next((f for f in (chosen if images else [home / inner for home in _homes(truth)]) if f.is_dir()), None)
