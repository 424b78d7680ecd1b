"""Accuracy of class labels: pixel accuracy, intersection over union of each class, and their means."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import InputError, ShapeError

IGNORE_LABEL = 255  # of most data sets


@dataclass(frozen=True)
class SemanticScore:
    """Accuracy of class labels; all values in [0, 1].

    Attributes
    ----------
    pixel_accuracy : share of the counted pixels whose class is right; NaN without a counted pixel
    mean_accuracy : mean of `class_accuracy` over the classes that the truth holds
    mean_iou : mean of `class_iou` over the classes that the truth or the result holds
    frequency_weighted_iou : mean of `class_iou`, each class weighted with its share of the truth
    class_iou : (n,) float64, TP / (TP + FP + FN) of each class; NaN for one that neither holds
    class_accuracy : (n,) float64, share of the true pixels of each class that are right; NaN for one not in the truth
    truth_pixels, result_pixels : (n,) int64, counted pixels of each class
    """

    pixel_accuracy: float
    mean_accuracy: float
    mean_iou: float
    frequency_weighted_iou: float
    class_iou: NDArray[np.float64]
    class_accuracy: NDArray[np.float64]
    truth_pixels: NDArray[np.int64]
    result_pixels: NDArray[np.int64]


def confusion_matrix(
    result: NDArray[np.int32], truth: NDArray[np.int32], classes: int, *, ignore: int | None = IGNORE_LABEL
) -> NDArray[np.int64]:
    """How many pixels of each true class were given each class.

    Parameters
    ----------
    result, truth : (H, W) int32, class of each pixel from 0; on one device (reading the counts synchronises)
    classes : number of classes n
    ignore : label of true pixels that do not count; true labels outside 0 to n - 1 never count. None: only those

    Returns
    -------
    (n, n + 1) int64 : rows are true classes. The last column holds counted pixels whose result is no class (void, or
        beyond n - 1): they are wrong for the true class, and a false positive of none.

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> truth = np.array([[0, 0, 1, 255]], np.int32)
    >>> confusion_matrix(np.array([[0, 1, 1, 1]], np.int32), truth, 2).tolist()
    [[1, 1, 0], [0, 1, 0]]
    """
    check_shapes("confusion_matrix", result=(result, "H W"), truth=(truth, "H W"))
    check_dtype("confusion_matrix", np.int32, result=result, truth=truth)
    check_range("confusion_matrix", "classes", classes, low=1)
    from cvseg.arrays import array_module, to_host
    from cvseg.kernels.evaluation.confusion_counts import confusion_counts

    xp = array_module(truth)
    arrays = xp.ascontiguousarray(result), xp.ascontiguousarray(truth)
    counts: NDArray[np.int64] = to_host(confusion_counts(*arrays, np.int32(classes)))[:-1].astype(np.int64)
    if ignore is not None and 0 <= ignore < classes:
        counts[ignore] = 0
    return counts


def semantic_score(confusion: NDArray[np.int64]) -> SemanticScore:
    """All measures of a confusion matrix, as `confusion_matrix` gives it or the sum of several.

    Raises
    ------
    ShapeError

    References
    ----------
    [Long2015]_ section 5 (accuracies and the three means); [Everingham2015]_ (IoU over the whole set).

    Examples
    --------
    >>> semantic_score(np.array([[3, 1, 0], [0, 4, 0]])).class_iou.tolist()
    [0.75, 0.8]
    """
    if confusion.ndim != 2 or confusion.shape[1] != confusion.shape[0] + 1:
        raise ShapeError(
            f"semantic_score: confusion is {confusion.shape}; expected (n, n + 1), the last column for pixels whose "
            "result is no class."
        )
    hits = np.diagonal(confusion).astype(np.float64)
    truth, result = confusion.sum(1), confusion[:, :-1].sum(0)
    union, total = truth + result - hits, int(truth.sum())
    iou = np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)
    accuracy = np.divide(hits, truth, out=np.full(len(hits), np.nan), where=truth > 0)
    return SemanticScore(
        pixel_accuracy=float(hits.sum() / total) if total else float("nan"),
        mean_accuracy=_mean(accuracy),
        mean_iou=_mean(iou),
        frequency_weighted_iou=float((truth * np.nan_to_num(iou)).sum() / total) if total else float("nan"),
        class_iou=iou,
        class_accuracy=accuracy,
        truth_pixels=truth,
        result_pixels=result,
    )


class SemanticMeasure:
    """Adds up frames one by one; `score` may be read at any time.

    Parameters
    ----------
    classes, ignore : see `confusion_matrix`
    """

    def __init__(self, classes: int, *, ignore: int | None = IGNORE_LABEL) -> None:
        check_range("SemanticMeasure", "classes", classes, low=1)
        self.classes = classes
        self.ignore = ignore
        self.confusion = np.zeros((classes, classes + 1), np.int64)

    def add(self, result: NDArray[np.int32], truth: NDArray[np.int32]) -> NDArray[np.int64]:
        """Count one frame, (H, W) int32 each; returns its own confusion matrix."""
        counts = confusion_matrix(result, truth, self.classes, ignore=self.ignore)
        self.confusion += counts
        return counts

    @property
    def score(self) -> SemanticScore:
        return semantic_score(self.confusion)


def video_consistency(
    result: Iterable[NDArray[np.int32]],
    truth: Iterable[NDArray[np.int32]],
    *,
    frames: int = 8,
    ignore: int | None = IGNORE_LABEL,
) -> float:
    """Of the pixels whose true class does not change for some frames: the share that is right in all of them.

    Parameters
    ----------
    result, truth : class labels in frame order, each (H, W) int32; read one by one
    frames : length of the windows, one beginning at every frame; larger asks for longer agreement
    ignore : true label that does not count

    Returns
    -------
    float : mean over the windows, in [0, 1]; windows where no pixel keeps its true class do not count; NaN without any

    Raises
    ------
    InputError
        when there are fewer frames than a window has, or not as many results as truths.
    ShapeError

    References
    ----------
    [Miao2021]_ section 5.1

    Examples
    --------
    >>> truth = [np.zeros((2, 2), np.int32)] * 3
    >>> flicker = np.array([[1, 0], [0, 0]], np.int32)
    >>> video_consistency([truth[0], flicker, truth[0]], truth, frames=2)
    0.75
    """
    check_range("video_consistency", "frames", frames, low=1)
    shares = []
    # How long, up to each frame, a pixel has kept its true class, and how long it has been right.
    same: Any = 0
    right: Any = 0
    before = None
    done = 0
    for labels, true_labels in itertools.zip_longest(result, truth):
        if labels is None or true_labels is None:
            raise InputError(f"video_consistency: a result or a truth is missing from frame {done} on; expected pairs.")
        check_shapes("video_consistency", result=(labels, "H W"), truth=(true_labels, "H W"))
        if before is None:
            before = true_labels
        check_shapes("video_consistency", truth=(true_labels, "H W"), truth_before=(before, "H W"))
        same = np.where(true_labels == before, same, 0) + 1
        if ignore is not None:
            same = np.where(true_labels == ignore, 0, same)
        right = np.where(labels == true_labels, right + 1, 0)
        constant = same >= frames
        done, before = done + 1, true_labels
        if done >= frames and constant.any():
            shares.append(float((right[constant] >= frames).mean()))
    if done < frames:
        raise InputError(
            f"video_consistency: {done} frames came for windows of {frames}; expected one window at least."
        )
    return float(np.mean(shares)) if shares else float("nan")


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of the values that are not NaN; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
