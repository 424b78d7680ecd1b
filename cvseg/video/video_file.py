"""`VideoFileSource` and `StandardInputSource`: anything FFmpeg decodes, from a file, a URL or a pipe."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FrameDecodeError, VideoOpenError
from cvseg.records.frame import Frame
from cvseg.video.container_length import has_iso_index, missing_bytes
from cvseg.video.decoded_picture import PictureConverter
from cvseg.video.pipe_reader import PipeReader, seekable_copy_if_needed
from cvseg.video.presentation_clock import PresentationClock
from cvseg.video.source import DEFAULT_RATE, Damaged, SourceInfo

URL_TIMEOUT_S = (10.0, 30.0)  # to open, and between two packets


VideoFileSourceType = TypeVar("VideoFileSourceType", bound="VideoFileSource")


class VideoFileSource:
    """Frames of a video file, in display order, with the exact times the file stores.

    The first frame is decoded when the source is opened, so that `info` is right and an unreadable file fails at once.
    A pipe (FIFO, process substitution) is read like standard input. Of several video streams FFmpeg's choice is read;
    cover pictures of music files are not video. How pixels become RGB: `PictureConverter`.
    """

    kind = "video_file"

    def __init__(self, path: str | Path, *, rate: Fraction | None = None, damaged: Damaged = "stop") -> None:
        self._label = os.fspath(path)
        self._name = Path(self._label.rstrip("/")).stem
        self._given_rate, self._damaged = rate, damaged
        self._lock = threading.Lock()
        self._closed = False
        self._opened = 0  # how often decoding was started; an iteration ends when a newer one begins
        self._container: Any = None
        self._pipe: PipeReader | None = None
        self._file: BinaryIO | None = None  # a seekable file, whole or as a copy
        self._url: str | None = None  # what FFmpeg opens by itself
        self._owned: list[BinaryIO] = []
        self._frames: Iterator[Frame] | None = None
        self._first: Frame | None = None
        try:
            self._open_input()
            self._frames = self._decode()
            self._first = self._first_frame(self._frames)
            self._info = self._describe(self._first)
        except BaseException:
            self.close()
            raise

    def _open_input(self) -> None:
        path = Path(self._label)
        if "://" in self._label and not path.exists():
            self._url = self._label
            return
        try:
            status = path.stat()
            regular, fifo = stat.S_ISREG(status.st_mode), stat.S_ISFIFO(status.st_mode)
            if not (regular or fifo):
                raise VideoOpenError(f"{path} is a device or a socket; expected a video file. Pipe it in and pass '-'.")
            if regular and status.st_size == 0:
                raise VideoOpenError(f"{path} is empty (0 bytes); expected a video. Copy or record it again.")
            self._owned.append(open(path, "rb", buffering=0))  # noqa: SIM115 - open until close()
        except VideoOpenError:
            raise
        except PermissionError:
            raise VideoOpenError(f"{path} may not be read: permission denied. Change its permissions.") from None
        except (OSError, ValueError) as error:
            raise VideoOpenError(f"{path} cannot be opened ({error}). Check the path and the disk.") from None
        if fifo:
            self._use_pipe(self._owned[0])
        else:
            self._file = self._owned[0]
            # FFmpeg reads a file by itself without taking turns with Python; "file:" keeps "a:b.mp4" from being a URL.
            self._url = f"file:{self._label}"

    def _use_pipe(self, file: BinaryIO) -> None:
        """Read from a pipe; an MP4 with its index at the end goes through a temporary copy."""
        self._pipe = PipeReader(file)
        if not self._pipe.peek(1):
            raise VideoOpenError(f"{self._label} is empty (0 bytes); expected a video. Did the command before it fail?")
        copy = seekable_copy_if_needed(self._pipe)
        if copy is not None:
            self._owned.append(copy)
            self._pipe, self._file = None, copy

    def _first_frame(self, frames: Iterator[Frame]) -> Frame:
        try:
            return next(frames)
        except StopIteration:
            raise VideoOpenError(
                f"{self._label} has a video stream but no frame in it; expected at least one. Copy it again."
            ) from None
        except FrameDecodeError as error:
            raise VideoOpenError(str(error)) from None

    def _describe(self, first: Frame) -> SourceInfo:
        stream = self._stream
        return SourceInfo(
            width=first.image.shape[1],
            height=first.image.shape[0],
            frame_count=int(stream.frames) or None,
            rate=self._rate,
            kind=self.kind,
            name=self._name,
            start_s=self._clock.start_s,
            time_base=Fraction(stream.time_base) if stream.time_base else None,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def __iter__(self) -> Iterator[Frame]:
        with self._lock:
            if self._closed:
                raise VideoOpenError(f"{self._label}: the source is closed; open it again.")
            if self._frames is None and self._pipe is not None:
                raise VideoOpenError(f"{self._label} can be read only once; save it as a file to read it again.")
            frames = self._frames if self._frames is not None else self._decode()
            first, self._first, self._frames = self._first, None, None
            if first is None:
                self._opened += 1
            opened = self._opened
        if first is not None:
            yield first
        del first
        while True:
            # The lock keeps close(), called from another thread, from freeing the decoder under this step.
            with self._lock:
                if self._closed:
                    return
                if opened != self._opened:
                    raise VideoOpenError(f"{self._label} is iterated twice at once; open it twice instead.")
                frame = next(frames, None)
            if frame is None:
                return
            yield frame
            del frame

    def cancel(self) -> None:
        """End a wait for more data from a pipe, from any thread; the iteration ends as if the pipe had."""
        if self._pipe is not None:
            self._pipe.cancel()

    def close(self) -> None:
        self._closed = True
        self.cancel()
        with self._lock:
            self._first = self._frames = None
            if self._container is not None:
                with contextlib.suppress(Exception):
                    self._container.close()
                self._container = None
            for file in self._owned:
                file.close()
            self._owned = []

    def __enter__(self: VideoFileSourceType) -> VideoFileSourceType:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Decoding. FFmpeg's own log stays silent: PyAV prints nothing unless a level is set.

    def _open_container(self) -> Any:
        import av

        if self._container is not None:
            self._container.close()
        try:
            if self._url is not None:
                return av.open(self._url, timeout=URL_TIMEOUT_S if self._file is None else None)
            if self._file is not None:
                self._file.seek(0)
                return av.open(_Unclosed(self._file), mode="r")
            return av.open(self._pipe, mode="r")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise VideoOpenError(self._why_not_open(error)) from None

    def _why_not_open(self, error: Exception) -> str:
        if self._file is not None:
            size = self._file.seek(0, os.SEEK_END)
            self._file.seek(0)
            if self._file.read(12)[4:8] in (b"ftyp", b"mdat") and not has_iso_index(self._file, size):
                return (
                    f"{self._label} ends before its index (moov), so no frame can be found: the recording or the copy "
                    f"was cut short at {size} bytes. Copy it again."
                )
        return (
            f"{self._label} cannot be read as a video ({_reason(error)}); expected a video file, a folder of images, "
            "or '-'. Check that the file is whole and is a video."
        )

    def _video_stream(self, container: Any) -> Any:
        streams = [s for s in container.streams.video if not _is_cover_picture(s)]
        if not streams or container.format.name == "tty":  # FFmpeg would draw a text file as a terminal
            kinds = ", ".join(sorted({s.type for s in container.streams if not _is_cover_picture(s)})) or "nothing"
            held = "text" if container.format.name == "tty" else kinds
            raise VideoOpenError(
                f"{self._label} holds no video stream but {held}; expected a video. Pass another file."
            )
        best = container.streams.best("video")
        stream = best if best in streams else streams[0]
        if stream.codec_context is None:
            missing = 0 if self._file is None else missing_bytes(self._file, self._file.seek(0, os.SEEK_END))
            if missing:
                raise VideoOpenError(
                    f"{self._label} is cut short inside its index ({missing} bytes are missing), so no frame can be "
                    "decoded; expected a whole video. Copy it again."
                )
            raise VideoOpenError(
                f"{self._label} is coded in a way this FFmpeg cannot decode; expected a common codec such as H.264. "
                "Convert it with another program first."
            )
        # Decoding several frames at once is the faster way, but then PyAV swallows an error among the last frames.
        # Codecs whose frames stand alone (Motion JPEG, FFV1) would show no other sign of it.
        codec = stream.codec_context.codec
        stream.thread_type = "SLICE" if codec.intra_only or codec.name == "ffv1" else "AUTO"
        return stream

    def _decode(self) -> Iterator[Frame]:
        container = self._container = self._open_container()
        stream = self._stream = self._video_stream(container)
        self._rate = _plausible_rate(stream) or self._given_rate
        clock = self._clock = PresentationClock(self._rate or DEFAULT_RATE, has_pts=container.format.name != "avi")
        converter = PictureConverter()
        size: tuple[int, int] | None = None
        index = 0
        for picture in self._pictures(container, stream):
            image = self._converted(converter, picture, index)
            if size is None:
                size = (image.shape[1], image.shape[0])
            elif size != (image.shape[1], image.shape[0]):
                raise FrameDecodeError(
                    f"{self._label}: frame {index} is {image.shape[1]}x{image.shape[0]}; expected {size[0]}x{size[1]} "
                    f"like the frames before it. {index} frames were read. Split the video where its size changes."
                )
            yield Frame(index, clock.time_s(picture.pts, picture.dts, picture.time_base), image, f"{index:05d}")
            del image
            index += 1
        if self._damaged == "stop":
            self._check_whole(stream, index)

    def _converted(self, converter: PictureConverter, picture: Any, index: int) -> NDArray[np.uint8]:
        import av

        try:
            return converter.rgb(picture)
        except (av.FFmpegError, ValueError) as error:
            raise FrameDecodeError(
                f"{self._label}: frame {index} has the pixel format {picture.format.name}, which FFmpeg cannot turn "
                f"into RGB ({_reason(error)}). Convert the video to a common format first."
            ) from None

    def _pictures(self, container: Any, stream: Any) -> Iterator[Any]:
        """Good pictures in display order; `FrameDecodeError` after the last one before the damage."""
        stop = self._damaged == "stop"
        count = 0
        try:
            for packet in self._packets(container, stream, stop):
                for picture in self._decoded(packet, stop):
                    yield picture
                    count += 1
        except _DamageError as damage:
            if damage.before_decoder:
                # Pictures held back for reordering come from whole packets.
                for picture in itertools.takewhile(lambda held: not held.is_corrupt, _drain(stream)):
                    yield picture
                    count += 1
            if stop:
                raise FrameDecodeError(self._damage_sentence(count, str(damage))) from None

    def _packets(self, container: Any, stream: Any, stop: bool) -> Iterator[Any]:
        import av

        self._packet_bytes = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError, ValueError) as error:
                raise _DamageError(_reason(error), before_decoder=True) from None
            if packet is None:
                return
            # In a transport stream this may also be the joint of two recordings: damaged="skip" reads on.
            if packet.is_corrupt and packet.size and stop:
                raise _DamageError("it ends or breaks in the middle of a frame", before_decoder=True)
            self._packet_bytes = self._packet_bytes or packet.size
            yield packet

    def _decoded(self, packet: Any, stop: bool) -> Iterator[Any]:
        import av

        try:
            pictures = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            if not stop:
                return
            # Pictures that the decoder still holds may lie behind the damage: they are not asked for.
            raise _DamageError(_reason(error), before_decoder=False) from None
        for picture in pictures:
            if not picture.is_corrupt:
                yield picture
            elif stop:
                raise _DamageError("a frame is incomplete", before_decoder=False)

    def _check_whole(self, stream: Any, count: int) -> None:
        if self._file is None or (stream.frames and count >= stream.frames):
            return
        size = self._file.seek(0, os.SEEK_END)
        missing = missing_bytes(self._file, size, self._packet_bytes)
        if missing:
            raise FrameDecodeError(self._damage_sentence(count, f"the file is cut short, {missing} bytes are missing"))

    def _damage_sentence(self, count: int, reason: str) -> str:
        if not count:
            return f"{self._label}: no frame can be decoded ({reason}); expected a whole video. Copy it again."
        return (
            f"{self._label} is damaged after {count} frames ({reason}); expected a whole video. "
            f"The {count} frames before were read. Copy it again, or read past the damage in Python: "
            "open_source(..., damaged='skip')."
        )


class StandardInputSource(VideoFileSource):
    """Frames of a video that another program writes into standard input; read once."""

    kind = "standard_input"

    def __init__(self, path: str = "-", *, rate: Fraction | None = None, damaged: Damaged = "stop") -> None:
        super().__init__("standard input", rate=rate, damaged=damaged)
        self._info = replace(self._info, name="stdin")

    def _open_input(self) -> None:
        stream = sys.stdin
        if stream is None or stream.closed or stream.isatty():
            raise VideoOpenError(
                "standard input is a terminal or closed; expected a video from a pipe. "
                "Pass a file, or write 'cat clip.mp4 | cvseg segment -'."
            )
        binary: Any = getattr(stream, "buffer", stream)
        if not _is_regular_file(binary):
            self._use_pipe(binary)
            return
        # `cvseg segment - < clip.mp4`: a file, with seeking. The descriptor is ours to close, standard input is not.
        file: Any = os.fdopen(os.dup(binary.fileno()), "rb", buffering=0)
        self._owned.append(file)
        self._file = file
        if os.fstat(file.fileno()).st_size == 0:
            raise VideoOpenError("standard input is empty (0 bytes); expected a video. Did the command before it fail?")


class _DamageError(Exception):
    """Where the damage was met: before the decoder (reading) or inside it."""

    def __init__(self, reason: str, *, before_decoder: bool) -> None:
        super().__init__(reason)
        self.before_decoder = before_decoder


def _reason(error: Exception) -> str:
    return f"FFmpeg: {getattr(error, 'strerror', None) or error}"


class _Unclosed:
    """A file that FFmpeg reads and does not close, so that it can be asked for its length and read again."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell, self.seekable = file.read, file.seek, file.tell, file.seekable

    def close(self) -> None:
        pass


def _is_regular_file(file: Any) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


def _is_cover_picture(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _plausible_rate(stream: Any) -> Fraction | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= 1_000_000:
            return Fraction(rate)
    return None


def _drain(stream: Any) -> list[Any]:
    """Pictures that the decoder still holds back for reordering."""
    import av

    try:
        return list(stream.codec_context.decode(None))
    except (av.FFmpegError, ValueError):
        return []
