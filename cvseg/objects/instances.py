"""`Instances`: the foreground mask of a frame as one label per object, at full size."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.motion.motion_layers import LayerMap, MotionLayers
from cvseg.objects.work_frame import WorkFrame
from cvseg.shots import REPEAT


class Instances:
    """Splits what touches and moves apart, at work size, and carries the borders to full size."""

    def __init__(self) -> None:
        self._layers = MotionLayers()
        self._map: LayerMap | None = None

    def push(self, work: WorkFrame, mask: Any) -> tuple[Any, LayerMap]:
        """Label the next frame. Synchronises a GPU.

        Parameters
        ----------
        work : the frame; where it begins a shot, nothing goes on
        mask : (H, W) bool at full size, on its device

        Returns
        -------
        labels : (H, W) int32, 0 outside the mask, 1..n
        layers : what is known of them, at work size
        """
        if work.begins_shot:
            self._layers.reset()
            self._map = None
        assert work.camera_backward is not None and work.camera_forward is not None  # WorkFrames has completed it
        # A repeat has no motion, which would look as if everything had stopped.
        if self._map is None or work.role != REPEAT:
            self._map = self._layers.push(
                _shrunk(mask, work.factor, work.gray.shape),
                work.small,
                work.backward_xy,
                work.forward_xy,
                work.camera_backward.matrix,
                work.camera_forward.matrix,
            )
        return _enlarged(self._map.labels, work.factor, mask), self._map


def _shrunk(mask: Any, factor: int, shape_hw: tuple[int, int]) -> Any:
    """Where any full-size pixel of a work pixel is inside, so that each of them gets a label."""
    if factor == 1:
        return mask
    shrunk = array_module(mask).zeros(shape_hw, bool)
    for dy in range(factor):
        for dx in range(factor):
            part = mask[dy::factor, dx::factor]
            shrunk[: part.shape[0], : part.shape[1]] |= part
    return shrunk


def _enlarged(labels: Any, factor: int, mask: Any) -> Any:
    """Each label repeated over its full-size pixels, inside the mask."""
    enlarged = array_module(mask).empty(mask.shape, np.int32)
    for dy in range(factor):
        for dx in range(factor):
            part = enlarged[dy::factor, dx::factor]
            part[...] = labels[: part.shape[0], : part.shape[1]]
    enlarged *= mask
    return enlarged
