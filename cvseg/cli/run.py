"""`run_to_folder`: segments a source into a results folder with a progress bar; shared by `segment` and `demo`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from cvseg.errors import CvsegError, FrameDecodeError, VideoOpenError
from cvseg.records import FrameResult
from cvseg.report.results_folder import ResultsFolder
from cvseg.report.run_record import RunRecord
from cvseg.video import FrameSource

# Exit codes of a process that ended by Ctrl-C and by a request to terminate: 128 + the signal's number.
INTERRUPTED, TERMINATED = 130, 143


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
    total : where the progress bar ends; None takes the source's own length
    watch : called with each result
    scores : called after the last result, for the report

    Raises
    ------
    CvsegError
        after everything finished before it was written; the message says so.
    SystemExit
        with 130 after Ctrl-C and 143 after SIGTERM.
    """
    record = RunRecord(source=name, settings=settings)
    folder = ResultsFolder(out, record, source.info, overlay=overlay, overwrite=overwrite)
    with _terminate_like_ctrl_c() as terminated:
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
            _close(stream)
            folder.end("interrupted", f"Stopped after {_count(record)}.")
            click.echo(f"cvseg: stopped; {_kept(folder)}.", err=True)
            raise SystemExit(TERMINATED if terminated.is_set() else INTERRUPTED) from None
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


def _with_progress(results: Iterator[FrameResult], total: int | None, quiet: bool) -> Iterator[FrameResult]:
    """The same results, counted on the terminal; silent where standard error is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield from results
        return
    from tqdm import tqdm

    with tqdm(results, total=total, unit=" frames", dynamic_ncols=True, smoothing=0.1) as bar:
        for result in bar:
            tracks = len(result.tracks)
            bar.set_postfix_str(f"{tracks} object{'' if tracks == 1 else 's'}, {result.camera} camera", refresh=False)
            yield result


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
    return f"the {_count(folder.record)} finished before that are kept in {folder.path} ({', '.join(folder.files)})"


@contextlib.contextmanager
def _terminate_like_ctrl_c() -> Iterator[threading.Event]:
    """Inside, a polite request to end (SIGTERM) raises KeyboardInterrupt too; the event tells the two apart."""
    terminated = threading.Event()

    def stop(number: int, frame: Any) -> None:
        terminated.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield terminated  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)


def print_where_to_look(folder: str | os.PathLike[str], record: RunRecord) -> None:
    """Two lines for the end of a run."""
    summary = record.to_mapping()
    tracks = len(record.tracks)
    click.echo(
        f"{_count(record)}, {tracks} track{'' if tracks == 1 else 's'}, "
        f"{summary['speed']['frames_per_second']:.1f} frames/s, {record.seconds:.1f} s"
    )
    click.echo(f"Results: {folder}   (open {os.path.join(folder, 'report.html')})")
