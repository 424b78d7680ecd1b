"""Finds the frames that belong to a truth: for the pictures of a report, and for measures of colours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cvseg.errors import InputError

# What data sets call the folder of the frames, beside that of the truth.
FOLDERS = ("images", "JPEGImages", "img", "leftImg8bit", "rgb", "input", "frames")
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".tif", ".tiff")


def images_beside(
    caller: str, given: str, truth: Path, names: Iterable[str], size_hw: tuple[int, ...] | None = None
) -> str:
    """The folder of the frames: the given one, or one beside the truth that holds all of them.

    Parameters
    ----------
    caller : for the message
    given : what the user said; "" to look for one
    truth : folder or file of the truth
    names : "SEQUENCE/FRAME" of the frames, with an ending or without
    size_hw : size of the first one; a folder where it has another size is passed over

    Returns
    -------
    str : the folder; "" when none was given and none fits

    Raises
    ------
    InputError
        when the given one is no folder.
    """
    check_images(caller, given)
    if given:
        return given
    names = list(names)
    base = truth.resolve().parent
    for folder in (*(base / name for name in FOLDERS), base):
        # The truth is no picture of itself.
        if folder.is_dir() and folder != truth.resolve() and _holds_all(folder, names, size_hw):
            return str(folder)
    return ""


def check_images(caller: str, given: str) -> None:
    """Demand that `given` is a folder, or "".

    Raises
    ------
    InputError
    """
    if given and not Path(given).is_dir():
        what = "is a file" if Path(given).exists() else "does not exist"
        raise InputError(f"{caller}: {given} {what}; expected the folder of the frames. Check --images.")


def image_path(folder: Path, name: str) -> Path | None:
    """File of the frame `name` ("SEQUENCE/FRAME", ending optional) below a folder; None without one."""
    stem = folder / name
    if stem.suffix.lower() in ENDINGS and stem.is_file():
        return stem
    candidates = [stem.with_name(stem.name + ending) for ending in ENDINGS]
    candidates += [stem.with_suffix(ending) for ending in ENDINGS] if stem.suffix.lower() in ENDINGS else []
    return next((path for path in candidates if path.is_file()), None)


def _holds_all(folder: Path, names: list[str], size_hw: tuple[int, ...] | None) -> bool:
    if not names:
        return False
    first = image_path(folder, names[0])
    if first is None or any(image_path(folder, name) is None for name in names[1:]):
        return False
    return size_hw is None or picture_size_hw(first) == tuple(size_hw)


def picture_size_hw(path: Path) -> tuple[int, int] | None:
    """Height and width of a picture, from its head alone; None when it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.height, picture.width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
