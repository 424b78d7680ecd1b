"""Write beside, then rename: a reader sees the old file or the whole new one, never a part."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cvseg.errors import OutputError

PARTIAL_SUFFIX = ".partial"


def partial_path(path: Path) -> Path:
    """Where a file grows before it gets its name: in the same folder, so that renaming is one step."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a path to write to; rename it to `path` when the block ends well, remove it when it fails.

    A device or a pipe, such as /dev/stdout, is written directly: renaming would put a file in its place.

    Raises
    ------
    OutputError
        in place of any `OSError` of the block.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder) / "tracks.txt"
    ...     with replacing(target) as partial:
    ...         _ = partial.write_text("1")
    ...     target.read_text()
    '1'
    """
    path = Path(path)
    if is_device(path):
        try:
            yield path
        except OutputError:
            raise
        except OSError as error:
            raise output_error(path, error) from None
        return
    partial = partial_path(path)
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        remove(partial)
        if isinstance(error, OutputError):
            raise
        raise output_error(path, error) from None
    except BaseException:
        remove(partial)
        raise


def is_device(path: str | Path) -> bool:
    """Whether a path names a device, a pipe or an open file of this process, which must never be replaced."""
    exists = os.path.exists(path)
    place = os.path.abspath(path)
    return exists and (
        not (os.path.isfile(path) or os.path.isdir(path))
        or (os.path.islink(path) and place.startswith(("/dev/", "/proc/")))
    )


def remove(path: Path) -> None:
    """Remove a file that may not be there."""
    with contextlib.suppress(OSError):
        path.unlink()


def output_error(path: str | Path, error: OSError) -> OutputError:
    """The sentence for a failed write."""
    path = Path(path)
    sentences = {
        errno.ENOSPC: f"{path} could not be finished: the disk is full. Free some space or choose another folder.",
        errno.EDQUOT: f"{path} could not be finished: your disk quota is used up. Choose another folder.",
        errno.EFBIG: f"{path} could not be finished: the file is larger than the system allows. Choose another folder.",
        errno.EACCES: f"{path} may not be written: permission denied. Choose another folder.",
        errno.EPERM: f"{path} may not be written: permission denied. Choose another folder.",
        errno.EROFS: f"{path} may not be written: the disk is read-only. Choose another folder.",
        errno.EISDIR: f"{path} is a folder; expected a file name. Add a name such as {path / 'overlay.mp4'}.",
        errno.ENOTDIR: f"{path} cannot be made: a part of its path is a file, not a folder. Choose another folder.",
        errno.ENOENT: f"{path} cannot be written: there is no folder {path.parent}. Make it first.",
    }
    if error.errno == errno.ENOENT and os.path.isdir(path.parent):
        return OutputError(f"{path} cannot be written there, or was removed meanwhile. Choose another folder.")
    if error.errno in sentences:
        return OutputError(sentences[error.errno])
    return OutputError(f"{path} cannot be written ({error.strerror or error}). Check the path and the disk.")


def prepare_folder(folder: str | Path) -> Path:
    """Make `folder` and prove that files can be written there, before any work is done.

    Raises
    ------
    OutputError
    """
    folder = Path(folder)
    if os.path.exists(folder) and not os.path.isdir(folder):  # they raise nothing, as Path.exists does
        raise OutputError(f"{folder} is a file; expected a folder to write into. Remove it or choose another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".cvseg-"):
            pass
    except OSError as error:
        raise output_error(folder, error) from None
    return folder


def prepare_own_folder(folder: str | Path, what: str, *, overwrite: bool) -> Path:
    """`prepare_folder` for results of one kind: a folder that holds anything is refused unless `overwrite` is set.

    Parameters
    ----------
    folder : made if it is missing
    what : the results in the plural, as "flows"
    overwrite : write beside, and over files of the same names

    Raises
    ------
    OutputError
    """
    folder = prepare_folder(folder)
    held = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    if held and not overwrite:
        raise OutputError(
            f"{folder} is not empty (it holds {held[0]}); {what} are not mixed with other files. "
            "Choose another folder, or replace what has the same name with --overwrite."
        )
    return folder


def file_in(folder: Path, name: str, suffix: str) -> Path:
    """Path of the file for the frame `name`.

    Raises
    ------
    OutputError
        when the name would lead out of the folder.
    """
    if not name or "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        raise OutputError(f"a frame is named {name!r}; expected a name that can be a file's. Rename the frame.")
    return folder / f"{name}{suffix}"
