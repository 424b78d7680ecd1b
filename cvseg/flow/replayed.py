"""Flow of a pair on a GPU: from the second pair of a kind on, one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cvseg.arrays import device_of
from cvseg.kernels.replay import ReplayCache

FLOW_REPLAYS = ReplayCache()


def replayed(name: str, function: Callable[..., Any], *arrays_and_options: Any) -> Any:
    """``function(*arrays, options)``; `name` tells functions apart. On a CPU a plain call.

    The results are fresh arrays. See `cvseg.kernels.replay.Replay` for what `function` may do.
    """
    arrays, options = arrays_and_options[:-1], arrays_and_options[-1]
    if device_of(arrays[0]) == "cpu":
        return function(*arrays, options)
    return FLOW_REPLAYS.run((name, options), lambda *placed: function(*placed, options), *arrays)
