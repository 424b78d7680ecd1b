"""NVRTC, NVIDIA's run-time compiler, bound directly: it compiles for any GPU and needs neither a GPU nor a driver."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any


@cache
def library() -> Any:
    """The compiler from the ``nvidia-cuda-nvrtc`` wheel (any CUDA version), else the system's; None when absent."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    found = [path for folder in folders for path in sorted(folder.glob("*/lib/libnvrtc.so*"))]
    for name in [*map(str, found), "libnvrtc.so"]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def compile_for(source: str, name: str, options: tuple[str, ...], architecture: str) -> tuple[bool, str, int]:
    """Compile `source` to machine code for one GPU, ``"sm_80"``.

    Returns
    -------
    (succeeded, everything the compiler said, bytes of machine code)
    """
    nvrtc = library()
    program = ctypes.c_void_p()
    arguments = [option.encode() for option in (*options, f"--gpu-architecture={architecture}")]
    _check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None))
    try:
        result = nvrtc.nvrtcCompileProgram(program, len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
        size = ctypes.c_size_t()
        _check(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
        log = ctypes.create_string_buffer(max(1, size.value))
        _check(nvrtc.nvrtcGetProgramLog(program, log))
        code_bytes = ctypes.c_size_t()
        if result == 0:
            _check(nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(code_bytes)))
        return result == 0, log.value.decode(errors="replace").strip(), code_bytes.value
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _check(result: int) -> None:
    if result:
        text = library().nvrtcGetErrorString
        text.restype = ctypes.c_char_p
        raise RuntimeError(f"NVRTC: {text(result).decode()}")
