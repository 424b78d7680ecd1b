"""Scores of one segmented clip with true masks: J, F and T, flicker, and how well the confidence tells J."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from measuring import Segment, timed
from numpy.typing import NDArray

from cvseg.evaluation import (
    OutlineShape,
    boundary_accuracy,
    mask_flicker,
    outline_shape,
    region_similarity,
    sequence_statistics,
    temporal_stability,
)
from cvseg.flow import flow_with_confidence


@dataclass
class FlickerMeter:
    """Mean flicker of a stream of masks; the flow is estimated here, from the frames, whatever the segmenter used.

    Attributes
    ----------
    values : one a pair of frames, NaN where both masks are empty
    """

    values: list[float] = field(default_factory=list)
    _last: tuple[NDArray[np.uint8], NDArray[np.bool_]] | None = None

    def add(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        """The next frame, (H, W, 3) uint8, and its mask, (H, W) bool."""
        if self._last is not None:
            flow = flow_with_confidence(self._last[0], image)
            self.values.append(mask_flicker(self._last[1], mask, flow.flow_xy, flow.occluded))
        self._last = image, mask

    def mean(self) -> float:
        """Over the pairs that have a value; NaN without one."""
        return mean_of(self.values)


def score_clip(
    source: Any,
    truths: Mapping[str, NDArray[np.bool_]],
    segment: Segment,
    *,
    flicker: bool = False,
    look: Callable[[Any, NDArray[np.bool_]], None] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Segment `source` and compare every frame with the true mask of its name; all labels count as one object.

    Parameters
    ----------
    source : what `segment` takes
    truths : name of a frame to (H, W) bool, in order; a frame that the segmentation leaves out has an empty mask
    flicker : measure it too, which costs two flows a frame
    look : called with the result and the truth of each frame
    settings : passed on to `segment`

    Returns
    -------
    dict : frames; seconds; frames_per_s; J and F: mean, recall, decay; T; flicker (NaN when not asked for); per_frame:
        J and F, and confidence, NaN where the segmentation gave none
    """
    meter, clock, count = FlickerMeter(), [0.0], 0
    scores: dict[str, tuple[float, float, float]] = {}
    shapes: dict[str, OutlineShape] = {}
    for result in timed(segment(source, **settings), clock):
        count += 1
        truth = truths.get(result.frame.name)
        if truth is None:
            continue
        mask = np.asarray(result.labels) > 0
        score = region_similarity(mask, truth), boundary_accuracy(mask, truth)
        scores[result.frame.name] = (*score, float(getattr(result, "confidence", math.nan)))
        shapes[result.frame.name] = outline_shape(mask)
        if flicker:
            meter.add(result.frame.image, mask)
        if look is not None:
            look(result, truth)
    for name, truth in truths.items():
        if name not in scores:
            nothing = np.zeros_like(truth)
            scores[name] = region_similarity(nothing, truth), boundary_accuracy(nothing, truth), math.nan
            shapes[name] = outline_shape(nothing)
    per_frame = {key: [scores[name][i] for name in truths] for i, key in enumerate(("J", "F", "confidence"))}
    return {
        "frames": count,
        "seconds": clock[0],
        "frames_per_s": count / clock[0] if clock[0] else math.nan,
        **{letter: asdict(sequence_statistics(per_frame[letter])) for letter in "JF"},
        "T": temporal_stability([shapes[name] for name in truths]),
        "flicker": meter.mean(),
        "per_frame": per_frame,
    }


def confidence_correlation(results: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Correlation of confidence with J over the scored frames of all clips: their number, Pearson's and Spearman's.

    None where no confidence was given. The first and the last frame of a clip are not scored.
    """
    pairs = [
        pair
        for result in results
        for pair in list(zip(result["per_frame"]["confidence"], result["per_frame"]["J"], strict=True))[1:-1]
    ]
    known = np.array([pair for pair in pairs if not math.isnan(pair[0])]).reshape(-1, 2)
    if len(known) < 3:
        return None
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(column) for column in known.T], 1)
    return {"frames": len(known), "pearson": _pearson(known), "spearman": _pearson(ranks)}


def mean_of(values: Sequence[float]) -> float:
    """Mean of the values that are known; NaN without one."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _pearson(pairs: NDArray[np.float64]) -> float:
    if not pairs.std(axis=0).all():
        return math.nan
    return float(np.corrcoef(pairs.T)[0, 1])
