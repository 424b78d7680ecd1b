"""Change detection: the seven measures of CDnet from counts of pixels, and the false alarms in shadows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import RangeError

STATIC, SHADOW, OUTSIDE, UNKNOWN, MOVING = 0, 50, 85, 170, 255  # labels of CDnet's truth
LABELS = (STATIC, SHADOW, OUTSIDE, UNKNOWN, MOVING)


@dataclass(frozen=True)
class ChangeCounts:
    """Pixels by what they are and what they were taken for; counts of frames add up with +.

    Attributes
    ----------
    true_positives, false_positives, false_negatives, true_negatives : counted pixels; shadows are negatives
    shadow_false_positives : those false positives that lie in shadows
    shadows : all counted pixels in shadows
    """

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0
    shadow_false_positives: int = 0
    shadows: int = 0

    def __add__(self, other: ChangeCounts) -> ChangeCounts:
        return ChangeCounts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.true_negatives + other.true_negatives,
            self.shadow_false_positives + other.shadow_false_positives,
            self.shadows + other.shadows,
        )

    @property
    def counted(self) -> int:
        """Pixels that count at all."""
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives


@dataclass(frozen=True)
class ChangeScore:
    """Measures of `ChangeCounts`; NaN where a measure divides by nothing.

    Attributes
    ----------
    recall : TP / (TP + FN)
    specificity : TN / (TN + FP)
    fpr : FP / (FP + TN)
    fnr : FN / (TP + FN)
    pwc : percentage of wrong classifications, 100 (FN + FP) / all
    f_measure : 2 TP / (2 TP + FP + FN); NaN when nothing moves and nothing was found
    precision : TP / (TP + FP)
    fpr_shadow : false positives in shadows / pixels in shadows
    """

    recall: float
    specificity: float
    fpr: float
    fnr: float
    pwc: float
    f_measure: float
    precision: float
    fpr_shadow: float


def change_counts(
    result: NDArray[np.bool_], truth: NDArray[np.uint8], roi: NDArray[np.bool_] | None = None
) -> ChangeCounts:
    """Count one frame.

    Parameters
    ----------
    result : (H, W) bool, True where something was found to move
    truth : (H, W) uint8 labels: 0 static, 50 shadow (counts as static), 85 outside the region of interest and 170
        unknown (both are not counted), 255 moving
    roi : (H, W) bool, pixels to count; default all

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        when the truth holds another label.

    References
    ----------
    [Wang2014]_ section 4

    Examples
    --------
    >>> truth = np.array([[255, 255, 50, 0, 170]], np.uint8)
    >>> counts = change_counts(np.array([[True, False, True, False, True]]), truth)
    >>> counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives
    (1, 1, 1, 1)
    """
    masks = {"result": result} | ({} if roi is None else {"roi": roi})
    check_shapes("change_counts", truth=(truth, "H W"), **{name: (mask, "H W") for name, mask in masks.items()})
    check_dtype("change_counts", np.bool_, **masks)
    check_dtype("change_counts", np.uint8, truth=truth)
    moving, shadow = truth == MOVING, truth == SHADOW
    static = (truth == STATIC) | shadow
    areas = [int(np.count_nonzero(mask)) for mask in (moving, static, truth == UNKNOWN, truth == OUTSIDE)]
    if sum(areas) != truth.size:
        strange = sorted(set(np.unique(truth).tolist()) - set(LABELS))
        raise RangeError(
            f"change_counts: truth holds the labels {', '.join(map(str, strange[:5]))}; expected "
            f"{', '.join(map(str, LABELS))}. Was it saved with lossy compression, or does it hold object ids?"
        )
    if roi is not None:
        moving, static, shadow = moving & roi, static & roi, shadow & roi
        areas[:2] = [int(np.count_nonzero(mask)) for mask in (moving, static)]
    hits, alarms = (int(np.count_nonzero(result & mask)) for mask in (moving, static))
    return ChangeCounts(
        true_positives=hits,
        false_positives=alarms,
        false_negatives=areas[0] - hits,
        true_negatives=areas[1] - alarms,
        shadow_false_positives=int(np.count_nonzero(result & shadow)),
        shadows=int(np.count_nonzero(shadow)),
    )


def change_score(counts: ChangeCounts) -> ChangeScore:
    """The seven measures of CDnet, and FPR-S.

    Parameters
    ----------
    counts : sum over the frames of one sequence

    Returns
    -------
    ChangeScore : every value in [0, 1], `pwc` in [0, 100], or NaN

    References
    ----------
    [Wang2014]_ section 4. The F-measure is written so that it is 0, not NaN, when something moves and nothing of it
    was found.

    Examples
    --------
    >>> change_score(ChangeCounts(true_positives=6, false_positives=2, false_negatives=2, true_negatives=90)).f_measure
    0.75
    """
    hits, alarms = counts.true_positives, counts.false_positives
    misses, rest = counts.false_negatives, counts.true_negatives
    return ChangeScore(
        recall=_share(hits, hits + misses),
        specificity=_share(rest, rest + alarms),
        fpr=_share(alarms, rest + alarms),
        fnr=_share(misses, hits + misses),
        pwc=100 * _share(misses + alarms, counts.counted),
        f_measure=_share(2 * hits, 2 * hits + alarms + misses),
        precision=_share(hits, hits + alarms),
        fpr_shadow=_share(counts.shadow_false_positives, counts.shadows),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
