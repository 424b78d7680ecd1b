"""`ShotSegmenter`: the automatic segmentation of a film: anew after each cut, and across frames that say nothing."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.motion.camera_motion import CameraMotion
from cvseg.objects.automatic import AutomaticOptions, AutomaticSegmenter, Foreground
from cvseg.objects.work_frame import WorkFrame
from cvseg.shots import BROKEN, REPEAT, SEEN

MOST_WAITING = 30  # repeats that wait for their frame's decision; a film that stands still longer is decided at once


class ShotSegmenter:
    """Frames in, foreground out, in order, a bounded number of frames later.

    Each shot is segmented by itself with `AutomaticSegmenter`. A repeat gets what its frame got. A broken frame gets
    the mean of what the frames around it got, moved to it by its share of their motion.

    Parameters
    ----------
    options : AutomaticOptions; None takes the defaults
    explain : whether decisions carry their `Evidence`; a broken frame has that of the frame before
    """

    def __init__(self, options: AutomaticOptions | None = None, *, explain: bool = False) -> None:
        self.options = options or AutomaticOptions()
        self.explain = explain
        self._shot = AutomaticSegmenter(self.options, explain=explain)
        self._order: deque[WorkFrame] = deque()
        self._decided: deque[Foreground] = deque()
        self._last: Foreground | None = None

    def push(self, work: WorkFrame) -> list[Foreground]:
        """Take in the next frame; the frames that can be decided now come out, oldest first."""
        done = []
        if work.begins_shot and (self._last is not None or self._order):
            done = self.finish()
            self._shot = AutomaticSegmenter(self.options, explain=self.explain)
        self._order.append(work)
        if work.role == SEEN:
            self._decided.extend(self._shot.push(work))
        elif work.role == REPEAT and sum(frame.role == REPEAT for frame in self._order) > MOST_WAITING:
            self._decided.extend(self._shot.finish())
        return done + self._in_order()

    def finish(self) -> list[Foreground]:
        """Decide every frame that is still open."""
        self._decided.extend(self._shot.finish())
        return self._in_order()

    def _in_order(self) -> list[Foreground]:
        done: list[Foreground] = []
        while self._order and (foregrounds := self._next()):
            done += foregrounds
            self._last = foregrounds[-1]
        return done

    def _next(self) -> list[Foreground]:
        """The frame that is next, as soon as it can be decided; broken frames with the frame after them."""
        order = self._order
        if order[0].role == REPEAT:  # its frame came before it, and is decided
            assert self._last is not None
            return [replace(self._last, work=order.popleft())]
        if not self._decided:
            return []
        if order[0].role == SEEN:
            order.popleft()
            return [self._decided.popleft()]
        return self._broken()

    def _broken(self) -> list[Foreground]:
        before, after = self._last, self._decided.popleft()
        assert before is not None  # a broken frame lies between two that were seen
        works = []
        while self._order[0].role == BROKEN:
            works.append(self._order.popleft())
        self._order.popleft()
        step = 1 / (len(works) + 1)
        backward_xy = np.float32(step) * after.work.backward_xy
        camera = after.work.camera_backward
        assert camera is not None  # WorkFrames has completed it
        parts = _part(camera, step)
        done = []
        for work in works:
            with work.timed("evidence"):
                carried = warp_backward(before.logit, work.full_size_flow(work.backward_xy))
                logit = np.float32(0.5) * (carried + warp_backward(after.logit, work.full_size_flow(work.forward_xy)))
            # From here on the motion is that to the frame before, as the tracker wants it.
            done.append(
                replace(before, work=replace(work, backward_xy=backward_xy, camera_backward=parts), logit=logit)
            )
        return [*done, replace(after, work=replace(after.work, backward_xy=backward_xy, camera_backward=parts))]


def _part(camera: CameraMotion, share: float) -> CameraMotion:
    """The camera's motion, a share of it."""
    identity = np.eye(3)
    return replace(camera, matrix=identity + share * (camera.matrix - identity))
