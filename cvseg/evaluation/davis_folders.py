"""Where DAVIS and YouTube-VOS keep masks and frames, and which of them count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.file_pairs import FilePair, files_below, listed, pair_files

RESOLUTIONS = ("480p", "1080p", "Full-Resolution")
MASKS = {".png"}
IMAGES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class MaskFiles:
    """Masks of an evaluation.

    Attributes
    ----------
    folder : the folder that holds a folder of true masks a sequence
    pairs : the frames that count, in order
    first : the first true mask of every sequence, whether it counts or not
    """

    folder: Path
    pairs: list[FilePair]
    first: Mapping[str, Path]

    def name(self, sequence: str) -> str:
        """Name of a sequence to show: the folder's own when the masks lie in it directly."""
        return sequence or self.folder.name


def mask_files(
    results: Path,
    truth: Path,
    *,
    unsupervised: bool,
    leave_out_ends: bool,
    sequences: str,
    missing_as_empty: bool,
) -> tuple[MaskFiles, list[str]]:
    """Find true masks and the results that belong to them.

    Parameters
    ----------
    results, truth : a folder with a folder a sequence, or one level above (480p), or the root of a data set
    unsupervised : take Annotations_unsupervised rather than Annotations
    leave_out_ends : the first and last frame of a sequence do not count; their results may be missing
    sequences : text file with a sequence a line, to measure only these; "" for all
    missing_as_empty : as `pair_files`

    Returns
    -------
    MaskFiles, and remarks

    Raises
    ------
    InputError, FormatError
    """
    folder = _masks_folder(truth, unsupervised)
    true_files = files_below(folder, MASKS)
    result_files = files_below(_with_resolution(results), MASKS)
    if sequences:
        wanted = _listed_sequences(Path(sequences), true_files)
        true_files = {name: true_files[name] for name in wanted}
        result_files = {name: files for name, files in result_files.items() if name in wanted}
    ends: dict[str, set[str]] = {}
    if leave_out_ends:
        short = [f"{name or folder.name} ({len(files)})" for name, files in true_files.items() if len(files) < 3]
        if short:
            raise InputError(
                f"evaluate davis: sequences of fewer than three frames: {listed(short)}. This task leaves out the "
                "first and the last frame; leave these sequences out with --sequences."
            )
        ends = {name: {min(files), max(files)} for name, files in true_files.items()}
    pairs, remarks = pair_files(
        "evaluate davis",
        _without(result_files, ends),
        _without(true_files, ends),
        missing_as_empty=missing_as_empty,
    )
    return MaskFiles(folder, pairs, {name: files[min(files)] for name, files in true_files.items()}), remarks


def _masks_folder(truth: Path, unsupervised: bool) -> Path:
    kinds = ("Annotations_unsupervised", "Annotations") if unsupervised else ("Annotations",)
    return _with_resolution(next((truth / kind for kind in kinds if (truth / kind).is_dir()), truth))


def _with_resolution(folder: Path) -> Path:
    return next((folder / name for name in RESOLUTIONS if (folder / name).is_dir()), folder)


def _without(files: Mapping[str, Mapping[str, Path]], ends: Mapping[str, set[str]]) -> dict[str, dict[str, Path]]:
    return {
        sequence: {frame: path for frame, path in frames.items() if frame not in ends.get(sequence, ())}
        for sequence, frames in files.items()
    }


def _listed_sequences(path: Path, known: Mapping[str, Mapping[str, Path]]) -> list[str]:
    try:
        names = list(dict.fromkeys(path.read_text(encoding="utf-8").split()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"evaluate davis: {path} cannot be read ({error}); expected a sequence a line. Check --sequences."
        ) from None
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"sequences that the truth does not hold: {listed(unknown)}" if unknown else "no sequence"
        raise InputError(f"evaluate davis: {path} lists {what}. Check --sequences and --truth.")
    return names


def frame_image(images: str, masks: Path, pair: FilePair) -> NDArray[np.uint8] | None:
    """The frame that belongs to a mask, (H, W, 3) uint8 RGB, where there is one.

    Looked for in `images`, then in JPEGImages beside Annotations, with the same resolution.
    """
    from PIL import Image

    folders = [Path(images)] if images else []
    folders += [masks.parent.parent / "JPEGImages" / masks.name, masks.parent / "JPEGImages"]
    for folder in folders:
        for ending in IMAGES:
            path = folder / pair.sequence / f"{pair.frame}{ending}"
            if path.is_file():
                with Image.open(path) as picture:
                    return np.asarray(picture.convert("RGB"))
    return None
