"""Supervoxels: a video divided into regions that go on through time, on many levels from fine to coarse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cvseg.errors import InputError
from cvseg.supervoxels.graph_hierarchy_2010 import SupervoxelOptions, SupervoxelStream
from cvseg.supervoxels.result import Supervoxels

__all__ = ["SupervoxelOptions", "SupervoxelStream", "Supervoxels", "run", "segment"]


def run(
    frames: Iterable[Any], *, count: int | None = None, options: SupervoxelOptions | None = None, device: str = "auto"
) -> Iterator[Supervoxels]:
    """Supervoxels of a video, part by part as they are finished. Memory does not grow with the video.

    Parameters
    ----------
    frames : (H, W, 3) RGB or (H, W) grey pictures of one size, uint8, or float32 in [0, 1]
    count, options, device : see `SupervoxelStream`

    Raises
    ------
    ShapeError, DtypeError, RangeError, OptionError, DeviceUnavailableError

    Examples
    --------
    >>> import numpy as np
    >>> [len(part) for part in run(np.zeros((22, 8, 8), np.uint8), count=4)]
    [16, 6]
    """
    stream = SupervoxelStream(count=count, options=options, device=device)
    for frame in frames:
        part = stream.update(frame)
        if part is not None:
            yield part
    last = stream.finish()
    if last is not None:
        yield last


def segment(
    frames: Iterable[Any], *, count: int | None = None, options: SupervoxelOptions | None = None, device: str = "auto"
) -> Supervoxels:
    """Supervoxels of a whole video, which must fit into memory: four bytes a pixel.

    Parameters
    ----------
    frames : (H, W, 3) RGB or (H, W) grey pictures of one size, uint8, or float32 in [0, 1]; at least one
    count, options, device : see `SupervoxelStream`

    Returns
    -------
    Supervoxels, of which levels are chosen afterwards

    Raises
    ------
    InputError
        when there is no frame.
    ShapeError, DtypeError, RangeError, OptionError, DeviceUnavailableError

    Examples
    --------
    >>> import numpy as np
    >>> video = np.zeros((3, 16, 24), np.uint8)
    >>> video[:, :, 9:] = 200
    >>> found = segment(video, count=6)
    >>> len(found), found.levels, found.labels_with(2)[2, 0, [0, 8, 9, 23]].tolist()
    (3, 31, [0, 0, 1, 1])
    """
    parts = list(run(frames, count=count, options=options, device=device))
    if not parts:
        raise InputError("supervoxels.segment: no frames; expected at least one.")
    return Supervoxels.joined(parts)
