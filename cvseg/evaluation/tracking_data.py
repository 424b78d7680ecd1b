"""`TrackingSequence`: which true objects and which tracks are in each frame, and how much they overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.checks import check_shapes
from cvseg.errors import InputError
from cvseg.evaluation.overlaps import label_overlaps, paired_box_overlaps

ROUNDING = float(np.finfo(np.float64).eps)  # an overlap of the threshold itself counts, also after rounding
MOST_PAIRS = 1 << 20  # pairs of boxes that are compared at a time: 100 MB


@dataclass(frozen=True, eq=False)
class TrackingSequence:
    """Objects and overlaps of one sequence, frame by frame; pairs that do not overlap take no memory.

    Attributes
    ----------
    truth_ids, result_ids : (n,), (m,) int64, frame after frame; within a frame no id stands twice
    truth_starts, result_starts : (frames + 1,) int64, where each frame begins in them
    truth_rows, result_rows : (n,), (m,) int64, which row of the input each came from
    pair_truth, pair_result : (p,) int64, places in `truth_ids` and `result_ids` of two objects of one frame that
        overlap, frame after frame
    pair_starts : (frames + 1,) int64
    pair_iou : (p,) float64, above 0
    """

    truth_ids: NDArray[np.int64]
    result_ids: NDArray[np.int64]
    truth_starts: NDArray[np.int64]
    result_starts: NDArray[np.int64]
    truth_rows: NDArray[np.int64]
    result_rows: NDArray[np.int64]
    pair_truth: NDArray[np.int64]
    pair_result: NDArray[np.int64]
    pair_starts: NDArray[np.int64]
    pair_iou: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.truth_starts) - 1

    def frames(self) -> Iterator[tuple[list[int], list[int], NDArray[np.float64]]]:
        """Truth ids, result ids, and their (n, m) overlaps, of each frame."""
        truth_ids, result_ids = self.truth_ids.tolist(), self.result_ids.tolist()
        for t0, t1, r0, r1, pairs in self._spans():
            iou = np.zeros((t1 - t0, r1 - r0))
            iou[self.pair_truth[pairs] - t0, self.pair_result[pairs] - r0] = self.pair_iou[pairs]
            yield truth_ids[t0:t1], result_ids[r0:r1], iou

    def dense(self, values: NDArray[np.float64]) -> Iterator[tuple[int, int, slice, NDArray[np.float64]]]:
        """For each frame that has pairs: places of its first truth and result, its pairs, and `values` as a matrix.

        Parameters
        ----------
        values : (p,) one for each pair; 0 where there is no pair
        """
        for t0, t1, r0, r1, pairs in self._spans():
            if pairs.stop > pairs.start:
                matrix = np.zeros((t1 - t0, r1 - r0))
                matrix[self.pair_truth[pairs] - t0, self.pair_result[pairs] - r0] = values[pairs]
                yield t0, r0, pairs, matrix

    def selected(self, truth_kept: NDArray[np.bool_], result_kept: NDArray[np.bool_]) -> TrackingSequence:
        """The sequence with some objects of some frames only; (n,) and (m,) bool."""
        check_shapes(
            "TrackingSequence.selected",
            truth_kept=(truth_kept, str(len(self.truth_ids))),
            result_kept=(result_kept, str(len(self.result_ids))),
        )
        pairs = truth_kept[self.pair_truth] & result_kept[self.pair_result]
        truth_place, result_place, pair_place = (_places(kept) for kept in (truth_kept, result_kept, pairs))
        return TrackingSequence(
            truth_ids=self.truth_ids[truth_kept],
            result_ids=self.result_ids[result_kept],
            truth_starts=truth_place[self.truth_starts],
            result_starts=result_place[self.result_starts],
            truth_rows=self.truth_rows[truth_kept],
            result_rows=self.result_rows[result_kept],
            pair_truth=truth_place[self.pair_truth[pairs]],
            pair_result=result_place[self.pair_result[pairs]],
            pair_starts=pair_place[self.pair_starts],
            pair_iou=self.pair_iou[pairs],
        )

    def _spans(self) -> Iterator[tuple[int, int, int, int, slice]]:
        t, r, p = self.truth_starts.tolist(), self.result_starts.tolist(), self.pair_starts.tolist()
        for i in range(len(self)):
            yield t[i], t[i + 1], r[i], r[i + 1], slice(p[i], p[i + 1])


def tracking_sequence(frames: Iterable[tuple[Sequence[int], Sequence[int], ArrayLike]]) -> TrackingSequence:
    """Gather frames.

    Parameters
    ----------
    frames : for each frame the ids of the truth, those of the result, and their (n, m) overlaps in [0, 1]

    Raises
    ------
    ShapeError
    InputError
        when an id stands twice in a frame.

    Examples
    --------
    >>> sequence = tracking_sequence([([1, 2], [5], [[0.5], [0.0]]), ([], [5, 6], np.zeros((0, 2)))])
    >>> len(sequence), sequence.pair_iou.tolist()
    (2, [0.5])
    """
    truth: list[NDArray[np.int64]] = []
    result: list[NDArray[np.int64]] = []
    pairs: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    t0 = r0 = 0
    for index, (truth_ids, result_ids, overlaps) in enumerate(frames):
        iou = np.asarray(overlaps, np.float64)
        check_shapes("tracking_sequence", iou=(iou, f"{len(truth_ids)} {len(result_ids)}"))
        for role, ids in (("truth", truth_ids), ("result", result_ids)):
            if len(set(ids)) != len(ids):
                raise _twice(role, index, next(i for i in ids if list(ids).count(i) > 1))
        rows, columns = np.nonzero(iou)
        pairs.append((rows + t0, columns + r0, iou[rows, columns]))
        truth.append(np.asarray(truth_ids, np.int64))
        result.append(np.asarray(result_ids, np.int64))
        t0, r0 = t0 + len(truth_ids), r0 + len(result_ids)
    return TrackingSequence(
        truth_ids=np.concatenate([np.zeros(0, np.int64), *truth]),
        result_ids=np.concatenate([np.zeros(0, np.int64), *result]),
        truth_starts=_starts([len(ids) for ids in truth]),
        result_starts=_starts([len(ids) for ids in result]),
        truth_rows=np.arange(t0),
        result_rows=np.arange(r0),
        pair_truth=np.concatenate([np.zeros(0, np.int64), *(pair[0] for pair in pairs)]),
        pair_result=np.concatenate([np.zeros(0, np.int64), *(pair[1] for pair in pairs)]),
        pair_starts=_starts([len(pair[0]) for pair in pairs]),
        pair_iou=np.concatenate([np.zeros(0), *(pair[2] for pair in pairs)]),
    )


def label_sequence(maps: Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> TrackingSequence:
    """Gather frames of label maps.

    Parameters
    ----------
    maps : for each frame result and truth, both (H, W) int32, 0 background

    Raises
    ------
    ShapeError
        when the two are not of one size.
    """
    return tracking_sequence(_label_frame(result, truth) for result, truth in maps)


def _label_frame(
    result: NDArray[np.int32], truth: NDArray[np.int32]
) -> tuple[list[int], list[int], NDArray[np.float64]]:
    truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
    return truth_ids, result_ids, shared / (truth_areas[:, None] + result_areas[None, :] - shared)


def box_sequence(
    result: tuple[ArrayLike, ArrayLike, ArrayLike],
    truth: tuple[ArrayLike, ArrayLike, ArrayLike],
    frame_count: int | None = None,
) -> TrackingSequence:
    """Gather boxes that stand in any order of frames.

    Parameters
    ----------
    result, truth : frames (n,) from 0, ids (n,), and boxes (n, 4) as half-open x0, y0, x1, y1
    frame_count : number of frames; when None, up to the last frame that has a box

    Raises
    ------
    ShapeError
    InputError
        when an id stands twice in a frame, or a frame is not in the sequence.

    Examples
    --------
    >>> sequence = box_sequence(([0, 1], [8, 8], [[0, 0, 2, 2], [5, 5, 9, 9]]), ([0], [1], [[0, 0, 2, 4]]))
    >>> len(sequence), sequence.pair_iou.tolist()
    (2, [0.5])
    """
    columns = {}
    for role, (frames, ids, boxes) in (("result", result), ("truth", truth)):
        table = np.asarray(frames, np.int64), np.asarray(ids, np.int64), np.asarray(boxes, np.float64).reshape(-1, 4)
        check_shapes("box_sequence", frames=(table[0], "N"), ids=(table[1], "N"), boxes_xyxy=(table[2], "N 4"))
        columns[role] = table
    last = max((int(table[0].max()) + 1 for table in columns.values() if len(table[0])), default=0)
    count = last if frame_count is None else frame_count
    sorted_columns = {}
    for role, (frames, ids, boxes) in columns.items():
        if len(frames) and not 0 <= int(frames.min()) <= int(frames.max()) < count:
            outside = frames[(frames < 0) | (frames >= count)][0]
            raise InputError(f"box_sequence: the {role} has frame {outside}; expected frames from 0 to {count - 1}.")
        order = np.argsort(frames, kind="stable")
        starts = np.searchsorted(frames[order], np.arange(count + 1))
        sorted_columns[role] = order, ids[order], boxes[order], starts
        _check_once(role, frames, ids)
    (result_rows, result_ids, result_boxes, result_starts) = sorted_columns["result"]
    (truth_rows, truth_ids, truth_boxes, truth_starts) = sorted_columns["truth"]
    pair_truth, pair_result, pair_iou = _overlapping(truth_boxes, truth_starts, result_boxes, result_starts)
    return TrackingSequence(
        truth_ids=truth_ids,
        result_ids=result_ids,
        truth_starts=truth_starts,
        result_starts=result_starts,
        truth_rows=truth_rows,
        result_rows=result_rows,
        pair_truth=pair_truth,
        pair_result=pair_result,
        pair_starts=np.searchsorted(pair_truth, truth_starts),
        pair_iou=pair_iou,
    )


def _overlapping(
    truth_boxes: NDArray[np.float64],
    truth_starts: NDArray[np.int64],
    result_boxes: NDArray[np.float64],
    result_starts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Places of all boxes of one frame that overlap, and their overlap."""
    frame_of = np.repeat(np.arange(len(truth_starts) - 1), np.diff(truth_starts))
    first, partners = result_starts[frame_of], np.diff(result_starts)[frame_of]
    ends = np.cumsum(partners)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    row, count = 0, len(frame_of)
    while row < count:
        done = int(ends[row - 1]) if row else 0
        stop = max(row + 1, int(np.searchsorted(ends, done + MOST_PAIRS, side="right")))
        size = partners[row:stop]
        rows = np.repeat(np.arange(row, stop), size)
        # Every true box with all results of its frame, one after the other.
        columns = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size) + first[rows]
        iou = paired_box_overlaps(truth_boxes[rows], result_boxes[columns])
        kept = np.flatnonzero(iou)
        found.append((rows[kept], columns[kept], iou[kept]))
        row = stop
    empty = np.zeros(0, np.int64)
    return (
        np.concatenate([empty, *(part[0] for part in found)]),
        np.concatenate([empty, *(part[1] for part in found)]),
        np.concatenate([np.zeros(0), *(part[2] for part in found)]),
    )


def _check_once(role: str, frames: NDArray[np.int64], ids: NDArray[np.int64]) -> None:
    order = np.lexsort((ids, frames))
    frames, ids = frames[order], ids[order]
    again = np.flatnonzero((frames[1:] == frames[:-1]) & (ids[1:] == ids[:-1]))
    if again.size:
        raise _twice(role, int(frames[again[0]]), int(ids[again[0]]))


def _twice(role: str, frame: int, object_id: int) -> InputError:
    return InputError(
        f"the {role} has id {object_id} twice in frame {frame} (counted from 0); expected each id once a frame. "
        "Remove one of them."
    )


def _starts(sizes: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(sizes, np.int64))])


def _places(kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """New place of everything that is kept, and at the end how many there are."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)]).astype(np.int64)
