"""`ImageFolderSource`: a folder of images in natural order, or one image file."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from cvseg.errors import FrameDecodeError, VideoOpenError
from cvseg.records.frame import Frame
from cvseg.video.source import DEFAULT_RATE, SourceInfo
from cvseg.video.still_image import IMAGE_SUFFIXES, page_count, read_image

FEW, MANY = 3, 20  # so few images beside a folder of so many are no video: a region of interest, a background
NO_FRAMES = ("truth", "mask", "annotation", "label", "result")  # in names of folders that hold something else
_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sort key under which ``frame_2`` comes before ``frame_10``.

    >>> sorted(["frame_10", "frame_2", "Frame_1"], key=natural_key)
    ['Frame_1', 'frame_2', 'frame_10']
    """
    parts = _DIGITS.split(name.lower())
    words = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part)
    return words, name  # the name itself decides between "1" and "01"


class ImageFolderSource:
    """Frames from image files. Times count at `rate`; the stem of a file is the name of its frame.

    Hidden files and files that are no images are passed over; folders inside are not entered. A single TIFF stack or
    animated WebP or PNG gives one frame a page. How each kind of image becomes RGB: `still_image.read_image`.
    """

    def __init__(self, path: str | Path, *, rate: Fraction | None = None) -> None:
        self._path = Path(path)
        self._rate = rate or DEFAULT_RATE
        self._closed = False
        if self._path.is_dir():
            self._items = [(file, 0, file.stem) for file in _image_files(self._path)]
        else:
            if self._path.stat().st_size == 0:
                raise VideoOpenError(f"{self._path} is empty (0 bytes); expected an image. Copy it again.")
            pages = page_count(self._path)
            self._items = [
                (self._path, page, self._path.stem if pages == 1 else f"{page:05d}") for page in range(pages)
            ]
        first, page, _ = self._items[0]
        try:
            height, width = read_image(first, page).shape[:2]
        except FrameDecodeError as error:
            raise VideoOpenError(f"no frame could be read: {error}") from None
        self._info = SourceInfo(
            width=width,
            height=height,
            frame_count=len(self._items),
            rate=self._rate,
            kind="image_folder",
            name=self._path.stem if self._path.is_file() else self._path.resolve().name,
            time_base=1 / self._rate,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def __iter__(self) -> Iterator[Frame]:
        if self._closed:
            raise VideoOpenError(f"{self._path}: the source is closed; open it again.")
        size = (self._info.width, self._info.height)
        for index, (file, page, name) in enumerate(self._items):
            if self._closed:
                return
            try:
                image = read_image(file, page)
            except FrameDecodeError as error:
                raise FrameDecodeError(
                    f"frame {index} of {len(self._items)}: {error} {index} frames before it were read."
                ) from None
            if (image.shape[1], image.shape[0]) != size:
                raise FrameDecodeError(
                    f"frame {index}: {file} is {image.shape[1]}x{image.shape[0]}; expected {size[0]}x{size[1]} like "
                    f"{self._items[0][0].name}. {index} frames were read. Resize it, or put it in a folder of its own."
                )
            yield Frame(index, index / self._rate, image, name)

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> ImageFolderSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _image_files(folder: Path) -> list[Path]:
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except PermissionError:
        raise VideoOpenError(f"{folder} may not be read: permission denied. Change its permissions.") from None
    except OSError as error:
        raise VideoOpenError(f"{folder} cannot be listed ({error.strerror}). Check the disk.") from None
    files = [entry for entry in entries if entry.is_file()]
    images = [Path(entry.path) for entry in files if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise VideoOpenError(_nothing_here(folder, [e.name for e in entries if e.is_dir()], [e.name for e in files]))
    images.sort(key=lambda file: natural_key(file.name))
    if len(images) <= FEW:
        inside = _image_folders(folder, [entry.name for entry in entries if entry.is_dir()])
        many = ", ".join(f"{name} ({count})" for name, count in inside if count >= MANY)
        if many:
            raise VideoOpenError(
                f"{folder} holds {len(images)} image(s), {images[0].name} first, and folders of many: {many}; expected "
                f"the folder of the frames. Give that one, as {folder / many.split(' (')[0]}, or one image by its name."
            )
    stems = Counter(file.stem for file in images)
    twice = [file.name for file in images if stems[file.stem] > 1]
    if twice:
        raise VideoOpenError(
            f"{folder} holds {twice[0]} and {twice[1]}, whose results would have the same name; "
            "expected one image a frame. Move the others into a folder of their own."
        )
    return images


def _image_folders(folder: Path, names: list[str]) -> list[tuple[str, int]]:
    """Folders directly inside that hold images, and how many; those named as results or truth last."""
    found = []
    for name in sorted(names):
        try:
            count = sum(Path(file).suffix.lower() in IMAGE_SUFFIXES for file in os.listdir(folder / name))
        except OSError:
            continue
        if count:
            found.append((name, count))
    return sorted(found, key=lambda item: any(word in item[0].lower() for word in NO_FRAMES))


def _nothing_here(folder: Path, folders: list[str], files: list[str]) -> str:
    needed = "expected a video file or a folder of images (jpg, png, ppm, bmp, tif, webp)."
    if files:
        suffix, count = Counter(Path(name).suffix or " without a suffix" for name in files).most_common(1)[0]
        return (
            f"{folder} holds no images but {count} file(s) like *{suffix}; {needed} Is it {folder / sorted(files)[0]}?"
        )
    inside = _image_folders(folder, folders)
    if inside:
        listed = ", ".join(f"{name} ({count})" for name, count in inside)
        return f"{folder} holds no images but folders of them: {listed}; {needed} Is it {folder / inside[0][0]}?"
    if folders:
        return f"{folder} holds no images but {len(folders)} folder(s); {needed} Is it {folder / sorted(folders)[0]}?"
    return f"{folder} is an empty folder; {needed}"
