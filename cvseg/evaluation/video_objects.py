"""J and F of every object of a video, as DAVIS 2017 scores them: by id, or by the best assignment of proposals."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range
from cvseg.errors import InputError
from cvseg.evaluation.boundary_accuracy import DAVIS_TOLERANCE
from cvseg.evaluation.object_pairs import pair_scores

MOST_PROPOSALS = 20  # of the unsupervised task


@dataclass(frozen=True)
class ObjectScores:
    """One true object.

    Attributes
    ----------
    truth_id : its id
    result_id : id of the result it was scored against; None when there was none left: an empty result
    j, f : (frames,) float64 region similarity and boundary accuracy of each frame, in order; NaN in a frame that
        does not count
    """

    truth_id: int
    result_id: int | None
    j: NDArray[np.float64]
    f: NDArray[np.float64]


class FramePairs:
    """Scores of one frame, kept small: what `assigned_scores` and `same_id_scores` need of it.

    Parameters
    ----------
    result, truth : (H, W) int32, 0 background
    truth_ids : the objects that are scored, from 1
    void : (H, W) bool, pixels that are not counted
    same_id : only the pairs of one id are wanted
    tolerance : of F, as a share of the image diagonal

    Attributes
    ----------
    result_ids : ids in `result`, ascending; of `same_id`, the ids in `result` that are among the objects
    strange_ids : ids in `result` that are not among the objects, with `same_id`
    j, f : (objects, result_ids + 1) float64; the last column is an empty result. With `same_id`: (objects,)
    """

    def __init__(
        self,
        result: NDArray[np.int32],
        truth: NDArray[np.int32],
        truth_ids: Sequence[int],
        void: NDArray[np.bool_] | None = None,
        *,
        same_id: bool = False,
        tolerance: float = DAVIS_TOLERANCE,
    ) -> None:
        self.truth_ids = tuple(truth_ids)
        present = ids_of(result)
        if same_id:
            self.result_ids = tuple(sorted(present & set(self.truth_ids)))
            self.strange_ids = tuple(sorted(present - set(self.truth_ids)))
            scores = pair_scores(
                result, truth, self.truth_ids, self.truth_ids, void, tolerance=tolerance, same_place_only=True
            )
            self.j, self.f = scores.j.diagonal().copy(), scores.f.diagonal().copy()
            return
        self.strange_ids = ()
        self.result_ids = tuple(sorted(present))
        nobody = max(present, default=0) + 1
        scores = pair_scores(result, truth, (*self.result_ids, nobody), self.truth_ids, void, tolerance=tolerance)
        self.j, self.f = scores.j, scores.f


def ids_of(labels: NDArray[np.int32]) -> set[int]:
    """Ids in a label map without 0.

    Raises
    ------
    InputError
        for a negative id.

    Examples
    --------
    >>> sorted(ids_of(np.array([[0, 700], [2, 2]], np.int32)))
    [2, 700]
    """
    if labels.size and int(labels.min()) < 0:
        raise InputError(f"ids_of: the labels hold {int(labels.min())}; expected ids from 0 (background).")
    flat = labels.ravel()
    # Where a run of equal labels ends: a few thousand of half a million pixels.
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return {*np.unique(flat[ends]).tolist(), *flat[-1:].tolist()} - {0}


def same_id_scores(frames: Sequence[FramePairs]) -> list[ObjectScores]:
    """Scores of the semi-supervised task: a true object against the result of the same id.

    Parameters
    ----------
    frames : the frames that count, in order, made with ``same_id=True`` for the same objects

    Returns
    -------
    list of ObjectScores : in the order of the ids

    Raises
    ------
    InputError
        without a frame, or when the frames are not of the same objects.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0, 2]], np.int32)
    >>> result = np.array([[1, 0, 0, 3]], np.int32)
    >>> scores = same_id_scores([FramePairs(result, truth, (1, 2), same_id=True)])
    >>> [(object.truth_id, float(object.j[0])) for object in scores]
    [(1, 0.5), (2, 0.0)]
    """
    ids = _common_objects("same_id_scores", frames)
    return [
        ObjectScores(
            truth_id=truth_id,
            result_id=truth_id,
            j=np.array([frame.j[k] for frame in frames]),
            f=np.array([frame.f[k] for frame in frames]),
        )
        for k, truth_id in enumerate(ids)
    ]


def assigned_scores(frames: Sequence[FramePairs], *, most_proposals: int = MOST_PROPOSALS) -> list[ObjectScores]:
    """Scores of the unsupervised task: the assignment of results to true objects with the largest mean of J and F.

    One assignment for the whole video, by the Hungarian method on the mean of (J + F) / 2 over the frames. Results
    that are left over are not punished; a true object that is left over is scored against an empty result.

    Parameters
    ----------
    frames : the frames that count, in order, made for the same objects
    most_proposals : more ids than this in the results of a video are refused

    Returns
    -------
    list of ObjectScores : in the order of the ids

    Raises
    ------
    InputError
        without a frame, when the frames are not of the same objects, or for too many result ids.

    References
    ----------
    [Caelles2019]_ section 3.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0, 2]], np.int32)
    >>> scores = assigned_scores([FramePairs(np.array([[9, 0, 0, 4]], np.int32), truth, (1, 2))])
    >>> [(object.truth_id, object.result_id, float(object.j[0])) for object in scores]
    [(1, 9, 0.5), (2, 4, 1.0)]
    """
    check_range("assigned_scores", "most_proposals", most_proposals, low=1)
    ids = _common_objects("assigned_scores", frames)
    result_ids = sorted(set().union(*(frame.result_ids for frame in frames)))
    if len(result_ids) > most_proposals:
        raise InputError(
            f"assigned_scores: the results hold {len(result_ids)} objects; expected at most {most_proposals} a video. "
            "Keep the best ones."
        )
    # As many empty results as are missing to give every true object one.
    columns = len(result_ids) + max(0, len(ids) - len(result_ids))
    j, f = np.empty((2, len(frames), len(ids), columns))
    for i, frame in enumerate(frames):
        place = {result_id: k for k, result_id in enumerate(frame.result_ids)}
        order = [place.get(result_id, len(place)) for result_id in result_ids]
        order += [len(place)] * (columns - len(order))
        j[i], f[i] = frame.j[:, order], frame.f[:, order]

    from scipy.optimize import linear_sum_assignment

    rows, chosen = linear_sum_assignment((j.mean(0) + f.mean(0)) / 2, maximize=True)
    return [
        ObjectScores(
            truth_id=ids[row],
            result_id=result_ids[column] if column < len(result_ids) else None,
            j=j[:, row, column].copy(),
            f=f[:, row, column].copy(),
        )
        for row, column in zip(rows.tolist(), chosen.tolist(), strict=True)
    ]


def from_first_frame(scores: Sequence[ObjectScores], present: Sequence[Collection[int]]) -> list[ObjectScores]:
    """Leave out the frames before an object appears for the first time, as YouTube-VOS counts; they become NaN.

    Parameters
    ----------
    scores : of `same_id_scores`
    present : ids in the truth of each frame, in order; every object appears in some frame

    Raises
    ------
    InputError
        when an object never appears.
    """
    counted = []
    for one in scores:
        first = next((k for k, ids in enumerate(present) if one.truth_id in ids), None)
        if first is None:
            raise InputError(f"from_first_frame: object {one.truth_id} is in no frame; leave it out before.")
        late = np.arange(len(one.j)) < first
        counted.append(dataclasses.replace(one, j=np.where(late, np.nan, one.j), f=np.where(late, np.nan, one.f)))
    return counted


def _common_objects(caller: str, frames: Iterable[FramePairs]) -> tuple[int, ...]:
    objects = {frame.truth_ids for frame in frames}
    if len(objects) != 1:
        what = "no frame" if not objects else "frames with different objects"
        raise InputError(f"{caller}: there is {what}; expected at least one frame, all with the same truth_ids.")
    return objects.pop()
