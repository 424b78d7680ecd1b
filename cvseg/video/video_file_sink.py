"""`VideoFileSink`: an H.264 or FFV1 file with the exact time of every frame."""

from __future__ import annotations

import contextlib
import math
import os
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, OptionError, OutputError, RangeError, ShapeError, nearest_name
from cvseg.records.frame import Frame
from cvseg.video.decoded_picture import EXACT_SCALING
from cvseg.video.replace_file import output_error, partial_path, prepare_folder, remove

# Whole multiples of this clock hold the times of MPEG (1/90000), Matroska (1/1000), QuickTime (1/600) and the usual
# MP4 clocks (1/12800, 1/15360, 1/16000, 1/30000) exactly.
DEFAULT_TICKS = 2**10 * 3**2 * 5**4
LARGEST_TICKS = 2**31 - 1  # an MP4 stores ticks per second in 32 bits

CONTAINERS = {  # suffix -> (FFmpeg's name, the codecs it takes)
    ".mp4": ("mp4", ("h264",)),
    ".mov": ("mov", ("h264",)),
    ".mkv": ("matroska", ("h264", "ffv1")),
    ".avi": ("avi", ("ffv1",)),
    ".nut": ("nut", ("ffv1",)),
}
ENCODERS = {"h264": "libx264", "ffv1": "ffv1"}


class VideoFileSink:
    """Writes one video file.

    ``codec="h264"``: for looking at. 8-bit YUV 4:2:0, BT.709, so that every player shows it; a picture with an odd
    width or height is stored as 4:4:4 instead, because 4:2:0 needs even sizes and nothing is cut off or added
    (browsers may refuse that one). ``codec="ffv1"``: for keeping. RGB, bit-exact.

    Times: exact in MP4, MOV and NUT (see `time_base`); Matroska rounds to 1/1000 s; AVI knows only a constant rate, so
    times that do not fit are refused. A time that rounds to that of the frame before is moved by one step of the clock.

    Parameters
    ----------
    path : .mp4, .mov or .mkv for h264; .nut, .mkv or .avi for ffv1. The folder is made when it is missing.
    rate : frames per second; how long the last frame is shown, and the clock of an AVI
    codec : "h264" or "ffv1"
    time_base : `SourceInfo.time_base` of the input, so that its times are stored exactly; None serves all usual clocks
    quality : x264's constant rate factor, 0 (large) to 51 (small); FFV1 has none

    Raises
    ------
    OutputError, OptionError, RangeError
    """

    def __init__(
        self,
        path: str | Path,
        rate: Fraction | int,
        *,
        codec: Literal["h264", "ffv1"] = "h264",
        time_base: Fraction | None = None,
        quality: int = 20,
    ) -> None:
        self._path = Path(path)
        self._partial = partial_path(self._path)
        self._codec = codec
        self._container: Any = None
        self._closed = True
        if codec not in ENCODERS:
            raise OptionError(f"VideoFileSink: codec is {codec!r}; {nearest_name(str(codec), ENCODERS)}")
        fitting = [suffix for suffix, (_, codecs) in CONTAINERS.items() if codec in codecs]
        if self._path.suffix.lower() not in fitting:
            raise OptionError(
                f"VideoFileSink: {self._path.name} has the suffix '{self._path.suffix}'; {codec} goes into one of "
                f"{', '.join(fitting)}. Change the suffix or the codec."
            )
        self._rate = Fraction(rate).limit_denominator(100_000)
        if not 0 < self._rate <= 100_000:
            raise RangeError(f"VideoFileSink: rate is {rate}; it must be above 0 and at most 100000 frames per second.")
        if not 0 <= quality <= 51:
            raise RangeError(f"VideoFileSink: quality is {quality}; it must be at least 0 and at most 51.")
        self._quality = quality
        self._time_base = self._clock(time_base)
        self._size_hw: tuple[int, int] | None = None
        self._last_ticks: int | None = None
        self._last_time_s: Fraction | None = None
        self._pending: deque[Any] = deque()  # packets that are encoded and not yet written
        if self._path.is_dir():
            raise OutputError(f"{self._path} is a folder; expected a file name. Choose another name.")
        prepare_folder(self._path.parent)
        self._closed = False

    def _clock(self, time_base: Fraction | None) -> Fraction:
        if self._path.suffix.lower() == ".avi":
            return 1 / self._rate
        if self._path.suffix.lower() == ".mkv":
            return Fraction(1, 1000)
        ticks = DEFAULT_TICKS if time_base is None else Fraction(time_base).denominator
        if ticks > LARGEST_TICKS:
            ticks = DEFAULT_TICKS
        both = math.lcm(ticks, self._rate.numerator)
        return Fraction(1, both if both <= LARGEST_TICKS else ticks)

    def write(self, image: NDArray[Any], frame: Frame) -> None:
        """Add one (H, W, 3) uint8 RGB picture, shown from ``frame.time_s`` on.

        Raises
        ------
        InputError
            when the size changes or the time does not grow; the file stays usable.
        OutputError
            when it cannot be written; the unfinished file is removed.
        """
        if self._closed:
            raise OutputError(f"{self._path}: the sink is closed; open a new one to write more.")
        check_shapes("VideoFileSink", image=(image, "H W 3"))
        check_dtype("VideoFileSink", np.uint8, image=image)
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        if self._size_hw is not None and size_hw != self._size_hw:
            raise ShapeError(
                f"VideoFileSink: {frame.name} is {size_hw[1]}x{size_hw[0]}; expected "
                f"{self._size_hw[1]}x{self._size_hw[0]} like the frames before it. Resize it or begin a new file."
            )
        ticks = self._ticks(frame)
        try:
            if self._container is None:
                self._begin(size_hw)
            self._encode(image, ticks)
        except Exception as error:
            self.abort()
            raise self._failure(error) from None
        self._size_hw, self._last_ticks, self._last_time_s = size_hw, ticks, Fraction(frame.time_s)

    def _ticks(self, frame: Frame) -> int:
        time_s = Fraction(frame.time_s)
        if self._last_time_s is not None and time_s <= self._last_time_s:
            raise InputError(
                f"VideoFileSink: frame {frame.name} is shown at {float(time_s):.6f} s, the frame before it at "
                f"{float(self._last_time_s):.6f} s; times must grow. Sort the frames."
            )
        exact = time_s / self._time_base
        ticks = round(exact)
        if self._path.suffix.lower() == ".avi" and ticks != exact:
            raise InputError(
                f"VideoFileSink: frame {frame.name} is shown at {float(time_s):.6f} s, which is no multiple of "
                f"{self._time_base} s; an AVI has a constant rate. Write .nut or .mkv instead."
            )
        if self._last_ticks is None:
            return ticks
        if ticks - self._last_ticks > LARGEST_TICKS:
            gap_s = float(time_s - (self._last_time_s or 0))
            raise InputError(
                f"VideoFileSink: frame {frame.name} comes {gap_s:.0f} s after the frame before it; the clock of "
                f"{self._time_base} s allows {float(LARGEST_TICKS * self._time_base):.0f} s. "
                "Pass a coarser time_base, such as Fraction(1, 1000)."
            )
        return max(ticks, self._last_ticks + 1)

    def _begin(self, size_hw: tuple[int, int]) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

        height, width = size_hw
        suffix = self._path.suffix.lower()
        name = CONTAINERS[suffix][0]
        # The index goes to the front, so that browsers and pipes can play the file.
        options = {"movflags": "+faststart"} if name in ("mp4", "mov") else {}
        # "file:" keeps a name with a colon from being taken for a URL.
        self._container = av.open(f"file:{self._partial}", "w", format=name, container_options=options)
        stream = self._container.add_stream(ENCODERS[self._codec], rate=self._rate)
        stream.width, stream.height = width, height
        stream.time_base = stream.codec_context.time_base = self._time_base
        if self._codec == "h264":
            stream.pix_fmt = "yuv420p" if width % 2 == 0 and height % 2 == 0 else "yuv444p"
            stream.options = {"crf": str(self._quality), "preset": "veryfast"}
            context = stream.codec_context
            context.colorspace, context.color_primaries, context.color_trc, context.color_range = 1, 1, 1, 1
            self._colors = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        else:
            stream.pix_fmt = "bgr0"
            # Slices are coded in parallel; a tiny picture cannot be cut into several.
            slices = "4" if min(size_hw) >= 32 else "1"
            stream.options = {"level": "3", "slicecrc": "1", "slices": slices}
            self._colors = {}
        self._stream = stream
        self._reformatter = VideoReformatter()

    def _encode(self, image: NDArray[np.uint8], ticks: int) -> None:
        import av

        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        picture = self._reformatter.reformat(
            picture, format=self._stream.pix_fmt, interpolation=EXACT_SCALING, threads=1, **self._colors
        )
        picture.pts = ticks
        picture.time_base = self._time_base
        self._pending.extend(self._stream.encode(picture))
        self._mux()

    def _mux(self) -> None:
        # Taken off only after it is written: Ctrl-C in between loses no packet.
        while self._pending:
            self._container.mux(self._pending[0])
            self._pending.popleft()

    def close(self) -> None:
        """Finish the file and give it its name. Without a frame there is no file."""
        if self._closed:
            return
        self._closed = True
        if self._container is None:
            return
        try:
            self._mux()
            self._pending.extend(self._stream.encode(None))
            self._mux()
            self._container.close()
            self._container = None
            os.replace(self._partial, self._path)
        except Exception as error:
            self.abort()
            raise self._failure(error) from None
        except BaseException:  # a second Ctrl-C
            self.abort()
            raise

    def abort(self) -> None:
        self._closed = True
        if self._container is not None:
            with contextlib.suppress(Exception):
                self._container.close()
            self._container = None
        self._pending.clear()
        remove(self._partial)

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, OSError) or getattr(error, "errno", None):
            return output_error(
                self._path, OSError(getattr(error, "errno", None), getattr(error, "strerror", str(error)))
            )
        return OutputError(f"{self._path} cannot be encoded ({error}). Try another codec.")

    def __enter__(self) -> VideoFileSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
