"""Every error a user can meet. Each message says what came, what is needed, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CvsegError(Exception):
    """Base of all errors that cvseg raises on purpose."""


class InputError(CvsegError, ValueError):
    """An argument cannot be used as it is."""


class ShapeError(InputError):
    """An array has the wrong number of axes or a size that contradicts another array."""


class DtypeError(InputError):
    """An array or number has the wrong type."""


class RangeError(InputError):
    """A number lies outside its allowed range."""


class OptionError(CvsegError, ValueError):
    """An option, method or preset does not exist, or has a value that is not allowed."""


class DeviceError(CvsegError, RuntimeError):
    """The chosen device cannot do the work."""


class DeviceUnavailableError(DeviceError):
    """CUDA was asked for and there is no usable GPU or no CuPy."""


class DeviceMismatchError(DeviceError):
    """Arrays of one call live on different devices."""


class KernelCompileError(DeviceError):
    """A CUDA kernel does not compile for this GPU."""


class KernelResourceError(DeviceError):
    """A launch needs more threads, shared memory or indices than the GPU offers."""


class VideoError(CvsegError, OSError):
    """Reading or writing video failed."""


class VideoOpenError(VideoError):
    """The input cannot be opened as a video or a folder of frames."""


class FrameDecodeError(VideoError):
    """A frame inside the input cannot be decoded, or has another size than the first."""


class OutputError(CvsegError, OSError):
    """The output cannot be written."""


class FormatError(CvsegError, ValueError):
    """A file is damaged or is not of the expected format; the message names the file and the place."""


class MissingExtraError(CvsegError, ImportError):
    """An optional package is needed; the message names the install command."""


def nearest_name(name: str, valid: Iterable[str]) -> str:
    """End of a sentence: the nearest valid name, then all of them.

    >>> nearest_name("balancd", ["fast", "balanced"])
    "did you mean 'balanced'? Valid: balanced, fast."
    """
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1)
    question = f"did you mean '{near[0]}'? " if near else ""
    return f"{question}Valid: {', '.join(names)}."
