"""Flow of a pair on a GPU: from the second pair of a kind on, one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cvseg.arrays import device_of
from cvseg.kernels.replay import ReplayCache
from cvseg.options import Options

FLOW_REPLAYS = ReplayCache()


def replayed(name: str, function: Callable[..., Any], image0: Any, image1: Any, options: Options) -> Any:
    """``function(image0, image1, options)``; `name` tells functions apart. On a CPU a plain call.

    The results are fresh arrays. See `cvseg.kernels.replay.Replay` for what `function` may do.
    """
    if device_of(image0) == "cpu":
        return function(image0, image1, options)
    return FLOW_REPLAYS.run((name, options), lambda one, two: function(one, two, options), image0, image1)
