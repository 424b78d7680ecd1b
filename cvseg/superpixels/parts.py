"""Connected parts of a label map, and joining those that should not stand alone to what lies before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import device_of, to_device, to_host

# Columns of the table that `choose` is given, a row for each part in raster order of first pixels.
AREA, FIRST, LABEL, BEFORE = range(4)


def join_parts(labels: Any, choose: Callable[[NDArray[np.int32]], NDArray[np.int32]]) -> tuple[Any, NDArray[np.int32]]:
    """Make every label connected. Synchronises a GPU.

    Parameters
    ----------
    labels : (H, W) int32
    choose : ``choose(table)`` gives each part its new label, or -1: it joins the part left of its first pixel, or above
        it in the first column. A row of the table: pixels, index of the first pixel, label, number of the part before.
        The first part has none before it, and must be given a label.

    Returns
    -------
    labels : (H, W) int32, a new map
    areas : (n,) int32, pixels of each label
    """
    from cvseg.kernels.labeling.connected_labels import connected_labels
    from cvseg.kernels.labeling.part_table import part_table
    from cvseg.kernels.labeling.relabel import relabel

    parts, counted = connected_labels(labels)
    count = int(to_host(counted)[0])
    table = to_host(part_table(parts, labels, np.int32(count)))
    chosen = choose(table)
    # Every part points to a kept part, its own or one before it: halved until nothing changes.
    goal = np.where(chosen >= 0, np.arange(count), table[:, BEFORE] - 1)
    while True:
        further = goal[goal]
        if np.array_equal(further, goal):
            break
        goal = further
    new = np.zeros(count + 1, np.int32)  # parts are numbered from 1
    new[1:] = chosen[goal]
    areas = np.bincount(new[1:], weights=table[:, AREA]).astype(np.int32)
    return relabel(parts, to_device(new, device_of(labels))), areas
