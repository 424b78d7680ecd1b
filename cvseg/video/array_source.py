"""`ArraySource` and `IteratorSource`: frames that are already in memory, or that someone else's code produces."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sized
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, to_host
from cvseg.errors import DtypeError, FrameDecodeError, InputError, ShapeError, VideoOpenError
from cvseg.records.frame import Frame
from cvseg.video.source import DEFAULT_RATE, SourceInfo


def picture_to_rgb(caller: str, picture: Any) -> NDArray[np.uint8]:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as (H, W, 3) uint8 RGB, C-contiguous; a copy only where needed.

    Grey is repeated, alpha is dropped, uint16 keeps the high byte: the rules of `still_image.read_image`.
    A picture on a GPU is downloaded, which synchronises.

    Raises
    ------
    ShapeError, DtypeError
        naming `caller`; floats are refused, because nothing tells whether they mean 0 to 1 or 0 to 255.
    """
    if not hasattr(picture, "shape") or not hasattr(picture, "dtype"):
        raise InputError(
            f"{caller} is {type(picture).__name__}; expected a (H, W) or (H, W, 3) uint8 array or a Frame."
        )
    picture = to_host(picture)
    _check_picture(caller, picture, "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)", axes=(2, 3))
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.shape[2] == 1:
        picture = np.repeat(picture, 3, axis=2)
    return np.ascontiguousarray(picture[:, :, :3])


class ArraySource:
    """Frames of one array (T, H, W) or (T, H, W, C); times count at `rate`. Pictures are views where possible."""

    def __init__(self, frames: Any, *, rate: Fraction | None = None) -> None:
        self._rate = rate or DEFAULT_RATE
        shape = tuple(int(n) for n in frames.shape)
        if len(shape) == 3 and shape[2] in (3, 4):
            raise ShapeError(
                f"open_source: the array is {shape}, which looks like one picture (H, W, {shape[2]}); expected "
                "(T, H, W) or (T, H, W, C). Pass array[None] for one picture, array[..., None] for grey frames."
            )
        _check_picture(
            "open_source: the array", frames, "(T, H, W), (T, H, W, 1), (T, H, W, 3) or (T, H, W, 4)", (3, 4)
        )
        self._frames = frames
        self._info = SourceInfo(
            width=shape[2],
            height=shape[1],
            frame_count=shape[0],
            rate=self._rate,
            kind="array",
            name="array",
            time_base=1 / self._rate,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames
        if frames is None:
            raise VideoOpenError("the array source is closed; open it again.")
        for index in range(len(frames)):
            if self._frames is None:
                return
            yield Frame(index, index / self._rate, picture_to_rgb(f"frame {index}", frames[index]), f"{index:05d}")

    def close(self) -> None:
        self._frames = None

    def __enter__(self) -> ArraySource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class IteratorSource:
    """Frames of any iterable of arrays or `Frame` records, read once.

    Arrays are copied, so that a camera may reuse its buffer. A `Frame` keeps its time and name and gets a new index.
    Closing the source closes a generator, unless it is running in another thread.
    """

    def __init__(self, pictures: Iterable[Any], *, rate: Fraction | None = None) -> None:
        self._rate = rate or DEFAULT_RATE
        count = len(pictures) if isinstance(pictures, Sized) else None
        self._pictures = iter(pictures)
        self._lock = threading.Lock()
        self._closed = self._started = False
        try:
            first = next(self._pictures)
        except StopIteration:
            raise VideoOpenError(
                "the iterator gave no picture; expected at least one (H, W) or (H, W, 3) array."
            ) from None
        self._first: Frame | None = self._frame(0, first)
        height, width = self._first.image.shape[:2]
        self._info = SourceInfo(
            width=width,
            height=height,
            frame_count=count,
            rate=self._rate,
            kind="iterator",
            name="iterator",
            time_base=None if isinstance(first, Frame) else 1 / self._rate,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def __iter__(self) -> Iterator[Frame]:
        if self._started or self._closed:
            raise VideoOpenError("an iterator can be read only once, and this one was; pass a new one.")
        self._started = True
        frame, self._first = self._first, None
        index = 0
        while frame is not None:
            yield frame
            index += 1
            with self._lock:
                picture = None if self._closed else next(self._pictures, None)
            frame = None if picture is None else self._frame(index, picture)
            if frame is not None and frame.image.shape[:2] != (self._info.height, self._info.width):
                height, width = frame.image.shape[:2]
                raise FrameDecodeError(
                    f"frame {index} of the iterator is {width}x{height}; expected {self._info.width}x"
                    f"{self._info.height} like frame 0. {index} frames were read. Resize it, or start a new clip."
                )

    def _frame(self, index: int, picture: Any) -> Frame:
        if isinstance(picture, Frame):
            return Frame(index, picture.time_s, picture_to_rgb(f"frame {index}", picture.image), picture.name)
        image = picture_to_rgb(f"frame {index} of the iterator", picture)
        if image is picture or np.may_share_memory(image, picture):
            image = image.copy()
        return Frame(index, index / self._rate, image, f"{index:05d}")

    def close(self) -> None:
        self._closed = True
        # A generator that waits for a camera in another thread cannot be closed from here; its own end frees it.
        if self._lock.acquire(blocking=False):
            try:
                if hasattr(self._pictures, "close"):
                    self._pictures.close()
            finally:
                self._lock.release()

    def __enter__(self) -> IteratorSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_picture(caller: str, array: Any, needed: str, axes: tuple[int, int]) -> None:
    shape = tuple(int(n) for n in array.shape)
    if len(shape) not in axes or (len(shape) == axes[1] and shape[-1] not in (1, 3, 4)):
        raise ShapeError(f"{caller} is {shape}; expected {needed}.")
    if 0 in shape:
        raise ShapeError(f"{caller} is {shape}; expected at least one frame of at least one pixel.")
    if array.dtype == np.uint8 or array.dtype == np.uint16:
        return
    advice = "Convert it with array.astype(np.uint8)."
    if array.dtype.kind == "f":
        if not bool(array_module(array).isfinite(array).all()):
            advice = "It also holds NaN or infinite values. Fill those, scale to 0..255, and convert to uint8."
        else:
            advice = "Scale it by a visible step, such as (array * 255).round().astype(np.uint8) for values in [0, 1]."
    elif array.dtype.kind == "b":
        advice = "Convert it with array.astype(np.uint8) * 255."
    raise DtypeError(f"{caller} is {array.dtype}; expected uint8, or uint16 of which the high byte is kept. {advice}")
