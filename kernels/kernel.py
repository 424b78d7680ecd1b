"""`Kernel`: one operation, two implementations, run where its arrays live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cvseg.arrays import common_device


@dataclass(frozen=True)
class Kernel:
    """A CPU and a CUDA function with the same arguments and the same result.

    Attributes
    ----------
    name : the same word for the `.cu` file, this object, its test and its benchmark row
    cpu, cuda : functions of (arrays and NumPy scalars), returning an array or a tuple of arrays. A kernel that
        updates an argument in place also returns it.
    sample : ``sample(rng, (height, width))`` gives typical arguments as NumPy arrays: tests and benchmarks use it
    atol : largest allowed difference between the two; 0 for integer results; a reason stands beside any other value
    mismatch : share of elements that may differ by more than `atol`, where a branch may fall either way
    """

    name: str
    cpu: Callable[..., Any]
    cuda: Callable[..., Any]
    sample: Callable[..., tuple[Any, ...]]
    atol: float = 0.0
    mismatch: float = 0.0

    def __call__(self, *arguments: Any) -> Any:
        device = common_device(self.name, *arguments)
        return (self.cuda if device == "cuda" else self.cpu)(*arguments)
