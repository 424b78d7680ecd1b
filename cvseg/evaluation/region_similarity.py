"""Region similarity J: intersection over union of masks, and the sequence statistics of the DAVIS benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError


@dataclass(frozen=True)
class SequenceStatistics:
    """What DAVIS reports of a measure over one sequence.

    Attributes
    ----------
    mean : mean over the frames
    recall : share of frames above 0.5
    decay : mean of the first quarter of the frames less that of the last; negative when it gets better
    frames : number of frames counted
    """

    mean: float
    recall: float
    decay: float
    frames: int


def region_similarity(
    result: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> float:
    """J, intersection over union of two masks.

    Parameters
    ----------
    result, truth : (H, W) bool
    void : (H, W) bool, pixels that are not counted

    Returns
    -------
    float in [0, 1]; 1 when both masks are empty, 0 when one of them is

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Perazzi2016]_ section 3.1

    Examples
    --------
    >>> left, middle = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    >>> left[:, :2] = True
    >>> middle[:, 1:3] = True
    >>> round(region_similarity(left, middle), 4)
    0.3333
    """
    check_masks("region_similarity", result, truth, void)
    if void is not None:
        result, truth = result & ~void, truth & ~void
    shared = np.count_nonzero(result & truth)
    union = np.count_nonzero(result) + np.count_nonzero(truth) - shared
    return float(shared / union) if union else 1.0


def object_similarity(
    result_labels: NDArray[np.int32],
    truth_labels: NDArray[np.int32],
    result_of: Mapping[int, int],
    void: NDArray[np.bool_] | None = None,
) -> dict[int, float]:
    """J of every object of `truth_labels` and of every object named in `result_of`.

    Parameters
    ----------
    result_labels, truth_labels : (H, W) int32, 0 background
    result_of : truth id to result id, see `cvseg.evaluation.overlaps.ObjectOverlaps`; an object that is
        missing here has an empty result

    Returns
    -------
    dict : truth id to J. An object that is in neither map scores 1 (it is rightly absent), in one of them 0.
    """
    check_shapes("object_similarity", result_labels=(result_labels, "H W"), truth_labels=(truth_labels, "H W"))
    present = set(np.flatnonzero(np.bincount(truth_labels.ravel())).tolist()) - {0}
    scores = {}
    for truth_id in sorted(present | set(result_of)):
        result_id = result_of.get(truth_id, 0)
        mask = result_labels == result_id if result_id else np.zeros(result_labels.shape, bool)
        scores[truth_id] = region_similarity(mask, truth_labels == truth_id, void)
    return scores


def sequence_statistics(per_frame: Sequence[float], *, leave_out_ends: bool = True) -> SequenceStatistics:
    """Mean, recall and decay of one measure over one sequence.

    Parameters
    ----------
    per_frame : values in frame order; NaN marks a frame that does not count
    leave_out_ends : drop the first and the last frame, as DAVIS does (the first is given to semi-supervised methods)

    Raises
    ------
    InputError
        when no frame is left.

    References
    ----------
    [Perazzi2016]_ section 3.2. The quarters share their border frames, as in the benchmark's own program.
    """
    values = np.asarray(per_frame, np.float64)
    if leave_out_ends:
        values = values[1:-1]
    counted = values[~np.isnan(values)]
    if counted.size == 0:
        raise InputError(
            f"sequence_statistics: no frame to count among {len(per_frame)}; "
            f"{'three are needed when the ends are left out' if leave_out_ends else 'one is needed'}."
        )
    # Half away from zero: numpy.rint would send .5 to the even neighbour.
    edges = np.floor(np.linspace(1, len(values), 5) + 0.5 + 1e-10).astype(int) - 1
    first, last = values[edges[0] : edges[1] + 1], values[edges[3] : edges[4] + 1]
    decay = (
        float("nan") if np.isnan(first).all() or np.isnan(last).all() else float(np.nanmean(first) - np.nanmean(last))
    )
    return SequenceStatistics(
        mean=float(counted.mean()), recall=float((counted > 0.5).mean()), decay=decay, frames=int(counted.size)
    )


def check_masks(
    caller: str, result: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None
) -> None:
    """Demand two or three bool masks of one size."""
    masks = {"result": result, "truth": truth} | ({} if void is None else {"void": void})
    check_shapes(caller, **{name: (mask, "H W") for name, mask in masks.items()})
    check_dtype(caller, np.bool_, **masks)
