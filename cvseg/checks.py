"""Checks of public arguments: called once per public function, before anything is allocated. Kernels trust."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.errors import DtypeError, RangeError, ShapeError


def check_shapes(caller: str, **arrays: tuple[Any, str]) -> dict[str, int]:
    """Match arrays against shape words; one letter means one size everywhere in the call.

    Parameters
    ----------
    caller : the public function, first word of the message
    arrays : name=(array, "H W 3"): letters bind a size, numbers demand it

    Returns
    -------
    dict : the size of each letter

    Raises
    ------
    ShapeError
        naming the argument, its shape and the shape that is needed.

    Examples
    --------
    >>> check_shapes("f", image=(np.zeros((4, 5)), "H W"), flow_xy=(np.zeros((4, 5, 2)), "H W 2"))
    {'H': 4, 'W': 5}
    """
    sizes: dict[str, int] = {}
    owners: dict[str, str] = {}
    for name, (array, pattern) in arrays.items():
        words = pattern.split()
        shape = tuple(int(n) for n in array.shape)
        if len(shape) != len(words):
            raise ShapeError(f"{caller}: {name} is {shape}; expected ({', '.join(words)}).")
        for word, size in zip(words, shape, strict=True):
            wanted = int(word) if word.isdigit() else sizes.setdefault(word, size)
            if not word.isdigit():
                owners.setdefault(word, name)
            if size != wanted:
                match = "" if word.isdigit() else f" to match {owners[word]}"
                needed = ", ".join(str(sizes.get(w, w)) for w in words)
                raise ShapeError(f"{caller}: {name} is {shape}; expected ({needed}){match}.")
    return sizes


def check_dtype(caller: str, dtype: Any, **arrays: Any) -> None:
    """Demand one dtype of all `arrays`; nothing is converted silently.

    Raises
    ------
    DtypeError
    """
    for name, array in arrays.items():
        if array.dtype != np.dtype(dtype):
            raise DtypeError(
                f"{caller}: {name} is {array.dtype}; expected {np.dtype(dtype)}. "
                f"Convert it with {name}.astype({np.dtype(dtype).name!r}) if the values mean the same."
            )


def check_finite(caller: str, **arrays: Any) -> None:
    """Refuse NaN and infinity. Reads every element; on a GPU it synchronises.

    Raises
    ------
    RangeError
    """
    for name, array in arrays.items():
        # A sum is NaN or infinite if any element is; one pass without a temporary mask.
        if not np.isfinite(float(array.sum())):
            raise RangeError(f"{caller}: {name} holds NaN or infinite values. Mask or fill them first.")


def check_range(caller: str, name: str, value: float, low: float | None = None, high: float | None = None) -> None:
    """Demand ``low <= value <= high``.

    Raises
    ------
    RangeError
    """
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = " and ".join(
            word
            for word in (
                f"at least {low}" if low is not None else "",
                f"at most {high}" if high is not None else "",
            )
            if word
        )
        raise RangeError(f"{caller}: {name} is {value}; it must be {bounds}.")
