"""`PipeReader`: a pipe as a file that FFmpeg can read, whose waiting can be ended from another thread."""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
from typing import BinaryIO

from cvseg.errors import VideoOpenError
from cvseg.video.container_length import iso_box

WAIT_S = 0.1  # how long a closed reader may take to notice, when the pipe stays silent
LARGEST_HEAD = 1 << 20  # bytes that may stand before the first mdat or moov box
CHUNK = 1 << 20


class PipeReader:
    """Reads ``file``; `cancel` makes a waiting and every later read return the end of the file.

    Seeking is not offered, so FFmpeg reads forward only. ``count`` is the number of bytes delivered.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._head = b""
        self._cancelled = False
        self.count = 0
        try:
            self._descriptor: int | None = file.fileno()
            select.select([self._descriptor], [], [], 0)
        except (OSError, ValueError, AttributeError):
            self._descriptor = None  # an object in memory: it never waits

    def read(self, size: int = CHUNK) -> bytes:
        """At most `size` bytes, as soon as there are any; b"" at the end."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._receive(size)
        self.count += len(data)
        return data

    def cancel(self) -> None:
        """End all reading, also one that waits in another thread."""
        self._cancelled = True

    def close(self) -> None:
        """Same as `cancel`: the pipe itself belongs to whoever opened it."""
        self.cancel()

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without taking them; fewer at the end of the pipe."""
        while len(self._head) < size:
            data = self._receive(size - len(self._head))
            if not data:
                break
            self._head += data
        return self._head[:size]

    def _receive(self, size: int) -> bytes:
        while not self._cancelled:
            if self._descriptor is None:
                return self._file.read(size)
            if select.select([self._descriptor], [], [], WAIT_S)[0]:
                # Past the buffered layer: its read waits until all of `size` is there.
                return os.read(self._descriptor, size)
        return b""


def seekable_copy_if_needed(pipe: PipeReader) -> BinaryIO | None:
    """A temporary copy on disk when the pipe carries an MP4 whose index comes after its pictures, else None.

    Such a file can only be decoded with seeking. The copy lies in the temporary folder, has no name, and vanishes
    when it is closed. An MP4 with its index in front, and every other container, is streamed.

    Raises
    ------
    VideoOpenError
        when the temporary folder cannot hold the copy.
    """
    position = 0
    while position < LARGEST_HEAD:
        head = pipe.peek(position + 16)[position:]
        box = iso_box(head)
        if box is None or (position == 0 and box[0] not in (b"ftyp", b"mdat", b"wide", b"free", b"skip")):
            return None
        kind, length, header = box
        if kind in (b"moov", b"moof"):
            return None
        if kind == b"mdat":
            return _copy(pipe)
        if length < header:
            return None
        position += length
    return None


def _copy(pipe: PipeReader) -> BinaryIO:
    # The buffered layer goes with the raw file, so nothing is left to flush on an error.
    with contextlib.ExitStack() as cleanup:
        try:
            copy = cleanup.enter_context(tempfile.TemporaryFile(prefix="cvseg-"))
            while data := pipe.read(CHUNK):
                copy.write(data)
            copy.seek(0)
        except OSError as error:
            raise VideoOpenError(
                f"standard input is an MP4 with its index at the end, and the copy that decoding needs does not fit "
                f"into {tempfile.gettempdir()} ({error.strerror}). Save it as a file first, or set TMPDIR."
            ) from None
        cleanup.pop_all()
        return copy
