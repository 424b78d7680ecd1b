"""`GrowingText`: a text file that grows line by line beside its name, and gets it when it is closed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TextIO

from cvseg.errors import OutputError
from cvseg.video.replace_file import output_error, partial_path, prepare_folder, remove


class GrowingText:
    """Text in, piece by piece; `close` gives the file its name, also after Ctrl-C, and `abort` removes it.

    Parameters
    ----------
    path : file to write, in ASCII; its folder is made when it is missing

    Raises
    ------
    OutputError

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with GrowingText(pathlib.Path(folder) / "numbers.csv") as text:
    ...         text.write("a,b\\n")
    ...     (pathlib.Path(folder) / "numbers.csv").read_text()
    'a,b\\n'
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._partial = partial_path(self._path)
        self._file: TextIO | None = None
        if self._path.is_dir():
            raise OutputError(f"{self._path} is a folder; expected a file name such as {self._path / 'tracks.txt'}.")
        prepare_folder(self._path.parent)
        try:
            self._file = open(self._partial, "w", encoding="ascii", newline="\n")  # noqa: SIM115 - open until close()
        except OSError as error:
            raise output_error(self._path, error) from None

    def write(self, text: str) -> None:
        """Add to the end."""
        if self._file is None:
            raise OutputError(f"{self._path}: the file is closed; open a new one to write more.")
        try:
            self._file.write(text)
            # A full disk shows now, not at the end.
            self._file.flush()
        except OSError as error:
            self.abort()
            raise output_error(self._path, error) from None

    def close(self) -> None:
        """Finish the file; one to which nothing was written is empty."""
        if self._file is None:
            return
        try:
            self._file.close()
            self._file = None
            self._partial.replace(self._path)
        except OSError as error:
            self.abort()
            raise output_error(self._path, error) from None

    def abort(self) -> None:
        """Leave nothing behind."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what cannot be flushed is given up
                file.close()
        remove(self._partial)

    def __enter__(self) -> GrowingText:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
