"""`CudaSource`: loads a `.cu` file through CuPy and launches its functions with checked arguments.

Headers are pasted in before compilation: CuPy's binary cache looks at the source text, and would not notice that an
included file has changed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cvseg.arrays import cupy_module
from cvseg.errors import (
    DeviceMismatchError,
    DtypeError,
    KernelCompileError,
    KernelResourceError,
    RangeError,
    ShapeError,
)

KERNEL_FOLDER = Path(__file__).resolve().parent
# No silent multiply-add: what may round differently on the CPU is written fmaf() in both halves.
COMPILE_OPTIONS = ("--std=c++17", "--fmad=false")

NUMPY_TYPES = {
    "float": np.float32,
    "double": np.float64,
    "bool": np.bool_,
    "char": np.int8,
    "signed char": np.int8,
    "unsigned char": np.uint8,
    "short": np.int16,
    "unsigned short": np.uint16,
    "int": np.int32,
    "unsigned int": np.uint32,
    "long long": np.int64,
    "unsigned long long": np.uint64,
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a ``__global__`` function."""

    name: str
    type_name: str
    is_array: bool
    is_const: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(NUMPY_TYPES[self.type_name])


_GLOBAL = re.compile(
    r'extern\s+"C"\s+__global__\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?void\s+'
    r"(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)",
)
_INCLUDE = re.compile(r'^[ \t]*#include[ \t]+"([^"]+)"[ \t]*$', re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def paste_headers(path: Path, _pasted: set[Path] | None = None) -> str:
    """Source of `path` with every ``#include "..."`` replaced by that file, with ``#line`` marks for messages.

    Each header is pasted once, where it is first included.
    """
    pasted = {path} if _pasted is None else _pasted

    def paste(match: re.Match[str]) -> str:
        near, shared = path.parent / match[1], KERNEL_FOLDER / match[1]
        header = near if near.is_file() else shared
        if not header.is_file():
            raise KernelCompileError(f"{path.name} includes {match[1]!r}, which is neither beside it nor in kernels/.")
        line = text.count("\n", 0, match.start()) + 2
        if header in pasted:
            return f'#line {line} "{path.name}"'
        pasted.add(header)
        return f'#line 1 "{header.name}"\n{paste_headers(header, pasted)}\n#line {line} "{path.name}"'

    text = path.read_text(encoding="utf-8")
    return _INCLUDE.sub(paste, text)


def parse_signatures(source: str, defines: Mapping[str, str]) -> dict[str, tuple[Parameter, ...]]:
    """Parameters of every ``extern "C" __global__`` function in `source`."""
    signatures = {}
    for name, body in _GLOBAL.findall(_COMMENT.sub(" ", source)):
        parameters = []
        for declaration in (part.strip() for part in body.split(",") if part.strip()):
            words = declaration.replace("*", " * ").replace("__restrict__", " ").split()
            is_const, is_array = "const" in words, "*" in words
            kind = " ".join(w for w in words[:-1] if w not in ("const", "*"))
            kind = defines.get(kind, kind)
            if kind not in NUMPY_TYPES:
                raise KernelCompileError(f"{name}: parameter {declaration!r} has a type that no NumPy dtype matches.")
            parameters.append(Parameter(words[-1], kind, is_array, is_const))
        signatures[name] = tuple(parameters)
    return signatures


class CudaSource:
    """The `.cu` file beside a kernel's `.py` file; compiled at first launch, once per device.

    Parameters
    ----------
    file : ``__file__`` of the kernel's Python half
    defines : type names or constants given to the compiler as ``-D``
    """

    def __init__(self, file: str, defines: Mapping[str, str] | None = None) -> None:
        self.path = Path(file).with_suffix(".cu")
        self.defines = dict(defines or {})
        self._modules: dict[tuple[int, int], Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def text(self) -> str:
        """The source as the compiler sees it: headers pasted in."""
        return f'#line 1 "{self.path.name}"\n' + paste_headers(self.path)

    @cached_property
    def signatures(self) -> dict[str, tuple[Parameter, ...]]:
        return parse_signatures(self.text, self.defines)

    @property
    def options(self) -> tuple[str, ...]:
        return (*COMPILE_OPTIONS, *(f"-D{name}={value}" for name, value in self.defines.items()))

    def launch_image(
        self,
        function: str,
        size_hw: tuple[int, int],
        *arguments: Any,
        block: tuple[int, int] = (32, 8),
        shared_bytes: int = 0,
    ) -> None:
        """One thread per pixel of a (height, width) image; ``threadIdx.x`` runs along the row."""
        height, width = size_hw
        grid = (-(-width // block[0]), -(-height // block[1]))
        self.launch_blocks(function, grid, block, *arguments, shared_bytes=shared_bytes)

    def launch_linear(
        self, function: str, count: int, *arguments: Any, block: int = 256, shared_bytes: int = 0
    ) -> None:
        """One thread per element of a list of `count`."""
        self.launch_blocks(function, (-(-count // block),), (block,), *arguments, shared_bytes=shared_bytes)

    def launch_blocks(
        self,
        function: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        *arguments: Any,
        shared_bytes: int = 0,
    ) -> None:
        """Launch with explicit `grid` and `block` (x first). Returns before the work is done.

        Raises
        ------
        TypeError
            for a bare Python number: CuPy would pass a float as double and the kernel would read garbage.
        DtypeError, ShapeError, DeviceMismatchError
            for an array of another dtype than declared in the `.cu`, one that is not C-contiguous, one on the CPU.
        KernelResourceError
            when the grid or the block is larger than CUDA allows.
        """
        if 0 in grid:
            return  # an empty image has nothing to do, and CUDA refuses an empty grid
        device_id = self._check_arguments(function, arguments)
        if (len(grid) > 1 and max(grid[1:]) > 65535) or grid[0] >= 2**31:
            raise KernelResourceError(f"{function}: grid {grid} exceeds CUDA's limits (2^31 - 1, 65535, 65535).")
        threads = int(np.prod(block))
        if threads > 1024:
            raise KernelResourceError(f"{function}: block {block} has {threads} threads; CUDA allows 1024.")
        cupy = cupy_module()
        current = cupy.cuda.Device().id
        if device_id < 0:
            device_id = current  # no array among the arguments
        if device_id == current:
            self._module(cupy, device_id).get_function(function)(grid, block, arguments, shared_mem=shared_bytes)
            return
        with cupy.cuda.Device(device_id):
            self._module(cupy, device_id).get_function(function)(grid, block, arguments, shared_mem=shared_bytes)

    def _check_arguments(self, function: str, arguments: tuple[Any, ...]) -> int:
        if function not in self.signatures:
            raise KernelCompileError(f'{self.path.name} has no extern "C" __global__ function {function!r}.')
        parameters = self.signatures[function]
        if len(parameters) != len(arguments):
            raise TypeError(f"{function}: {len(arguments)} arguments; the kernel declares {len(parameters)}.")
        device_id = -1
        for parameter, argument in zip(parameters, arguments, strict=True):
            name = f"{function}: {parameter.name}"
            if not parameter.is_array:
                if not isinstance(argument, np.generic):
                    raise TypeError(
                        f"{name} is a bare {type(argument).__name__}; pass numpy.{parameter.dtype.name}({argument!r})."
                    )
            elif not hasattr(type(argument), "__cuda_array_interface__"):
                raise DeviceMismatchError(f"{name} is a {type(argument).__name__}; expected an array on the GPU.")
            elif not argument.flags.c_contiguous:
                raise ShapeError(f"{name} is not C-contiguous; copy it with cupy.ascontiguousarray first.")
            elif argument.size >= 2**31:
                raise RangeError(f"{name} has {argument.size} elements; kernels index with 32 bits, up to 2^31 - 1.")
            else:
                device_id = argument.device.id
            if argument.dtype != parameter.dtype:
                raise DtypeError(f"{name} is {argument.dtype}; the kernel declares {parameter.dtype}.")
        return device_id

    def _module(self, cupy: Any, device_id: int) -> Any:
        # The module object is part of the key: tests put the CUDA-on-CPU runner in CuPy's place.
        key = (id(cupy), device_id)
        module = self._modules.get(key)
        if module is None:
            with self._lock:
                module = self._modules.get(key)
                if module is None:
                    module = self._compile(cupy)
                    self._modules[key] = module
        return module

    def _compile(self, cupy: Any) -> Any:
        module = cupy.RawModule(code=self.text, options=self.options)
        try:
            for function in self.signatures:
                module.get_function(function)
        except Exception as error:
            raise KernelCompileError(
                f"{self.path.name} does not compile for this GPU: {error}. Run 'cvseg doctor' for the CUDA versions."
            ) from error
        return module
