"""`LaterFiniteCheck`: frames on a GPU are tested for NaN without waiting for it."""

from __future__ import annotations

import math
from typing import Any

from cvseg.arrays import cupy_module
from cvseg.errors import RangeError


class LateRangeError(RangeError):
    """An array that was given before held NaN or infinite values."""


class LaterFiniteCheck:
    """As `check_finite` of one array after another, each judged when the next one comes.

    The sum of an array is queued at once; it is read on a stream of its own that waits for this sum alone, not for the
    flow that was queued after it.
    """

    def __init__(self) -> None:
        self._waiting: tuple[Any, Any] | None = None  # sum, and the event after which it is there
        self._side: Any = None

    def __call__(self, caller: str, **arrays: Any) -> None:
        """Queue the test of the array, and raise when the array before failed.

        Raises
        ------
        LateRangeError
        """
        cupy = cupy_module()
        waiting, self._waiting = self._waiting, None
        for name, array in arrays.items():
            if waiting is not None:
                total, there = waiting
                self._side = self._side or cupy.cuda.Stream(non_blocking=True)
                self._side.wait_event(there)
                if not math.isfinite(float(total.get(stream=self._side))):
                    raise LateRangeError(
                        f"{caller}: the {name} before held NaN or infinite values, and its flow is void. Mask or fill "
                        "them first; the next frame starts a new video."
                    )
            total = array.sum()
            self._waiting = total, cupy.cuda.get_current_stream().record(cupy.cuda.Event(disable_timing=True))
