"""`cpu_kernel`: how a CPU kernel is compiled, and where its machine code is kept between runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config

KERNEL_FOLDER = Path(__file__).resolve().parent


@cache
def cache_folder() -> Path:
    """Folder of compiled CPU kernels, named by the hash of all kernel sources.

    Numba's own key holds only the file that defines a function: after a change in a helper from another file the old
    machine code would still run. A new hash is a new folder.
    """
    digest = hashlib.sha256()
    for path in sorted(KERNEL_FOLDER.rglob("*.py")):
        digest.update(path.relative_to(KERNEL_FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = home / "cvseg" / "numba" / digest.hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: a user without a home, as in a container
        pass
    # A read-only home (a container, an appliance): compile once per boot instead of failing.
    shared = Path(tempfile.gettempdir()) / f"cvseg-{os.getuid()}"
    shared.mkdir(mode=0o700, exist_ok=True)
    if shared.is_symlink() or shared.stat().st_uid != os.getuid():
        shared = Path(tempfile.mkdtemp(prefix="cvseg-"))  # somebody else's folder: its machine code is not ours to run
    folder = shared / digest.hexdigest()[:12]
    folder.mkdir(exist_ok=True)
    return folder


def cpu_kernel(function: Any = None, **options: Any) -> Any:
    """Compile `function` at its first call: no GIL, no division tests, cached on disk.

    Options go to ``numba.njit``; ``fastmath`` only as a set of named flags with a reason beside it.
    """
    if function is None:
        return lambda f: cpu_kernel(f, **options)
    # The folder is read when the cache is made, so it is set only here: other users of Numba keep theirs.
    before = config.CACHE_DIR
    if not before:
        config.CACHE_DIR = str(cache_folder())
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before
    _save_where_there_is_room(compiled)
    return compiled


def _save_where_there_is_room(compiled: Any) -> None:
    """A full disk costs the next start some seconds, not this run its result: Numba itself would end with OSError."""
    save = compiled._cache.save_overload

    def save_overload(signature: Any, result: Any) -> None:
        with contextlib.suppress(OSError):
            save(signature, result)

    compiled._cache.save_overload = save_overload
