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
        xp = array_module(mask)
        height, width = mask.shape
        labels = self._map.labels
        if work.factor > 1:
            rows = xp.repeat(labels, work.factor, axis=0)[:height]
            labels = xp.repeat(rows, work.factor, axis=1)[:, :width]
        return xp.ascontiguousarray(xp.where(mask, labels, np.int32(0))), self._map


def _shrunk(mask: Any, factor: int, shape_hw: tuple[int, int]) -> Any:
    """Where any full-size pixel of a work pixel is inside, so that each of them gets a label."""
    if factor == 1:
        return mask
    xp = array_module(mask)
    height, width = shape_hw
    padded = xp.zeros((height * factor, width * factor), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(height, factor, width, factor).any(axis=(1, 3))
