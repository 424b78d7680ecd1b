"""`open_source`: every kind of input behind one interface, a stream of `Frame` records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from cvseg.errors import InputError, OptionError, VideoOpenError, nearest_name
from cvseg.records.frame import Frame

DEFAULT_RATE = Fraction(25)  # frames per second of inputs that carry no times: folders, arrays, iterators
Damaged = Literal["stop", "skip"]


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """What is known of an input before its frames are read.

    Attributes
    ----------
    width, height : pixels, after the display rotation
    frame_count : as the container or the folder declares it; None when it does not. A damaged file holds fewer.
    rate : frames per second, the mean at a variable rate; None when unknown
    kind : key of `cvseg.video.SOURCES`
    name : stem of the file, name of the folder, "stdin", "array" or "iterator"
    start_s : presentation time of the first frame as the file stores it; `Frame.time_s` counts from there
    time_base : all times of the input are whole multiples of it, in seconds; None when it has no clock of its own
    """

    width: int
    height: int
    frame_count: int | None
    rate: Fraction | None
    kind: str
    name: str
    start_s: Fraction = Fraction(0)
    time_base: Fraction | None = None


SourceType = TypeVar("SourceType", bound="FrameSource")


@runtime_checkable
class FrameSource(Protocol):
    """A stream of frames. A context manager: leaving the block frees the decoder, from any thread.

    Every frame has an (H, W, 3) uint8 RGB C-contiguous image of one size, an index that counts from 0, and a time
    that grows from frame to frame. Damage raises `FrameDecodeError` only after all good frames before it were
    delivered. Files, folders and arrays may be iterated again from the start; pipes and iterators only once.
    """

    @property
    def info(self) -> SourceInfo:
        """Size, rate, length and name; known as soon as the source is open."""

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Free what the source holds; a running iteration ends. Harmless when repeated."""

    def __enter__(self: SourceType) -> SourceType: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_source(
    source: str | os.PathLike[str] | Iterable[Any] | Any,
    *,
    rate: Fraction | int | str | None = None,
    damaged: Damaged = "stop",
) -> FrameSource:
    """Open a video, a folder of images, an array, an iterator of pictures or standard input.

    Parameters
    ----------
    source : one of

        - a video file, or a URL that FFmpeg can read
        - a folder of images (frame_2 before frame_10; the stem of a file is the name of its frame), or one image
        - ``"-"``: standard input, any container that FFmpeg can read from a pipe
        - an array (T, H, W), (T, H, W, 1), (T, H, W, 3) or (T, H, W, 4), uint8 or uint16, NumPy or CuPy
        - an iterable of (H, W[, C]) arrays or of `Frame` records
        - an open `FrameSource`, which is returned as it is
    rate : frames per second for inputs that carry no times (25 when not given); a file's own times win
    damaged : "stop" ends at the first damaged frame with `FrameDecodeError`; "skip" leaves damaged frames of a video
        file out and reads on

    Returns
    -------
    FrameSource : use it in a ``with`` block

    Raises
    ------
    VideoOpenError
        when the input is missing, empty, unreadable, or no video.
    ShapeError, DtypeError
        when an array does not hold pictures.
    OptionError
        when `rate` is not a positive number, or `damaged` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> with open_source(np.zeros((2, 4, 6), np.uint8), rate=10) as source:
    ...     [(frame.index, str(frame.time_s), frame.image.shape) for frame in source]
    [(0, '0', (4, 6, 3)), (1, '1/10', (4, 6, 3))]
    """
    from cvseg.video import SOURCES  # the table imports the sources, and they import this file

    frame_rate = _checked_rate(rate)
    if damaged not in ("stop", "skip"):
        raise OptionError(f"open_source: damaged is {damaged!r}; {nearest_name(str(damaged), ['stop', 'skip'])}")
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if not isinstance(text, str) or not text:
            raise InputError(f"open_source: the path is {text!r}; expected text that names a file or a folder, or '-'.")
        kind = _kind_of_path(text)
        if kind == "image_folder":
            return SOURCES[kind](text, rate=frame_rate)
        return SOURCES[kind](text, rate=frame_rate, damaged=damaged)
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return SOURCES["array"](source, rate=frame_rate)
    if hasattr(source, "info") and isinstance(source, FrameSource):
        return source
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, dict, set)):
        return SOURCES["iterator"](source, rate=frame_rate)
    raise InputError(
        f"open_source: got {type(source).__name__}; expected a path, '-', an array (T, H, W[, C]), "
        "or an iterable of pictures."
    )


def _checked_rate(rate: Fraction | int | str | None) -> Fraction | None:
    if rate is None:
        return None
    try:
        frame_rate = Fraction(rate)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        frame_rate = Fraction(0)
    if isinstance(rate, bool) or not 0 < frame_rate <= 1_000_000:
        raise OptionError(
            f"open_source: rate is {rate!r}; expected frames per second above 0, such as 25 or '30000/1001'."
        )
    # 29.97 as a float is a fraction with 15 digits, whose times fit no file; the nearest short one is meant.
    return frame_rate.limit_denominator(100_000)


def _kind_of_path(text: str) -> str:
    from cvseg.video.still_image import IMAGE_SUFFIXES

    if text == "-":
        return "standard_input"
    if "://" in text and not os.path.exists(text):
        return "video_file"
    path = Path(text)
    try:
        if path.is_dir():
            return "image_folder"
        exists = path.exists()
    except PermissionError:
        raise VideoOpenError(f"{path} may not be read: permission denied. Change its permissions.") from None
    except (OSError, ValueError) as error:  # a name with a null byte, or one that is too long
        raise VideoOpenError(f"{text!r} cannot be a path ({error}). Give the name of a file or a folder.") from None
    if not exists:
        raise VideoOpenError(_missing(path))
    # An animated GIF or PNG is a video with times; FFmpeg reads it.
    if path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        return "image_folder"
    return "video_file"


def _missing(path: Path) -> str:
    sentence = f"{path} does not exist; expected a video file, a folder of images, or '-' for standard input."
    if path.is_symlink():
        return f"{path} is a link to a file that does not exist; expected a video file. Repair the link."
    if path.parent.is_dir():
        try:
            names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
        except OSError:
            return sentence
        near = nearest_name(path.name, names[:10_000])
        if near.startswith("did you mean"):
            return f"{sentence} D{near.split('?')[0][1:]}?"
    else:
        return f"{sentence} There is no folder {path.parent} either."
    return f"{sentence} Check the spelling and the working folder."
