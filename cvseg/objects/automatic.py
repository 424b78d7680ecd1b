"""Automatic segmentation: the moving objects of a video, without any help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvseg.appearance.color_model import ColorModel
from cvseg.arrays import array_module
from cvseg.background import BACKGROUND_METHODS, background_model
from cvseg.kernels.filtering.box_mean import box_mean
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.masks.refinement import upsample_along_edges
from cvseg.motion import CameraState, ConsensusOptions, MotionSaliency, NonlocalConsensus, motion_saliency_map
from cvseg.objects.work_frame import WorkFrame
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class AutomaticOptions(Options):
    """How evidence becomes a mask. Evidence is a logit: 0 is undecided, positive is object."""

    evidence: str = option(
        "consensus",
        "consensus looks ahead and votes over time; causal uses the past and one frame ahead",
        choices=("consensus", "causal"),
    )
    camera: str = option(
        "auto", "static: a background model decides; moving: motion does", choices=("auto", "static", "moving")
    )
    background: str = option(
        "running_gaussian", "model of the background, for a static camera", choices=tuple(BACKGROUND_METHODS)
    )
    vote_gain: float = option(6.0, "logit of a full vote; larger trusts the votes against the colours", low=0.0)
    color_share: float = option(0.7, "weight of the colour model; larger follows colours, also wrong ones", low=0.0)
    motion_gain: float = option(1.5, "logit per e-fold of residual motion (causal)", low=0.0)
    motion_level: float = option(
        0.45, "share of the frame's strongest motion that is undecided; larger gives smaller objects", low=0.0
    )
    memory: float = option(0.5, "share of the previous frame's logit, moved along (causal)", low=0.0, high=1.0)
    refine_radius: int = option(5, "window of the edge-aware smoothing, in work pixels", low=1, high=64)
    refine_epsilon: float = option(1e-3, "contrast that counts as an edge, squared; larger smooths more", low=1e-8)
    consensus: ConsensusOptions = field(default_factory=ConsensusOptions)


@dataclass(frozen=True)
class Foreground:
    """Decision about one frame.

    Attributes
    ----------
    work : the frame
    logit : (H, W) float32 at full size; positive is foreground
    camera : "static" or "moving"
    """

    work: WorkFrame
    logit: Any
    camera: str


class AutomaticSegmenter:
    """Frames in, foreground out, in order, a bounded number of frames later.

    A static camera is served by a background model. Otherwise what moves against the camera is the seed, and
    `NonlocalConsensus` (or, causally, the moved result of the previous frame) spreads it; a colour model and edges make
    it a mask.
    """

    def __init__(self, options: AutomaticOptions | None = None) -> None:
        self.options = options or AutomaticOptions()
        self._consensus: NonlocalConsensus[tuple[WorkFrame, Any]] = NonlocalConsensus(self.options.consensus)
        self._camera = CameraState()
        self._background = background_model(self.options.background)
        self._colors = ColorModel()
        self._memory: Any = None

    def push(self, work: WorkFrame) -> list[Foreground]:
        """Take in the next frame; the frames that can be decided now come out, oldest first."""
        with work.timed("motion"):
            saliency = self._saliency(work)
        with work.timed("background"):
            background = self._background_logit(work)
        if self.options.evidence == "causal":
            return [self._decide_causal(work, saliency, background)]
        with work.timed("consensus"):
            decided = self._consensus.push(work.lab, saliency, (work, background))
        return self._decide_votes(decided)

    def finish(self) -> list[Foreground]:
        """Decide every frame that is still open."""
        return self._decide_votes(self._consensus.finish())

    @staticmethod
    def _saliency(work: WorkFrame) -> MotionSaliency:
        assert work.camera_forward is not None and work.camera_backward is not None  # WorkFrames has completed it
        return motion_saliency_map(work.forward_xy, work.backward_xy, work.camera_forward, work.camera_backward)

    def _background_logit(self, work: WorkFrame) -> Any:
        if self.options.camera == "moving":
            return None
        assert work.camera_forward is not None
        self._camera.update(work.camera_forward)
        if self._camera.moved and self.options.camera == "auto":
            self._background.reset()
        foreground = self._background.update(work.small).foreground
        module = array_module(foreground)
        limited = module.clip(foreground, np.float32(0.02), np.float32(0.98))
        return module.log(limited / (np.float32(1) - limited))

    def _is_static(self) -> bool:
        return self.options.camera == "static" or (self.options.camera == "auto" and self._camera.static)

    def _decide_votes(self, decided: list[Any]) -> list[Foreground]:
        static = self._is_static()
        logits = []
        for votes in decided:
            work, background = votes.payload
            with work.timed("evidence"):
                logit = self._vote_logit(work, votes.votes, votes.threshold)
                if static:
                    # Motion adds to the background model, where it is clear: the model learns slow objects away.
                    clear = min(max((votes.contrast - 0.25) / 0.15, 0.0), 1.0)
                    moving = array_module(logit).maximum(logit, np.float32(0))
                    logit = background + np.float32(2 * clear) * moving
                else:
                    self._colors.update(work.lab, _probability(np.float32(2) * logit))
            logits.append((work, logit))
        # The colours of all frames decided together are known before any of them is used.
        return [self._refined(work, logit, static) for work, logit in logits]

    def _vote_logit(self, work: WorkFrame, votes: Any, threshold: float) -> Any:
        cell = self.options.consensus.cell
        module = array_module(votes)
        height, width = work.gray.shape
        steps = module.repeat(module.repeat(votes, cell, axis=0), cell, axis=1)[:height, :width]
        # A box as wide as a cell over steps of a cell is linear interpolation.
        smooth = box_mean(module.ascontiguousarray(steps[None]), np.int32(cell // 2))[0]
        return np.float32(self.options.vote_gain) * (smooth - np.float32(threshold))

    def _decide_causal(self, work: WorkFrame, saliency: MotionSaliency, background: Any) -> Foreground:
        options, module = self.options, array_module(work.gray)
        static = self._is_static()
        with work.timed("evidence"):
            level = np.float32(max(1.5, options.motion_level * saliency.full))
            logit = np.float32(options.motion_gain) * module.log((saliency.saliency + np.float32(0.05)) / level)
            logit = module.clip(logit, np.float32(-2.5), np.float32(2.5))
            if static:
                # As for the votes: motion adds where it is clear.
                clear = min(max((saliency.full - 3.0) / 3.0, 0.0), 1.0)
                logit = background + np.float32(clear) * module.maximum(logit, np.float32(0))
            elif self._memory is not None:
                moved = warp_backward(self._memory, work.backward_xy)
                logit = logit + np.float32(options.memory) * module.clip(moved, np.float32(-4), np.float32(4))
        foreground = self._refined(work, logit, static)
        with work.timed("evidence"):
            # Every factor-th pixel: the memory is kept at work size.
            half = work.factor // 2
            small = foreground.logit[half :: work.factor, half :: work.factor]
            self._memory = module.zeros(work.gray.shape, np.float32)
            self._memory[: small.shape[0], : small.shape[1]] = small
            self._colors.update(work.lab, _probability(self._memory))
        return foreground

    def _refined(self, work: WorkFrame, logit: Any, static: bool) -> Foreground:
        options = self.options
        if not static:
            with work.timed("evidence"):
                limit = np.float32(3)
                logit = array_module(logit).clip(logit, -limit, limit)
                logit = logit + np.float32(options.color_share) * self._colors.log_ratio(work.lab)
        with work.timed("refine"):
            fine = upsample_along_edges(
                logit,
                work.gray,
                work.image,
                work.factor,
                radius=options.refine_radius,
                epsilon=options.refine_epsilon,
            )
        return Foreground(work, fine, "static" if static else "moving")


def _probability(logit: Any) -> Any:
    return np.float32(1) / (np.float32(1) + array_module(logit).exp(-logit))
