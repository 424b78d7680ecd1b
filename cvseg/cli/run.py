"""Runs over a source whose results are kept whatever ends them: `run_to_folder` for segments, else `finishing`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import click

from cvseg.errors import CvsegError, FrameDecodeError, VideoOpenError
from cvseg.records import FrameResult
from cvseg.report.results_folder import ResultsFolder
from cvseg.report.run_record import RunRecord
from cvseg.video import FrameSource

T = TypeVar("T")
# Requests to end that are treated like Ctrl-C: the second comes when a terminal is closed or a connection is lost.
REQUESTS_TO_END = (signal.SIGTERM, signal.SIGHUP)


def open_input(name: str) -> FrameSource:
    """`cvseg.video.open_source`, on a thread of its own: inside the decoder a Ctrl-C would be lost.

    Raises
    ------
    VideoOpenError
    KeyboardInterrupt
        while the input is silent.
    """
    from cvseg.video import open_source

    opened: list[FrameSource] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            opened.append(open_source(name))
        except BaseException as error:  # raised again below
            errors.append(error)

    thread = threading.Thread(target=work, name="cvseg-open", daemon=True)
    thread.start()
    # With a limit: a wait without one cannot be interrupted on every system.
    while thread.is_alive():
        thread.join(0.2)
    if errors:
        raise errors[0]
    return opened[0]


def run_to_folder(
    source: FrameSource,
    out: str | os.PathLike[str],
    *,
    name: str,
    settings: Mapping[str, Any],
    results: Callable[[], Iterator[FrameResult]],
    overlay: bool = True,
    explain: bool = False,
    overwrite: bool = False,
    total: int | None = None,
    quiet: bool = False,
    watch: Callable[[FrameResult], None] | None = None,
    scores: Callable[[], dict[str, float]] | None = None,
) -> RunRecord:
    """Write all `results` into the folder `out` and say how it went.

    Parameters
    ----------
    source : an open source
    name : the input as the user wrote it
    settings : what decides the result, for the report
    results : called once the folder is known to be writable; an iterator of results
    explain : whether the evidence, which the results must carry, is written too
    total : where the progress bar ends; None takes the source's own length
    watch : called with each result
    scores : called after the last result, for the report

    Raises
    ------
    CvsegError
        after everything finished before it was written; the message says so.
    SystemExit
        with 130 after Ctrl-C, 143 after SIGTERM and 129 after SIGHUP.
    """
    record = RunRecord(source=name, settings=settings)
    folder = ResultsFolder(out, record, source.info, overlay=overlay, overwrite=overwrite, explain=explain)
    with _terminate_like_ctrl_c() as requests:
        stream = None
        try:
            stream = results()
            for result in _with_progress(stream, total or source.info.frame_count, quiet):
                folder.add(result)
                if watch is not None:
                    watch(result)
            folder.flush()
            if record.frame_count == 0:
                raise VideoOpenError(f"{name} holds no frames. Is it the right file?")
            if scores is not None:
                record.scores = scores()
            folder.end("complete")
        except KeyboardInterrupt:
            # A second Ctrl-C ends the wait for the threads; the files are finished all the same.
            with contextlib.suppress(KeyboardInterrupt), _said_if_slow(quiet):
                _close(stream)
            with _undisturbed():
                folder.end("interrupted", f"Stopped after {_count(record)}.")
            with contextlib.suppress(OSError):  # the terminal may be gone
                click.echo(f"cvseg: stopped; {_kept(folder)}.", err=True)
            raise SystemExit(128 + (requests[0] if requests else signal.SIGINT)) from None
        except CvsegError as error:
            _close(stream)
            with contextlib.suppress(CvsegError):
                folder.end("damaged input" if isinstance(error, FrameDecodeError) else "failed", str(error))
            if record.frame_count:
                raise type(error)(f"{error} {_kept(folder).capitalize()}.") from error
            raise
        except BaseException as error:
            _close(stream)
            folder.end("failed", f"{type(error).__name__}: {error}")
            raise
    return record


class OpenFolder(Protocol):
    """A folder that grows by a file a frame."""

    @property
    def files(self) -> int: ...

    def end(self, status: str = "complete", message: str = "") -> None: ...


@contextlib.contextmanager
def finishing(folder: OpenFolder, out: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Finish `folder` whatever ends the block: its end, an error, Ctrl-C, or a polite request to end.

    Parameters
    ----------
    folder : receives the results inside the block
    out : its name as the user wrote it
    what : what a file of it holds, in the plural, as "flows"

    Raises
    ------
    CvsegError
        that of the block, with what is kept.
    SystemExit
        with 130 after Ctrl-C, 143 after SIGTERM and 129 after SIGHUP.
    """
    with _terminate_like_ctrl_c() as requests:
        try:
            yield
        except KeyboardInterrupt:
            with _undisturbed():
                folder.end("interrupted", f"Stopped after {folder.files} {what}.")
            with contextlib.suppress(OSError):  # the terminal may be gone
                click.echo(f"cvseg: stopped; {folder.files} {what} are kept in {out}.", err=True)
            raise SystemExit(128 + (requests[0] if requests else signal.SIGINT)) from None
        except CvsegError as error:
            with contextlib.suppress(CvsegError):
                folder.end("failed", str(error))
            if folder.files:
                raise type(error)(f"{error} The {folder.files} {what} before that are kept in {out}.") from error
            raise
        except BaseException as error:
            with contextlib.suppress(CvsegError):
                folder.end("failed", f"{type(error).__name__}: {error}")
            raise
    folder.end()


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Inside, Ctrl-C and requests to end wait: the block is done as a whole. The second one does not wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, Any]] = []
    handlers = {int(number): signal.getsignal(number) for number in (signal.SIGINT, *REQUESTS_TO_END)}
    before = {number: handler for number, handler in handlers.items() if callable(handler)}

    def wait(number: int, frame: Any) -> None:
        came.append((number, frame))
        if len(came) > 1:
            before[number](number, frame)

    for number in before:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        before[came[0][0]](*came[0])


def counted(frames: Iterable[T], total: int | None, quiet: bool) -> Iterable[T]:
    """The same frames, counted on the terminal; silent where standard error is no terminal."""
    if quiet or not _has_terminal():
        return frames
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(frames, total=total, unit=" frames", dynamic_ncols=True, smoothing=0.1)
    return bar


def _with_progress(results: Iterator[FrameResult], total: int | None, quiet: bool) -> Iterator[FrameResult]:
    """The same results, counted on the terminal; silent where standard error is no terminal."""
    if quiet or not _has_terminal():
        yield from results
        return
    from tqdm import tqdm

    with tqdm(results, total=total, unit=" frames", dynamic_ncols=True, smoothing=0.1) as bar:
        for result in bar:
            tracks = len(result.tracks)
            bar.set_postfix_str(f"{tracks} object{'' if tracks == 1 else 's'}, {result.camera} camera", refresh=False)
            yield result


def _has_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # None: started with standard error closed


@contextlib.contextmanager
def _said_if_slow(quiet: bool) -> Iterator[None]:
    """Say on the terminal why nothing happens: the first start may be compiling, which cannot be broken off."""
    words = "cvseg: stopping when the step in hand is done; Ctrl-C again does not wait for it."
    timer = threading.Timer(1.0, click.echo, (words,), {"err": True})
    if not quiet and _has_terminal():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Inside, requests to end are passed over: the files are being finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *REQUESTS_TO_END)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _close(stream: Any) -> None:
    """End a generator now: its decoder and threads stop before the files are finished."""
    if hasattr(stream, "close"):
        with contextlib.suppress(CvsegError):
            stream.close()


def _count(record: RunRecord) -> str:
    return f"{record.frame_count} frame{'' if record.frame_count == 1 else 's'}"


def _kept(folder: ResultsFolder) -> str:
    if not folder.record.frame_count:
        return "no frame was finished, and nothing was written"
    if not folder.files:
        return f"the {_count(folder.record)} finished before that were removed with the folder {folder.path}"
    return f"the {_count(folder.record)} finished before that are kept in {folder.path} ({', '.join(folder.files)})"


@contextlib.contextmanager
def _terminate_like_ctrl_c() -> Iterator[list[int]]:
    """Inside, a polite request to end raises KeyboardInterrupt too; the list tells which one came."""
    requests: list[int] = []

    def stop(number: int, frame: Any) -> None:
        requests.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield requests  # only the main thread may set handlers
        return
    # What is ignored stays ignored: nohup wants it so.
    wanted = [number for number in REQUESTS_TO_END if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_where_to_look(folder: str | os.PathLike[str], record: RunRecord, found: str | None = None) -> None:
    """Two lines for the end of a run; `found` says what was found, None counts tracks."""
    summary = record.to_mapping()
    tracks = len(record.tracks)
    click.echo(
        f"{_count(record)}, {found or f'{tracks} track' + ('' if tracks == 1 else 's')}, "
        f"{summary['speed']['frames_per_second']:.1f} frames/s, {record.seconds:.1f} s"
    )
    click.echo(f"Results: {folder}   (open {os.path.join(folder, 'report.html')})")
