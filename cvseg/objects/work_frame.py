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
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.motion.camera_motion import CameraMotion, estimate_camera_motion
from cvseg.records import Frame
from cvseg.shots import SEEN, FrameLinks, LinkedFrame, SteadyLight


@dataclass
class WorkFrame:
    """One frame on its device, at full and at work size.

    Attributes
    ----------
    frame : as it was read
    factor : full size / work size
    image : (H, W, 3) uint8, full size, in the light of its shot: see `SteadyLight`
    small : (h, w, 3) uint8, h = ceil(H / factor)
    gray, lab : (h, w) float32 in [0, 1]; (h, w, 3) float32
    forward_xy, backward_xy : (h, w, 2) float32, work pixels, to the next and the previous frame
    arrival_xy : (h, w, 2) float32, work pixels, from the previous frame to this one, in that one's pixels; None for the
        first of a shot
    camera_forward, camera_backward : the camera's motion in work pixels
    role : "seen"; "repeat": a copy of the last frame seen, which has no motion; "broken": a flash or a black frame,
        whose flow is its share of that between the frames around it. See `cvseg.shots.FrameLinks`
    begins_shot : the film is cut before this frame
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
    arrival_xy: Any = None
    camera_forward: CameraMotion | None = None
    camera_backward: CameraMotion | None = None
    role: str = SEEN
    begins_shot: bool = False
    times_s: dict[str, float] = field(default_factory=dict)

    def full_size_flow(self, flow_xy: Any) -> Any:
        """A flow of work size, repeated to full size: masks are moved by it, so whole pixels are enough."""
        if self.factor == 1:
            return flow_xy
        height, width = self.image.shape[:2]
        module = array_module(flow_xy)
        rows = module.repeat(flow_xy * np.float32(self.factor), self.factor, axis=0)[:height]
        return module.ascontiguousarray(module.repeat(rows, self.factor, axis=1)[:, :width])

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

    After a cut, a flash or repeated frames they come up to four frames later still.

    Parameters
    ----------
    device : "cpu" or "cuda"; frames are uploaded once
    work_height : the work image is about this high; its factor is a whole number
    flow_preset : "fast", "balanced" or "quality", of `FlowStream`
    causal : frames come out at once; what is missing of the motion to the next frame is as that to the previous one
    """

    def __init__(self, device: Device, work_height: int, flow_preset: str, *, causal: bool = False) -> None:
        self.device = device
        self.work_height = work_height
        self._links: FrameLinks[WorkFrame] = FrameLinks(flow_preset, causal=causal)
        self._light = SteadyLight()

    def push(self, frame: Frame) -> list[WorkFrame]:
        """Take in a frame; those that are complete come out, as a rule the one before."""
        current = self._prepared(frame)
        with current.timed("flow"):
            linked = self._links.push(current.gray, current.small, current)
        return [self._completed(one) for one in linked]

    def finish(self) -> list[WorkFrame]:
        """The last frame, which has no next one, and those still held."""
        return [self._completed(one) for one in self._links.finish()]

    def _prepared(self, frame: Frame) -> WorkFrame:
        start = perf_counter()
        image = to_device(frame.image, self.device)
        factor = max(1, frame.image.shape[0] // self.work_height)
        small = image if factor == 1 else shrink_rgb(image, np.int32(factor))
        work = WorkFrame(frame, factor, image, small, gray_from_rgb(small), lab_image(small))
        work.times_s["prepare"] = perf_counter() - start
        return work

    def _completed(self, linked: LinkedFrame[WorkFrame]) -> WorkFrame:
        work = linked.payload
        work.role, work.begins_shot = linked.role, linked.begins_shot
        if work.role == SEEN:
            with work.timed("prepare"):
                self._light.push(linked.lamps, linked.begins_shot)
                if self._light.changes:
                    work.image, work.small = self._light.steadied(work.image), self._light.steadied(work.small)
                    work.gray, work.lab = gray_from_rgb(work.small), lab_image(work.small)
        forward_xy, backward_xy = linked.forward_xy, linked.backward_xy
        work.arrival_xy = linked.arrival_xy
        if forward_xy is None and backward_xy is None:
            backward_xy = array_module(work.gray).zeros((*work.gray.shape, 2), np.float32)
        # At the ends of a shot the missing neighbour moves like the other one.
        ahead, back = forward_xy is not None, backward_xy is not None
        work.backward_xy = backward_xy if back else forward_xy
        work.forward_xy = forward_xy if ahead else WorkFrames._other_flow(backward_xy, linked.arrival_xy)
        with work.timed("camera motion"):
            work.camera_backward = estimate_camera_motion(work.backward_xy)
            work.camera_forward = estimate_camera_motion(forward_xy) if ahead and back else work.camera_backward
        return work

    @staticmethod
    def _other_flow(backward_xy: Any, arrival_xy: Any) -> Any:
        """The flow of the same pair from the other side: it agrees, except where something was uncovered."""
        return backward_xy if arrival_xy is None else -warp_backward(arrival_xy, backward_xy)
