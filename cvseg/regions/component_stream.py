"""Connected components along time, one frame after the other: numbers last, and memory is that of two frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import common_device, device_of, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import RangeError, ShapeError
from cvseg.regions.labeling import check_volume_connectivity, label_components


@dataclass(frozen=True)
class FrameComponents:
    """Components of one frame.

    Attributes
    ----------
    labels : (H, W) int32 on the mask's device: each pixel's number, 0 outside
    ids : (k,) int64, the numbers in this frame, ascending
    born : (j,) int64, those that begin here
    merged : numbers that have turned out to be another one: {number: what it is from here on}. Frames that were given
        out before keep the old number: replace in them what each later frame reports, in the frames' order, to join
        all that the whole video joins.
    """

    labels: Any
    ids: NDArray[np.int64]
    born: NDArray[np.int64]
    merged: dict[int, int]


class ComponentStream:
    """Numbers the connected components of a video as its frames come.

    Parameters
    ----------
    connectivity : 6, 18 or 26, as in `label_volume`

    Notes
    -----
    A component has the smallest number of those that it touches in the frame before, also through others; if it touches
    none, a new one. Two parts of a frame that met earlier share a number. With all merges applied the numbers are
    those of ``scipy.ndimage.label`` on the whole video, in another order. Held are one label map and its numbers.

    Examples
    --------
    >>> stream = ComponentStream(6)
    >>> for row in ([1, 0, 1, 0], [1, 1, 1, 0], [1, 0, 0, 1]):
    ...     found = stream.update(np.array([row], bool))
    ...     print(found.labels.tolist(), found.merged)
    [[1, 0, 2, 0]] {}
    [[1, 1, 1, 0]] {2: 1}
    [[1, 0, 0, 3]] {}
    """

    def __init__(self, connectivity: int = 26) -> None:
        check_volume_connectivity("ComponentStream", connectivity)
        self._connectivity = connectivity
        self._parts: Any = None  # (H, W) int32, components of the last frame, 1..n
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)  # number of each
        self._next = 1

    def update(self, mask: Any, flow_xy: Any = None) -> FrameComponents:
        """Number the components of the next frame. Synchronises a GPU.

        Parameters
        ----------
        mask : (H, W) bool or uint8, non-zero inside
        flow_xy : (H, W, 2) float32, pixels, on the same device, from this frame to the one before: components touch
            where they lie after that motion, so that fast and small ones keep their number. None: nothing moves.

        Returns
        -------
        FrameComponents

        Raises
        ------
        ShapeError, DtypeError, RangeError, DeviceMismatchError
        """
        from cvseg.kernels.labeling.join_labels import join_labels
        from cvseg.kernels.labeling.relabel import relabel

        check_shapes("ComponentStream.update", mask=(mask, "H W"))
        if flow_xy is not None:
            common_device("ComponentStream.update", mask, flow_xy)
            check_shapes("ComponentStream.update", mask=(mask, "H W"), flow_xy=(flow_xy, "H W 2"))
            check_dtype("ComponentStream.update", np.float32, flow_xy=flow_xy)
        if self._parts is not None:
            common_device("ComponentStream.update", mask, self._parts)
            if tuple(self._parts.shape) != tuple(mask.shape):
                raise ShapeError(
                    f"ComponentStream.update: mask is {tuple(mask.shape)}; expected {tuple(self._parts.shape)}, as the "
                    "frames before. Begin a new stream for another size."
                )
        parts, count = label_components(mask, 4 if self._connectivity == 6 else 8)
        before = len(self._ids)
        group = np.arange(before + count)
        if before and count:
            moved = self._moved(flow_xy)
            sizes = np.int32(before), np.int32(count), np.int32(self._connectivity)
            group = to_host(join_labels(moved, parts, *sizes)).astype(np.int64)
        ids, born, merged = self._numbers(group, before, count)
        self._parts, self._ids = parts, ids
        table = np.zeros(count + 1, np.int32)
        table[1:] = ids
        labels = relabel(parts, to_device(table, device_of(parts)))
        return FrameComponents(labels, np.unique(ids), born, merged)

    def _moved(self, flow_xy: Any) -> Any:
        from cvseg.arrays import array_module
        from cvseg.kernels.labeling.warp_labels import warp_labels

        if flow_xy is None:
            return self._parts
        return warp_labels(self._parts, array_module(flow_xy).ascontiguousarray(flow_xy))

    def _numbers(
        self, group: NDArray[np.int64], before: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[int, int]]:
        """Numbers of the frame's components, new ones, and those that end in another."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        # Parts of the last frame that share a number are one component, although they may not touch here.
        known, place = np.unique(self._ids, return_inverse=True)
        nodes = np.concatenate((place, np.arange(len(known), len(known) + count)))
        total = len(known) + count
        links = coo_array((np.ones(len(nodes), np.bool_), (nodes, nodes[group])), shape=(total, total))
        _, component = connected_components(links, directed=False)
        first = np.full(total, total)
        np.minimum.at(first, component, np.arange(total))
        roots = first[component]
        final = np.zeros(total, np.int64)
        final[: len(known)] = known  # ascending: the smallest of a group is its root
        fresh = np.flatnonzero(roots == np.arange(total))
        fresh = fresh[fresh >= len(known)]
        if self._next + len(fresh) > 2**31 - 1:
            raise RangeError("ComponentStream.update: more than 2^31 - 2 components so far; begin a new stream.")
        final[fresh] = np.arange(self._next, self._next + len(fresh))
        self._next += len(fresh)
        final = final[roots]
        merged = {int(old): int(new) for old, new in zip(known, final, strict=False) if old != new}
        return final[len(known) :], final[fresh], merged
