"""Automatic segmentation: the moving objects of a video, without any help."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvseg.appearance.color_model import ColorModel
from cvseg.appearance.window_colors import spread_colors
from cvseg.arrays import array_module
from cvseg.background import BACKGROUND_METHODS
from cvseg.color.lab import lab_image
from cvseg.errors import OptionError, nearest_name
from cvseg.kernels.appearance.color_log_ratio import color_log_ratio
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.masks.refine_cut import refine_cut
from cvseg.masks.refinement import upsample_along_edges
from cvseg.motion import ConsensusOptions, MotionSaliency, NonlocalConsensus, motion_saliency_map
from cvseg.motion.motion_seeds import MAP_NAMES, MotionSeeds, motion_seeds
from cvseg.motion.nonlocal_consensus_2014 import Votes
from cvseg.motion.screen_fixed import ScreenFixedMap
from cvseg.objects.evidence_terms import VoteParts, evidence_of_cut, evidence_of_sum
from cvseg.objects.frame_cuts import FrameCut, FrameCutOptions, FrameCuts
from cvseg.objects.still_camera import StillCamera, StillEvidence
from cvseg.objects.work_frame import WorkFrame
from cvseg.options import Options, option
from cvseg.records.evidence import Evidence


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
    cues: tuple[str, ...] = option(MAP_NAMES, "motion seeds that count, see motion_seeds; fewer are for tests of each")
    background_frames: int = option(
        200, "frames after which the background model is wholly trusted; larger trusts votes longer", low=1
    )
    color_share: float = option(0.7, "weight of the colours; larger follows them, also wrong ones (causal)", low=0.0)
    motion_gain: float = option(1.5, "logit per e-fold of residual motion (causal)", low=0.0)
    motion_level: float = option(
        0.45, "share of the frame's strongest motion that is undecided; larger gives smaller objects", low=0.0
    )
    memory: float = option(0.5, "share of the previous frame's logit, moved along (causal)", low=0.0, high=1.0)
    fine_outline: bool = option(True, "cut again along the outline at full size; slower, and finer (consensus)")
    refine_radius: int = option(5, "window of the edge-aware smoothing, in work pixels", low=1, high=64)
    refine_epsilon: float = option(1e-3, "contrast that counts as an edge, squared; larger smooths more", low=1e-8)
    consensus: ConsensusOptions = field(default_factory=ConsensusOptions)
    cut: FrameCutOptions = field(default_factory=FrameCutOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.cues:
            if name not in MAP_NAMES:
                raise OptionError(f"AutomaticOptions: cues names {name!r}; {nearest_name(str(name), MAP_NAMES)}")
        if not self.cues:
            raise OptionError(f"AutomaticOptions: cues is empty; expected some of {', '.join(MAP_NAMES)}.")


@dataclass(frozen=True)
class Foreground:
    """Decision about one frame.

    Attributes
    ----------
    work : the frame
    logit : (H, W) float32 at full size; positive is foreground
    camera : "static" or "moving"
    votes : (h, w) float32 in [-1, 1], positive for objects: what spoke for them before any colours
    evidence : what decided, term by term; None unless it was asked for
    """

    work: WorkFrame
    logit: Any
    camera: str
    votes: Any
    evidence: Evidence | None = None


class AutomaticSegmenter:
    """Frames in, foreground out, in order, a bounded number of frames later.

    A static camera is served by a background model. Otherwise what moves against the camera is the seed, and
    `NonlocalConsensus` (or, causally, the moved result of the previous frame) spreads it; a colour model and edges make
    it a mask.

    Parameters
    ----------
    options : AutomaticOptions; None takes the defaults
    explain : whether decisions carry their `Evidence`: 24 bytes more per work pixel and frame
    """

    def __init__(self, options: AutomaticOptions | None = None, *, explain: bool = False) -> None:
        self.options = options or AutomaticOptions()
        self.explain = explain
        self._consensus: NonlocalConsensus[tuple[WorkFrame, Any]] = NonlocalConsensus(self.options.consensus)
        self._still = StillCamera(
            camera=self.options.camera,
            background=self.options.background,
            background_frames=self.options.background_frames,
        )
        self._fixed = ScreenFixedMap()
        self._colors = ColorModel()
        self._memory: Any = None
        self._cuts = FrameCuts(self.options.cut)
        self._cutting: deque[tuple[WorkFrame, bool, VoteParts | None]] = deque()

    def push(self, work: WorkFrame) -> list[Foreground]:
        """Take in the next frame; the frames that can be decided now come out, oldest first."""
        with work.timed("background"):
            still = self._still.push(work)
        if self.options.evidence == "causal":
            with work.timed("motion"):
                saliency = self._saliency(work)
            return [self._decide_causal(work, saliency, still)]
        with work.timed("motion"):
            seeds = self._seeds(work)
            assert work.camera_backward is not None
            fixed = self._fixed.push(work.gray, work.camera_backward.matrix)
        with work.timed("consensus"):
            decided = self._consensus.push(work.lab, seeds, work.forward_xy, work.backward_xy, (work, still), fixed)
        return self._decide_votes(decided)

    def finish(self) -> list[Foreground]:
        """Decide every frame that is still open."""
        return self._decide_votes(self._consensus.finish()) + self._finished(self._cuts.finish())

    @staticmethod
    def _saliency(work: WorkFrame) -> MotionSaliency:
        assert work.camera_forward is not None and work.camera_backward is not None  # WorkFrames has completed it
        return motion_saliency_map(work.forward_xy, work.backward_xy, work.camera_forward, work.camera_backward)

    def _seeds(self, work: WorkFrame) -> MotionSeeds:
        assert work.camera_forward is not None and work.camera_backward is not None
        cameras = work.camera_forward, work.camera_backward
        return motion_seeds(work.forward_xy, work.backward_xy, work.lab, *cameras, cues=self.options.cues)

    def _decide_votes(self, decided: list[Votes[Any]]) -> list[Foreground]:
        done = []
        for votes in decided:
            work, still = votes.payload
            with work.timed("evidence"):
                voted = vote = votes.votes.reshape(-1)[votes.cells]
                gain: Any = np.float32(1)
                if still is not None:
                    vote, gain = still.with_votes(voted, votes.contrast)
                parts = None
                if self.explain:
                    parts = VoteParts(votes.seeds.reshape(-1)[votes.cells], voted, vote, gain)
            self._cutting.append((work, still is not None, parts))
            with work.timed("cut"):
                cuts = self._cuts.push(vote, work.lab, work.small, work.forward_xy, work.backward_xy)
            done += self._finished(cuts)
        return done

    def _finished(self, cuts: list[FrameCut]) -> list[Foreground]:
        """Masks at full size."""
        done = []
        for cut in cuts:
            work, static, parts = self._cutting.popleft()
            evidence = evidence_of_cut(parts, cut, work.factor) if parts is not None else None
            # +-3: as steep as what the other way gives.
            logit = np.float32(6) * (cut.inside - np.float32(0.5))
            if self.options.fine_outline and work.factor > 1:
                with work.timed("refine"):
                    fine = np.float32(6) * (self._fine(work, cut) - np.float32(0.5))
                done.append(Foreground(work, fine, "static" if static else "moving", cut.location, evidence))
            else:
                done.append(self._full_size(work, logit, static, cut.location, evidence))
        return done

    def _fine(self, work: WorkFrame, cut: FrameCut) -> Any:
        """The cut at full size, by the colours of the full picture: (H, W) float32 in [0, 1]."""
        options = self.options.cut
        color = color_log_ratio(spread_colors(lab_image(work.image)), cut.color_table)
        return refine_cut(
            cut.inside,
            work.gray,
            work.image,
            work.factor,
            color=np.float32(options.color_share) * color,
            contrast=options.contrast,
            floor=options.floor,
            iterations=options.iterations,
        )

    def _decide_causal(self, work: WorkFrame, saliency: MotionSaliency, still: StillEvidence | None) -> Foreground:
        options, module = self.options, array_module(work.gray)
        with work.timed("evidence"):
            level = np.float32(max(1.5, options.motion_level * saliency.full))
            logit = np.float32(options.motion_gain) * module.log((saliency.saliency + np.float32(0.05)) / level)
            logit = module.clip(logit, np.float32(-2.5), np.float32(2.5))
            terms = {"motion": logit}
            if still is not None:
                terms["motion"] = still.added_motion(logit, saliency.full)
                terms["background"] = still.logit
                logit = still.logit + terms["motion"]
            elif self._memory is not None:
                moved = warp_backward(self._memory, work.backward_xy)
                logit = logit + np.float32(options.memory) * module.clip(moved, np.float32(-4), np.float32(4))
        voted = logit
        if still is None:
            with work.timed("evidence"):
                limit = np.float32(3)
                logit = module.clip(logit, -limit, limit)
                terms["time"] = logit - terms["motion"]
                terms["appearance"] = np.float32(options.color_share) * self._colors.log_ratio(work.lab)
                logit = logit + terms["appearance"]
        evidence = evidence_of_sum(terms, work.factor) if self.explain else None
        foreground = self._full_size(work, logit, still is not None, module.clip(voted, -1, 1), evidence)
        with work.timed("evidence"):
            # Every factor-th pixel: the memory is kept at work size.
            half = work.factor // 2
            small = foreground.logit[half :: work.factor, half :: work.factor]
            self._memory = module.zeros(work.gray.shape, np.float32)
            self._memory[: small.shape[0], : small.shape[1]] = small
            self._colors.update(work.lab, _probability(self._memory))
        return foreground

    def _full_size(
        self, work: WorkFrame, logit: Any, static: bool, votes: Any, evidence: Evidence | None
    ) -> Foreground:
        options = self.options
        with work.timed("refine"):
            fine = upsample_along_edges(
                logit,
                work.gray,
                work.image,
                work.factor,
                radius=options.refine_radius,
                epsilon=options.refine_epsilon,
            )
        return Foreground(work, fine, "static" if static else "moving", votes, evidence)


def _probability(logit: Any) -> Any:
    return np.float32(1) / (np.float32(1) + array_module(logit).exp(-logit))
