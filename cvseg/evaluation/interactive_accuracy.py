"""Accuracy of interactive segmentation over time: the curve, the area under it, and J&F after 60 seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range
from cvseg.errors import InputError, RangeError

AFTER_S = 60.0  # where DAVIS reads the curve


@dataclass(frozen=True)
class InteractiveScore:
    """Accuracy over time of a set of samples.

    Attributes
    ----------
    times_s : (rounds + 1,) float64, mean time at which each round was done; the first is 0
    accuracies : (rounds + 1,) float64, mean accuracy after each round; the first is 0
    auc : area under the curve, divided by the time limit, 0 to 1
    at_time : accuracy on the curve at `after_s`, the J&F@60s of DAVIS
    after_s : the time of `at_time`
    time_limit_s : up to which the area is taken
    """

    times_s: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    auc: float
    at_time: float
    after_s: float
    time_limit_s: float

    def accuracy_at(self, time_s: float) -> float:
        """Accuracy on the curve: straight lines between the rounds, from then on that of the last one."""
        check_range("InteractiveScore.accuracy_at", "time_s", time_s, low=0.0)
        return float(np.interp(time_s, self.times_s, self.accuracies))


def interactive_accuracy(
    samples: Mapping[str, Sequence[tuple[float, float]]],
    *,
    after_s: float = AFTER_S,
    time_limit_s: float | None = None,
) -> InteractiveScore:
    """Curve of accuracy over time of an interactive method, as the interactive track of DAVIS draws it.

    A point of the curve is the mean time and the mean accuracy of all samples after one round of strokes. A sample
    with fewer rounds than others stays at its last one. Before the first round there is nothing: the curve begins at
    time 0 with accuracy 0.

    Parameters
    ----------
    samples : name (sequence and set of strokes) to its rounds in order: (seconds since the sample was begun, mean J&F
        over objects and frames in [0, 1])
    after_s : where the curve is read
    time_limit_s : end of the area; default the mean time of the last round. Behind it the curve stays level.

    Returns
    -------
    InteractiveScore

    Raises
    ------
    InputError
        without a sample, or for one without a round or with times that go backwards.
    RangeError
        for an accuracy outside [0, 1], or a time that is negative or not finite.

    References
    ----------
    [Caelles2018]_

    Notes
    -----
    The published text leaves two things open, which are fixed here: the curve begins at (0, 0), and the area is
    divided by the time limit, so that 1 is a perfect mask at once.

    Examples
    --------
    >>> score = interactive_accuracy({"dog": [(20.0, 0.5), (100.0, 0.9)], "cat": [(20.0, 0.7)]}, after_s=40.0)
    >>> score.times_s.tolist(), [round(value, 3) for value in score.accuracies.tolist()]
    ([0.0, 20.0, 60.0], [0.0, 0.6, 0.8])
    >>> round(score.at_time, 3), round(score.auc, 3)
    (0.7, 0.567)
    """
    check_range("interactive_accuracy", "after_s", after_s, low=0.0)
    rounds = max((len(sample) for sample in samples.values()), default=0)
    if not samples or not all(samples.values()):
        empty = [name for name, sample in samples.items() if not sample]
        what = f"sample '{empty[0]}' has no round" if empty else "there is no sample"
        raise InputError(f"interactive_accuracy: {what}; expected at least one round of (time_s, accuracy) each.")
    table = np.empty((len(samples), rounds + 1, 2))
    for row, (name, sample) in zip(table, samples.items(), strict=True):
        values = np.asarray(sample, np.float64).reshape(len(sample), 2)
        _check_sample(name, values)
        row[0] = 0.0
        row[1 : len(values) + 1] = values
        row[len(values) + 1 :] = values[-1]
    times_s, accuracies = table.mean(0).T.copy()
    limit = float(times_s[-1]) if time_limit_s is None else float(time_limit_s)
    if not limit > 0 or not math.isfinite(limit):
        raise RangeError(f"interactive_accuracy: the time limit is {limit} s; expected a finite time above 0.")
    inside = times_s < limit
    ends = np.append(times_s[inside], limit)
    heights = np.append(accuracies[inside], np.interp(limit, times_s, accuracies))
    area = float(((ends[1:] - ends[:-1]) * (heights[1:] + heights[:-1])).sum() / 2)
    return InteractiveScore(
        times_s=times_s,
        accuracies=accuracies,
        auc=area / limit,
        at_time=float(np.interp(after_s, times_s, accuracies)),
        after_s=float(after_s),
        time_limit_s=limit,
    )


def _check_sample(name: str, values: NDArray[np.float64]) -> None:
    times_s, accuracies = values[:, 0], values[:, 1]
    if not np.isfinite(times_s).all() or times_s[0] < 0 or not ((accuracies >= 0) & (accuracies <= 1)).all():
        raise RangeError(
            f"interactive_accuracy: sample '{name}' has the rounds {values.tolist()}; expected finite times from 0 and "
            "accuracies from 0 to 1."
        )
    if (np.diff(times_s) < 0).any():
        raise InputError(
            f"interactive_accuracy: the times of sample '{name}' go backwards ({times_s.tolist()}); expected seconds "
            "since the sample was begun. Add up the times of the rounds."
        )
