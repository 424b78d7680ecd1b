"""`WorkFrames`: turns frames into what the segmenter needs: small images, flow to both neighbours, camera motion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from cvseg.arrays import Device, array_module, to_device
from cvseg.color.lab import lab_image
from cvseg.flow import FlowStream
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.motion.camera_motion import CameraMotion, estimate_camera_motion
from cvseg.records import Frame


@dataclass
class WorkFrame:
    """One frame on its device, at full and at work size.

    Attributes
    ----------
    frame : as it was read
    factor : full size / work size
    image : (H, W, 3) uint8, full size
    small : (h, w, 3) uint8, h = ceil(H / factor)
    gray, lab : (h, w) float32 in [0, 1]; (h, w, 3) float32
    forward_xy, backward_xy : (h, w, 2) float32, work pixels, to the next and the previous frame
    camera_forward, camera_backward : the camera's motion in work pixels
    times_s : seconds per stage
    """

    frame: Frame
    factor: int
    image: Any
    small: Any
    gray: Any
    lab: Any
    forward_xy: Any = None
    backward_xy: Any = None
    camera_forward: CameraMotion | None = None
    camera_backward: CameraMotion | None = None
    times_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds spent inside to `times_s`. On a GPU this is the time to launch, not to run."""
        start = perf_counter()
        try:
            yield
        finally:
            self.times_s[stage] = self.times_s.get(stage, 0.0) + perf_counter() - start


class WorkFrames:
    """Feeds on frames and gives `WorkFrame` records one frame later, when the flow to the next frame is known.

    Parameters
    ----------
    device : "cpu" or "cuda"; frames are uploaded once
    work_height : the work image is about this high; its factor is a whole number
    flow_preset : "fast", "balanced" or "quality", of `FlowStream`
    """

    def __init__(self, device: Device, work_height: int, flow_preset: str) -> None:
        self.device = device
        self.work_height = work_height
        self._stream = FlowStream(flow_preset)
        self._last: WorkFrame | None = None

    def push(self, frame: Frame) -> WorkFrame | None:
        """Take in a frame; the one before comes out complete."""
        current = self._prepared(frame)
        with current.timed("flow"):
            pair = self._stream.update(current.gray)
        last, self._last = self._last, current
        if last is None or pair is None:
            return None
        last.forward_xy, current.backward_xy = pair.forward_xy, pair.backward_xy
        with current.timed("camera motion"):
            last.camera_forward = estimate_camera_motion(pair.forward_xy)
            current.camera_backward = estimate_camera_motion(pair.backward_xy)
        return self._completed(last)

    def finish(self) -> WorkFrame | None:
        """The last frame, which has no next one."""
        last, self._last = self._last, None
        self._stream.reset()
        return None if last is None else self._completed(last)

    def _prepared(self, frame: Frame) -> WorkFrame:
        start = perf_counter()
        image = to_device(frame.image, self.device)
        factor = max(1, frame.image.shape[0] // self.work_height)
        small = image if factor == 1 else shrink_rgb(image, np.int32(factor))
        work = WorkFrame(frame, factor, image, small, gray_from_rgb(small), lab_image(small))
        work.times_s["prepare"] = perf_counter() - start
        return work

    @staticmethod
    def _completed(work: WorkFrame) -> WorkFrame:
        # At the ends of a clip the missing neighbour moves like the other one: the minimum over both is then either.
        if work.backward_xy is None and work.forward_xy is None:
            work.forward_xy = array_module(work.gray).zeros((*work.gray.shape, 2), np.float32)
            work.backward_xy = work.forward_xy
            work.camera_forward = work.camera_backward = estimate_camera_motion(work.forward_xy)
        if work.backward_xy is None:
            work.backward_xy, work.camera_backward = work.forward_xy, work.camera_forward
        if work.forward_xy is None:
            work.forward_xy, work.camera_forward = work.backward_xy, work.camera_backward
        return work
