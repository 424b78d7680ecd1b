"""Masks of objects in a video: J, F and T after DAVIS 2016 and 2017, and YouTube-VOS.

Truth: SEQUENCE/00000.png, or the root of DAVIS with Annotations/480p. Results: SEQUENCE/00000.png. The value of a
pixel is the id of its object, 0 is background; indexed, grey and 16-bit PNG.

--task single: one foreground, everything but 0 (DAVIS 2016), with T. semi_supervised: object i against result i.
unsupervised: the best assignment of results to objects. youtube_vos: by id, each object from its first frame on.
The first two leave out the first and the last frame of a sequence.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.boundary_accuracy import DAVIS_TOLERANCE, boundary_accuracy
from cvseg.evaluation.davis_folders import MaskFiles, frame_image, mask_files
from cvseg.evaluation.davis_tables import (
    FRAME_MEASURES,
    FRAME_STABILITY,
    MEASURES,
    SEEN_MEASURES,
    STABILITY,
    curve,
    frame_scores,
    means,
    object_details,
    object_statistics,
    seen_and_unseen,
    table_rows,
)
from cvseg.evaluation.file_pairs import FilePair, check_folder, check_same_size, listed
from cvseg.evaluation.frame_images import check_images
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.mask_picture import mask_picture
from cvseg.evaluation.outline_steps import OutlineSteps
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.record import Evaluation, Measure
from cvseg.evaluation.region_similarity import region_similarity
from cvseg.evaluation.temporal_stability import outline_shape
from cvseg.evaluation.video_objects import (
    MOST_PROPOSALS,
    FramePairs,
    ObjectScores,
    assigned_scores,
    from_first_frame,
    ids_of,
    same_id_scores,
)
from cvseg.formats.davis import read_mask
from cvseg.formats.youtube_vos import META, read_meta
from cvseg.options import Options, option

TASKS = ("single", "semi_supervised", "unsupervised", "youtube_vos")
WITHOUT_ENDS = ("single", "semi_supervised")


@dataclass(frozen=True, kw_only=True)
class DavisProtocolOptions(Options):
    """What `evaluate` may be asked."""

    task: str = option("single", "what is compared with what, see above", choices=TASKS)
    missing_as_empty: bool = option(False, "count a frame without a result as one without objects")
    sequences: str = option("", "text file with a sequence a line: only these are measured")
    void_label: int = option(255, "truth label of pixels that do not count; not for single; 0: none", low=0)
    tolerance: float = option(
        DAVIS_TOLERANCE, "how far off an outline may lie for F, as a share of the image diagonal", low=0.0, high=1.0
    )
    most_proposals: int = option(MOST_PROPOSALS, "result objects of a video that unsupervised accepts", low=1)
    stability: bool = option(True, "measure T as well; only the task single has it")
    seen: str = option("", "meta.json of the training set: its categories are the seen ones of youtube_vos")
    images: str = option("", "folder of the frames, laid out as the truth; default JPEGImages beside Annotations")


@dataclass(frozen=True)
class _Frame:
    """One frame that counts, and the objects that are scored in its sequence."""

    pair: FilePair
    objects: tuple[int, ...]
    place: int  # in its sequence


@dataclass(frozen=True)
class _Measured:
    """What is kept of a frame: `pairs`, or j and f in the task single. Of the outline nothing: see `OutlineSteps`."""

    present: frozenset[int]
    pairs: FramePairs | None = None
    j: float = np.nan
    f: float = np.nan
    several: bool = False  # more than one id was merged
    void: bool = False  # some pixels did not count


def evaluate(results: Path, truth: Path, options: DavisProtocolOptions, progress: Progress | None = None) -> Evaluation:
    """Measure masks of objects.

    Parameters
    ----------
    results, truth : folders, see the head of this file
    options : DavisProtocolOptions
    progress : told after every frame

    Raises
    ------
    InputError, FormatError, EvaluationStopped

    References
    ----------
    [Perazzi2016]_, [PontTuset2017]_, [Caelles2019]_, [Xu2018]_
    """
    check_folder("evaluate davis", "results", results)
    check_folder("evaluate davis", "truth", truth)
    check_images("evaluate davis", options.images)
    files, remarks = mask_files(
        results,
        truth,
        unsupervised=options.task == "unsupervised",
        leave_out_ends=options.task in WITHOUT_ENDS,
        sequences=options.sequences,
        missing_as_empty=options.missing_as_empty,
    )
    if options.task in WITHOUT_ENDS:
        remarks.append("The first and the last frame of every sequence are not counted.")
    categories = _categories(truth, options)
    objects = _objects(files, categories, options)
    of_sequence: dict[str, list[int]] = {}
    for i, pair in enumerate(files.pairs):
        of_sequence.setdefault(pair.sequence, []).append(i)
    places = {i: place for numbers in of_sequence.values() for place, i in enumerate(numbers)}
    frames = [_Frame(pair, objects[pair.sequence], places[i]) for i, pair in enumerate(files.pairs)]
    stability = options.task == "single" and options.stability
    steps = {sequence: OutlineSteps(len(numbers)) for sequence, numbers in of_sequence.items()} if stability else {}
    measured = measure_frames(functools.partial(_measure, steps=steps, options=options), frames, progress)
    scores = {
        files.name(sequence): _object_scores(files.name(sequence), [measured[i] for i in numbers], options, remarks)
        for sequence, numbers in of_sequence.items()
    }
    _remark_frames(frames, measured, options, remarks)
    rows = {files.name(sequence): numbers for sequence, numbers in of_sequence.items()}
    changes = {files.name(sequence): one.changes for sequence, one in steps.items()}
    return _evaluation(files, frames, rows, scores, changes, categories, options, remarks)


def _categories(truth: Path, options: DavisProtocolOptions) -> Mapping[str, Mapping[int, str]]:
    """Category of every object by sequence, from meta.json beside the masks; empty where there is none."""
    if options.task != "youtube_vos":
        return {}
    path = next((folder / META for folder in (truth, truth.parent) if (folder / META).is_file()), None)
    if path is None:
        if options.seen:
            raise InputError(
                f"evaluate davis: {truth} has no {META}, which tells the categories of its objects; --seen needs it."
            )
        return {}
    return {
        video: {number: entry.category for number, entry in objects.items()}
        for video, objects in read_meta(path).items()
    }


def _objects(
    files: MaskFiles, categories: Mapping[str, Mapping[int, str]], options: DavisProtocolOptions
) -> dict[str, tuple[int, ...]]:
    """The objects that are scored in each sequence."""
    if options.task == "single":
        return dict.fromkeys(files.first, (1,))
    found = {}
    for sequence, path in files.first.items():
        # DAVIS: those of the first frame. YouTube-VOS: also later ones.
        paths = [path]
        if options.task == "youtube_vos":
            paths = [pair.truth for pair in files.pairs if pair.sequence == sequence]
        ids = set(categories.get(sequence, ()))
        if not ids:
            ids = set().union(*(ids_of(read_mask(path)) for path in paths)) - {options.void_label}
        if not ids:
            raise InputError(
                f"evaluate davis: {path} holds no object with an id; expected the objects of the sequence. For masks "
                "of 0 and 255 choose --task single (or --void-label 0); else leave the sequence out by --sequences."
            )
        found[sequence] = tuple(sorted(ids))
    return found


def _read(frame: _Frame) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels of result and truth."""
    truth = read_mask(frame.pair.truth)
    if frame.pair.result is None:
        return np.zeros_like(truth), truth
    result = read_mask(frame.pair.result)
    check_same_size(frame.pair.result, result.shape, frame.pair.truth, truth.shape)
    return result, truth


def _void(truth: NDArray[np.int32], options: DavisProtocolOptions) -> NDArray[np.bool_] | None:
    if options.void_label == 0 or options.task == "single":
        return None
    void = truth == options.void_label
    return void if void.any() else None


def _measure(frame: _Frame, steps: Mapping[str, OutlineSteps], options: DavisProtocolOptions) -> _Measured:
    result, truth = _read(frame)
    if options.task == "single":
        masks = result != 0, truth != 0
        if steps:
            steps[frame.pair.sequence].add(frame.place, outline_shape(masks[0]))
        return _Measured(
            present=frozenset({1} if masks[1].any() else ()),
            j=region_similarity(*masks),
            f=boundary_accuracy(*masks, tolerance=options.tolerance),
            several=len(ids_of(result)) > 1,
        )
    void = _void(truth, options)
    same_id = options.task != "unsupervised"
    pairs = FramePairs(result, truth, frame.objects, void, same_id=same_id, tolerance=options.tolerance)
    return _Measured(
        present=frozenset(ids_of(truth) - ({options.void_label} if void is not None else set())),
        pairs=pairs,
        void=void is not None,
    )


def _object_scores(
    name: str, measured: Sequence[_Measured], options: DavisProtocolOptions, remarks: list[str]
) -> list[ObjectScores]:
    """Scores of the objects of one sequence."""
    if options.task == "single":
        return [ObjectScores(1, 1, np.array([one.j for one in measured]), np.array([one.f for one in measured]))]
    pairs = [one.pairs for one in measured if one.pairs is not None]
    if options.task == "unsupervised":
        try:
            scores = assigned_scores(pairs, most_proposals=options.most_proposals)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        lone = [one.truth_id for one in scores if one.result_id is None]
        if lone:
            remarks.append(f"{name}: no result is left for the objects {listed(map(str, lone))}; scored as empty.")
        return scores
    strange = sorted(set().union(*(one.strange_ids for one in pairs)))
    if strange:
        remarks.append(
            f"{name}: result ids that the truth does not have count as background: {listed(map(str, strange))}."
        )
    scores = same_id_scores(pairs)
    if options.task == "semi_supervised":
        return scores
    present = [one.present for one in measured]
    never = [one.truth_id for one in scores if not any(one.truth_id in ids for ids in present)]
    if never:
        remarks.append(f"{name}: objects of {META} without a mask are not scored: {listed(map(str, never))}.")
    return from_first_frame([one for one in scores if one.truth_id not in never], present)


def _remark_frames(
    frames: Sequence[_Frame], measured: Sequence[_Measured], options: DavisProtocolOptions, remarks: list[str]
) -> None:
    """Every definition that was applied to something out of the ordinary."""

    def label(frame: _Frame) -> str:
        return f"{frame.pair.sequence}/{frame.pair.frame}" if frame.pair.sequence else frame.pair.frame

    both = list(zip(frames, measured, strict=True))
    several = [label(frame) for frame, one in both if one.several]
    if several:
        remarks.append(f"{len(several)} results hold more than one id; all were merged: {listed(several)}.")
    absent = [label(frame) for frame, one in both if not set(frame.objects) <= one.present]
    if absent:
        remarks.append(
            f"In {len(absent)} frames a true object has no pixel: J and F are 1 where the result has none either, "
            f"else 0: {listed(absent)}."
        )
    void = [label(frame) for frame, one in both if one.void]
    if void:
        remarks.append(f"Pixels labelled {options.void_label} are not counted in {len(void)} frames: {listed(void)}.")
    late = Counter(
        f"{frame.pair.sequence} object {number}"
        for frame, one in both
        if one.pairs is not None
        for number in sorted(one.present - set(frame.objects))
    )
    if late:
        remarks.append(f"Objects that the first frame does not hold are not scored: {listed(late)}.")


def _evaluation(
    files: MaskFiles,
    frames: Sequence[_Frame],
    places: Mapping[str, Sequence[int]],
    scores: Mapping[str, Sequence[ObjectScores]],
    changes: Mapping[str, Sequence[float]],
    categories: Mapping[str, Mapping[int, str]],
    options: DavisProtocolOptions,
    remarks: list[str],
) -> Evaluation:
    scored = {name: objects for name, objects in scores.items() if objects}
    if not scored:
        raise InputError("evaluate davis: no object of the truth has a mask; there is nothing to score. Check --truth.")
    statistics = object_statistics(scored, changes)
    overall = means([values for objects in statistics.values() for values in objects])
    measures: tuple[Measure, ...] = (*MEASURES, STABILITY) if changes else MEASURES
    if options.seen:
        known = {entry.category for objects in read_meta(options.seen).values() for entry in objects.values()}
        kinds = [
            (values, categories.get(name, {}).get(one.truth_id, "") in known)
            for name, objects in scored.items()
            for one, values in zip(objects, statistics[name], strict=True)
        ]
        overall |= seen_and_unseen(kinds)
        measures += SEEN_MEASURES
        remarks.append("The overall J&F mean is that of J and F over objects of seen and unseen categories.")
    shown = []
    for name, objects in scored.items():
        assignment = {one.truth_id: one.result_id for one in objects}
        own = [frames[i] for i in places[name]]
        pictures = [functools.partial(_picture, frame, assignment, files.folder, options) for frame in own]
        shown += frame_scores(name, [frame.pair.frame for frame in own], objects, changes.get(name, ()), pictures)
    first_frame = int(options.task in WITHOUT_ENDS)
    return Evaluation(
        task="davis",
        measures=measures,
        overall=overall,
        rows=table_rows(scored, statistics),
        frame_measures=(*FRAME_MEASURES, FRAME_STABILITY) if changes else FRAME_MEASURES,
        frames=shown,
        curves=[curve(name, objects, first_frame) for name, objects in scored.items()],
        remarks=remarks,
        settings=options.to_mapping(),
        details={"objects": object_details(scored)},
        overall_doc=_overall_doc(options),
        picture_doc="Green is right, red a false alarm, blue was missed; the white line is the true outline",
    )


def _overall_doc(options: DavisProtocolOptions) -> str:
    if options.task == "single":
        return "mean of the sequences"
    return (
        "mean of all objects; J&F mean: of J and F over seen and unseen ones" if options.seen else "mean of all objects"
    )


def _picture(
    frame: _Frame, assignment: Mapping[int, int | None], masks: Path, options: DavisProtocolOptions
) -> NDArray[np.uint8]:
    """The frame with hits, false alarms and misses; an object found under a wrong id is a miss."""
    result, truth = _read(frame)
    image = frame_image(options.images, masks, frame.pair)
    if image is not None and image.shape[:2] != truth.shape:
        image = None
    if options.task == "single":
        return mask_picture(result != 0, truth != 0, None, image)
    found = np.zeros_like(truth)
    for truth_id, result_id in assignment.items():
        if result_id is not None:
            found[result == result_id] = truth_id
    wanted = np.where(np.isin(truth, list(assignment)), truth, 0)
    return mask_picture((found > 0) & ((found == wanted) | (wanted == 0)), wanted > 0, _void(truth, options), image)
