"""`RawModule`: a `.cu` source compiled for the CPU by g++, with CuPy's interface. Compiled code is cached on disk."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import graphs
from .device_array import ndarray

FOLDER = Path(__file__).resolve().parent
# As the CUDA half is compiled: no silent multiply-add. -w: warnings are NVRTC's business (test_compile.py).
FLAGS = (
    "-O2",
    "-fstack-clash-protection",  # a large frame touches every page: it cannot step over the one that guards a stack
    "-std=c++17",
    "-ffp-contract=off",
    "-fno-strict-aliasing",
    "-fwrapv",
    "-fno-finite-loops",
    "-fPIC",
    "-shared",
    "-w",
)
FLAGS += ("-U_FORTIFY_SOURCE", "-fcf-protection=none") if os.uname().machine == "x86_64" else ("-U_FORTIFY_SOURCE",)
MAX_DYNAMIC_SHARED = 48 * 1024
SECONDS_PER_LAUNCH = 60
DAYS_KEPT = 30

_DYNAMIC_SHARED = re.compile(
    r"\bextern\s+__shared__\s+(?:__align__\s*\(\s*\d+\s*\)\s*)?([\w\s]+?)\s*\b(\w+)\s*\[\s*\]\s*;"
)
_BOUNDS = r"(?:__launch_bounds__\s*\([^)]*\)\s*)?"
_KERNEL = re.compile(rf"__global__\s+{_BOUNDS}void\s+{_BOUNDS}(\w+)\s*\(")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

# Threads of a launch run in this order: a result that depends on it has a missing barrier or a race.
_order = {"reverse": False}
_launch_lock = threading.Lock()
# Shared by all kernels of this process, and the library that used it last.
_stacks: dict[str, Any] = {"address": None, "user": None}


class CompileException(Exception):
    """The source does not compile; the text is the compiler's."""


class LaunchError(RuntimeError):
    """A launch broke a rule of CUDA; the text names the kernel and the rule."""


@contextlib.contextmanager
def reverse_thread_order() -> Iterator[None]:
    """Inside, the last block and the last thread of each block run first."""
    _order["reverse"] = True
    try:
        yield
    finally:
        _order["reverse"] = False


@cache
def compiler() -> str:
    """The C++ compiler: ``CXX``, else g++."""
    found = shutil.which(os.environ.get("CXX", "g++"))
    if not found:
        raise CompileException("the CUDA-on-CPU runner needs g++ (or the compiler named by CXX); none was found.")
    return found


@cache
def cache_folder() -> Path:
    """Where compiled kernels are kept between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "cvseg" / "cuda_on_cpu"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = Path(tempfile.gettempdir()) / f"cvseg-{os.getuid()}" / "cuda_on_cpu"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _toolchain() -> bytes:
    version = subprocess.run([compiler(), "--version"], capture_output=True, check=True).stdout
    headers = b"".join((FOLDER / name).read_bytes() for name in ("cuda.h", "runtime.h"))
    return version + headers + " ".join(FLAGS).encode()


def _translate(code: str, options: tuple[str, ...]) -> tuple[str, list[str]]:
    """The source for g++, and the names of its kernels. Lines stay where they are."""
    # Not given to g++ as options: they would change cuda.h too.
    pairs = (option[2:].partition("=") for option in options if option.startswith("-D"))
    defines = "\n".join(f"#define {name} {value if equals else 1}" for name, equals, value in pairs)
    names = _KERNEL.findall(_COMMENT.sub(" ", code))
    code = _DYNAMIC_SHARED.sub(r"\1* const \2 = (\1*)emulator::dynamic_shared;", code)
    exports = "\n".join(f"CVSEG_EXPORT({name})" for name in names)
    # An unnamed namespace keeps __shared__ variables of inline functions out of the linker's hands, and lets a kernel
    # have names that the C library uses too.
    return f'#include "cuda.h"\n{defines}\nnamespace {{\n{code}\n}}\n#line 1 "exports"\n{exports}\n', names


def _build(source: str) -> Path:
    digest = hashlib.sha256(_toolchain() + source.encode()).hexdigest()[:24]
    target = cache_folder() / f"{digest}.so"
    if target.is_file():
        with contextlib.suppress(OSError):
            os.utime(target)  # in use: keep it
        return target
    # Written beside and renamed: several processes may build the same source at the same time.
    handle, name = tempfile.mkstemp(suffix=".building", dir=cache_folder())
    os.close(handle)
    command = [compiler(), *FLAGS, "-I", str(FOLDER), "-x", "c++", "-", "-o", name, "-lm", "-lrt"]
    result = subprocess.run(command, input=source, capture_output=True, text=True)
    if result.returncode:
        os.unlink(name)
        raise CompileException(result.stderr.strip())
    os.replace(name, target)
    _drop_old_files()
    return target


def _drop_old_files() -> None:
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    for path in cache_folder().iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


class RawModule:
    """As ``cupy.RawModule(code=..., options=...)``; compiles when the first function is asked for."""

    def __init__(self, *, code: str, options: tuple[str, ...] = ()) -> None:
        self.code = code
        self.options = tuple(options)
        self._library: Any = None

    def compile(self) -> None:
        if self._library is None:
            source, self._names = _translate(self.code, self.options)
            self._library = ctypes.CDLL(str(_build(source)))
            self._library.cvseg_make_stacks.restype = ctypes.c_void_p

    def get_function(self, name: str) -> Function:
        self.compile()
        if name not in self._names:
            raise LaunchError(f"CUDA_ERROR_NOT_FOUND: no __global__ function {name!r}; there are {self._names}.")
        return Function(name, self._library)


class Function:
    """One ``__global__`` function; called as ``function(grid, block, arguments, shared_mem=0)``."""

    def __init__(self, name: str, library: Any) -> None:
        self.name = name
        self._library = library
        self._launch = library[f"cvseg_launch_{name}"]
        self._launch.restype = ctypes.c_char_p
        sizes = (ctypes.c_int * 64)()
        self._parameter_bytes = sizes[: library[f"cvseg_describe_{name}"](sizes)]

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...], *, shared_mem: int = 0
    ) -> None:
        grid, block = tuple(map(int, grid)), tuple(map(int, block))
        threads = int(np.prod(block))
        if min((*grid, *block)) < 1 or not 1 <= threads <= 1024 or max((*grid[1:], 1)) > 65535:
            raise LaunchError(f"CUDA_ERROR_INVALID_VALUE: {self.name} launched with grid {grid}, block {block}.")
        if shared_mem > MAX_DYNAMIC_SHARED:
            raise LaunchError(f"CUDA_ERROR_INVALID_VALUE: {self.name} asks for {shared_mem} bytes of shared memory.")
        if len(arguments) != len(self._parameter_bytes):
            raise LaunchError(f"{self.name}: {len(arguments)} arguments for {len(self._parameter_bytes)} parameters.")
        values = (ctypes.c_void_p * max(1, len(arguments)))()
        keep, arrays = [], []
        for i, (argument, wanted) in enumerate(zip(arguments, self._parameter_bytes, strict=True)):
            if isinstance(argument, ndarray):
                arrays.append(argument)
                cell, size = np.array([argument.data.ptr], np.uint64), -8
            elif isinstance(argument, np.generic):
                cell = np.array([argument])
                size = cell.itemsize
            else:
                raise TypeError(f"{self.name}: argument {i} is a {type(argument).__name__}; CuPy would guess its type.")
            if size != wanted:
                raise LaunchError(f"{self.name}: argument {i} ({argument.dtype}) does not fit its parameter.")
            keep.append(cell)
            values[i] = cell.ctypes.data
        shape = (ctypes.c_uint * 6)(*(*grid, 1, 1)[:3], *(*block, 1, 1)[:3])
        blocks = {(array._allocation.block, array.shape, str(array.dtype)) for array in arrays}

        def run() -> None:
            self._run(values, shape, int(shared_mem), keep)
            for block, size, dtype in blocks:
                damage = block.damage()
                if damage:
                    raise LaunchError(f"{self.name}: wrote outside an array of shape {size}, {dtype}: {damage}.")

        graphs.submit(run, arrays)

    def _run(self, values: Any, shape: Any, shared_mem: int, keep: Any) -> None:
        with _launch_lock:
            if not _stacks["address"]:
                _stacks["address"] = self._library.cvseg_make_stacks()
            stacks, are_mine = ctypes.c_void_p(_stacks["address"]), _stacks["user"] is self._library
            _stacks["user"] = self._library
            error = self._launch(
                values, shape, shared_mem, int(_order["reverse"]), SECONDS_PER_LAUNCH, stacks, int(are_mine)
            )
        if error:
            raise LaunchError(error.decode())
