"""From votes to masks: location, colours of a window of frames, and one minimal cut per frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvseg.appearance.window_colors import WindowColorOptions, WindowColors, spread_colors
from cvseg.arrays import array_module, common_device, device_of
from cvseg.checks import check_dtype, check_shapes
from cvseg.masks.minimal_cut import minimal_cut
from cvseg.options import Options, option
from cvseg.regions.distance import distance_transform

CERTAIN_BACKGROUND = np.float32(-5)  # unary farther than the margin from all votes
_FAINT = np.float32(-0.6)  # location of a vote of 0.2


@dataclass(frozen=True, kw_only=True)
class FrameCutOptions(Options):
    """Settings of `FrameCuts` and `cut_frames`."""

    color_share: float = option(0.5, "weight of colours against votes; larger follows colours", low=0.0)
    flow_share: float = option(
        0.5,
        "weight of each neighbour frame against its own; larger is steadier, and wrong where the flow is",
        low=0.0,
    )
    margin_px: float = option(12.0, "an object ends this far from the last vote above 0.2", low=0.0, unit=" px")
    contrast: float = option(2.0, "what it costs to cut between alike pixels; larger gives smoother masks", low=0.0)
    floor: float = option(0.05, "what the strongest edge still costs, as a share of contrast", low=0.0)
    iterations: int = option(40, "steps of the cut; more come nearer to its minimum", low=1)
    colors: WindowColorOptions = field(default_factory=WindowColorOptions)


@dataclass(frozen=True)
class FrameCut:
    """What was decided about one frame.

    Attributes
    ----------
    inside : (h, w) float32 in [0, 1]; the mask is ``inside > 0.5``
    unary : (h, w) float32: evidence that was cut, positive for the object
    location, color : (h, w) float32: its two parts, before they were averaged along the flow: votes in [-1, 1], and the
        weighted log ratio of colours
    color_table : (4096) float32: the log ratio per bin, not weighted. For the full picture:
        ``color_log_ratio(spread_colors(lab), color_table)``
    """

    inside: Any
    unary: Any
    location: Any
    color: Any
    color_table: Any


@dataclass
class _Waiting:
    location: Any
    lab: Any
    image: Any
    forward_xy: Any
    backward_xy: Any
    color: Any = None
    table: Any = None
    unary: Any = None


class FrameCuts:
    """Votes in, cuts out, in order, ``colors.reach + 1`` frames later.

    Parameters
    ----------
    options : FrameCutOptions; None takes the defaults
    causal : cuts come out at once, by the colours and the evidence of the frames before
    """

    def __init__(self, options: FrameCutOptions | None = None, *, causal: bool = False) -> None:
        self.options, self.causal = options or FrameCutOptions(), causal
        self.reset()

    def reset(self) -> None:
        """Forget everything, for another video or after a cut of the film."""
        self._colors = WindowColors(self.options.colors)
        self._waiting: dict[int, _Waiting] = {}
        self._pushed = self._colored = self._cut = 0

    def push(self, vote: Any, lab: Any, image: Any, forward_xy: Any, backward_xy: Any) -> list[FrameCut]:
        """Take in the next frame; cuts that are ready come out, oldest first.

        Parameters
        ----------
        vote : (h, w) float32 in [0, 1], how surely the pixel belongs to the object
        lab : (h, w, 3) float32 L*a*b*
        image : (h, w, 3) uint8 RGB
        forward_xy, backward_xy : (h, w, 2) float32, pixels, to the next and to the previous frame; the first
            frame's backward and the last one's forward flow are not used, and may be None

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError
        """
        flows = {"forward_xy": forward_xy, "backward_xy": backward_xy}
        given = {name: flow for name, flow in flows.items() if flow is not None}
        common_device("FrameCuts.push", vote, lab, image, *given.values())
        patterns = {name: (flow, "h w 2") for name, flow in given.items()}
        check_shapes("FrameCuts.push", vote=(vote, "h w"), lab=(lab, "h w 3"), image=(image, "h w 3"), **patterns)
        check_dtype("FrameCuts.push", "float32", vote=vote, lab=lab, **given)
        check_dtype("FrameCuts.push", "uint8", image=image)
        location = location_term(vote)
        self._colors.add(self._pushed, lab, location > 0)
        self._waiting[self._pushed] = _Waiting(location, lab, image, forward_xy, backward_xy)
        self._pushed += 1
        return self._advance(self._pushed - (0 if self.causal else self.options.colors.reach))

    def finish(self) -> list[FrameCut]:
        """The cuts of all frames that are still open."""
        cuts = self._advance(self._pushed)
        while self._cut < self._pushed:
            cuts.append(self._cut_next())
        return cuts

    def _advance(self, known: int) -> list[FrameCut]:
        """The windows of frames before `known` are complete."""
        from cvseg.kernels.appearance.color_log_ratio import color_log_ratio

        cuts = []
        while self._colored < known:
            frame = self._waiting[self._colored]
            frame.table = self._colors.table(self._colored, device_of(frame.lab))
            ratio = color_log_ratio(spread_colors(frame.lab), frame.table)
            frame.color = np.float32(self.options.color_share) * ratio
            frame.unary = frame.location + frame.color
            self._colored += 1
            if self.causal or self._colored - self._cut > 1:
                cuts.append(self._cut_next())
        return cuts

    def _cut_next(self) -> FrameCut:
        from cvseg.kernels.warping.warp_backward import warp_backward

        frame, options = self._waiting[self._cut], self.options
        before, after = self._waiting.get(self._cut - 1), self._waiting.get(self._cut + 1)
        xp = array_module(frame.unary)
        total, weight, share = frame.unary, 1.0, np.float32(options.flow_share)
        for neighbour, flow_xy in ((after, frame.forward_xy), (before, frame.backward_xy)):
            if neighbour is not None and flow_xy is not None:
                total = total + share * warp_backward(neighbour.unary, xp.ascontiguousarray(flow_xy))
                weight += options.flow_share
        unary = total * np.float32(1 / weight)
        unary = xp.where(
            distance_transform(frame.location <= _FAINT) > np.float32(options.margin_px), CERTAIN_BACKGROUND, unary
        )
        inside = minimal_cut(
            unary, frame.image, contrast=options.contrast, floor=options.floor, iterations=options.iterations
        )
        self._waiting.pop(self._cut - 1, None)
        self._cut += 1
        return FrameCut(inside, unary, frame.location, frame.color, frame.table)


def location_term(vote: Any) -> Any:
    """Votes in [0, 1] as evidence in [-1, 1], smoothed by about a Gaussian of 2 pixels. (h, w) float32."""
    from cvseg.kernels.filtering.box_mean import box_mean

    values = array_module(vote).ascontiguousarray(np.float32(2) * vote - np.float32(1))[None]
    # Twice a box of 5 pixels has the variance of a Gaussian of 2.
    return box_mean(box_mean(values, np.int32(2)), np.int32(2))[0]


def cut_frames(
    votes: Iterable[Any],
    labs: Iterable[Any],
    images: Iterable[Any],
    forward_xy: Iterable[Any],
    backward_xy: Iterable[Any],
    options: FrameCutOptions | None = None,
) -> list[FrameCut]:
    """One minimal cut per frame of a clip: votes, colours of the frames around, steadied along the flow.

    Parameters
    ----------
    votes, labs, images, forward_xy, backward_xy : one array per frame, as `FrameCuts.push` takes them
    options : FrameCutOptions; None takes the defaults

    Returns
    -------
    cuts : one `FrameCut` per frame

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError

    Examples
    --------
    >>> image = np.full((20, 30, 3), 40, np.uint8)
    >>> image[5:15, 10:20] = 200
    >>> lab = np.zeros((20, 30, 3), np.float32)
    >>> lab[5:15, 10:20] = 80, 20, 20
    >>> vote = np.zeros((20, 30), np.float32)
    >>> vote[4:14, 9:19] = 1  # one pixel off
    >>> still = np.zeros((20, 30, 2), np.float32)
    >>> first, second = cut_frames([vote] * 2, [lab] * 2, [image] * 2, [still] * 2, [still] * 2)
    >>> bool(((first.inside > 0.5) == (image[..., 0] == 200)).all())
    True
    """
    cuts = FrameCuts(options)
    done = []
    for arguments in zip(votes, labs, images, forward_xy, backward_xy, strict=True):
        done += cuts.push(*arguments)
    return done + cuts.finish()
