"""Automatic segmentation: the moving objects of a video, without any help."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvseg.appearance.window_colors import spread_colors
from cvseg.background import BACKGROUND_METHODS
from cvseg.color.lab import lab_image
from cvseg.errors import OptionError, nearest_name
from cvseg.kernels.appearance.color_log_ratio import color_log_ratio
from cvseg.masks.refine_cut import refine_cut
from cvseg.masks.refinement import upsample_along_edges
from cvseg.motion import CausalConsensus, ConsensusOptions, NonlocalConsensus
from cvseg.motion.displaced_difference import displaced_difference
from cvseg.motion.motion_seeds import MAP_NAMES, MotionSeeds, motion_seeds
from cvseg.motion.nonlocal_consensus_2014 import Votes
from cvseg.motion.screen_fixed import ScreenFixedMap
from cvseg.objects.evidence_terms import VoteParts, evidence_of_cut
from cvseg.objects.frame_cuts import FrameCut, FrameCutOptions, FrameCuts
from cvseg.objects.still_camera import StillCamera
from cvseg.objects.work_frame import WorkFrame
from cvseg.options import Options, option
from cvseg.records.evidence import Evidence

Consensus = NonlocalConsensus[tuple[WorkFrame, Any]] | CausalConsensus[tuple[WorkFrame, Any]]


@dataclass(frozen=True, kw_only=True)
class AutomaticOptions(Options):
    """How evidence becomes a mask. Evidence is a logit: 0 is undecided, positive is object."""

    evidence: str = option(
        "consensus",
        "consensus looks ahead; causal decides each frame at once, by past ones",
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
    fine_outline: bool = option(True, "cut again along the outline at full size; slower, and finer")
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
    `NonlocalConsensus` or `CausalConsensus` spreads it; a colour model and edges make it a mask.

    Parameters
    ----------
    options : AutomaticOptions; None takes the defaults
    explain : whether decisions carry their `Evidence`: 24 bytes more per work pixel and frame
    """

    def __init__(self, options: AutomaticOptions | None = None, *, explain: bool = False) -> None:
        self.options = options or AutomaticOptions()
        self.explain = explain
        causal = self.options.evidence == "causal"
        consensus = CausalConsensus if causal else NonlocalConsensus
        self._consensus: Consensus = consensus(self.options.consensus)
        self._still = StillCamera(
            camera=self.options.camera,
            background=self.options.background,
            background_frames=self.options.background_frames,
        )
        self._fixed = ScreenFixedMap()
        self._last_gray: Any = None
        self._cuts = FrameCuts(self.options.cut, causal=causal)
        self._cutting: deque[tuple[WorkFrame, bool, VoteParts | None]] = deque()

    def push(self, work: WorkFrame) -> list[Foreground]:
        """Take in the next frame; the frames that can be decided now come out, oldest first."""
        with work.timed("background"):
            still = self._still.push(work)
        with work.timed("motion"):
            seeds = self._seeds(work)
            assert work.camera_backward is not None
            fixed = self._fixed.push(work.gray, work.camera_backward.matrix)
            unexplained = None
            if self._last_gray is not None:
                unexplained = displaced_difference(work.gray, self._last_gray, work.backward_xy)
            self._last_gray = work.gray
        with work.timed("consensus"):
            decided = self._consensus.push(
                work.lab, seeds, work.arrival_xy, work.backward_xy, (work, still), fixed, unexplained
            )
        return self._decide_votes(decided)

    def finish(self) -> list[Foreground]:
        """Decide every frame that is still open."""
        return self._decide_votes(self._consensus.finish()) + self._finished(self._cuts.finish())

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
