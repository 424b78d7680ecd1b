"""Average precision of scored instances, in images (COCO) or as tubes in videos (YouTube-VIS).

Truth: a JSON file with images (or videos), categories and annotations, or a folder that holds only that one.
Results: a JSON list of {image_id, category_id, score, segmentation}; in videos video_id and segmentations, one mask
or null a frame.

AP is the mean over ten overlaps (0.50 to 0.95) of the precision at 101 recalls; AR the mean of the largest recall.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.average_precision import (
    IMAGE_AREAS,
    RECALL_POINTS,
    TUBE_AREAS,
    AveragePrecisionMeasure,
    box_overlaps_xywh,
)
from cvseg.evaluation.file_pairs import check_same_size, listed
from cvseg.evaluation.frame_images import images_beside
from cvseg.evaluation.mask_picture import mask_picture
from cvseg.evaluation.protocols import Progress, report_progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.formats.coco import CocoImage, CocoInstance, CocoTruth, Id, read_coco_results, read_coco_truth
from cvseg.masks.run_length import Runs, mask_runs, merge_runs, run_overlaps, runs_mask, tube_runs
from cvseg.options import Options, option

ALL_CLASSES = -1
HIT, FALSE, LEFT_OUT = range(3)  # of a result: left out are those at a crowd, and those beyond the number that counts
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, kw_only=True)
class InstancesProtocolOptions(Options):
    """What `evaluate` may be asked."""

    compare: str = option("masks", "what overlaps: masks, or in images boxes", choices=("masks", "boxes"))
    most_results: int = option(100, "results that count for each image and class, best first", low=1)
    class_agnostic: bool = option(False, "one class for everything: how well objects are found, not named")
    least_score: float = option(
        0.5, "score from which on a result is drawn, and counted in the F1 of single images; AP and AR use all"
    )
    images: str = option(
        "", "folder of the images, under the names that the truth gives, for the pictures; default images/ beside it"
    )


@dataclass(frozen=True)
class _Group:
    """Objects and results of one class in one image."""

    truth: Sequence[CocoInstance]
    results: Sequence[CocoInstance]


def evaluate(
    results: Path, truth: Path, options: InstancesProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure scored instances.

    Parameters
    ----------
    results, truth : JSON files, or folders that hold one, see the head of this file
    options : InstancesProtocolOptions
    progress : told after every image

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    boxes = options.compare == "boxes"
    known = read_coco_truth(json_in("evaluate instances", "truth", truth), boxes_only=boxes)
    if not known.images or not known.classes:
        raise InputError(f"evaluate instances: {known.path} has no image or no category; nothing can be measured.")
    found = read_coco_results(json_in("evaluate instances", "results", results), known, boxes_only=boxes)
    images = images_beside("evaluate instances", options.images, known.path, *_frame_names(known))
    options = dataclasses.replace(options, images=images)
    classes = [ALL_CLASSES] if options.class_agnostic else list(known.classes)
    limits = [n for n in (1, 10) if n < options.most_results] + [options.most_results]
    areas = TUBE_AREAS if known.video else IMAGE_AREAS
    measure = AveragePrecisionMeasure(classes, areas=areas, most_results=limits)
    groups = _groups(known, found, options.class_agnostic)
    frames = []
    for done, image in enumerate(known.images.values(), start=1):
        of_image = groups.get(image.id, {})
        fate: dict[str, int] = {}
        for class_id in classes:
            if class_id in of_image:
                fate |= _count(measure, class_id, of_image[class_id], image, boxes)
        frames.append(_frame(known, image, list(of_image.values()), fate, options))
        report_progress(progress, done, len(known.images))
    return _evaluation(known, found, measure, groups, frames, options)


def _frame_names(truth: CocoTruth) -> tuple[list[str], tuple[int, int]]:
    """Files of all frames, and the size of the first."""
    images = list(truth.images.values())
    return [name for image in images for name in image.frames or (image.name,)], images[0].size_hw


def json_in(caller: str, role: str, path: Path) -> Path:
    """`path`, or the one JSON file of the folder `path`.

    Raises
    ------
    InputError
        when there is none or there are several.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"{caller}: {path} does not exist; expected a JSON file of the {role}. Check --{role}.")
    files = sorted(path.glob("*.json"))
    if len(files) != 1:
        what = f"{len(files)} JSON files ({listed(file.name for file in files)})" if files else "no JSON file"
        raise InputError(f"{caller}: {path} holds {what}; expected one. Name the file with --{role}.")
    return files[0]


def _groups(truth: CocoTruth, results: Sequence[CocoInstance], class_agnostic: bool) -> dict[Id, dict[int, _Group]]:
    """Objects and results by image and class; without classes in the order of the classes, as the reference does."""
    found: dict[Id, dict[int, tuple[list[CocoInstance], list[CocoInstance]]]] = {}
    for side, instances in enumerate((truth.instances, results)):
        ordered = sorted(instances, key=lambda instance: instance.class_id) if class_agnostic else instances
        for instance in ordered:
            class_id = ALL_CLASSES if class_agnostic else instance.class_id
            found.setdefault(instance.image_id, {}).setdefault(class_id, ([], []))[side].append(instance)
    return {image: {c: _Group(*lists) for c, lists in sorted(of_image.items())} for image, of_image in found.items()}


def _count(
    measure: AveragePrecisionMeasure, class_id: int, group: _Group, image: CocoImage, boxes: bool
) -> dict[str, int]:
    """Count one class of one image; place of each result to HIT, FALSE or LEFT_OUT, at an overlap of one half."""
    crowd = [instance.crowd for instance in group.truth]
    if boxes:
        given, true = ([i.box_xywh or (0, 0, 0, 0) for i in many] for many in (group.results, group.truth))
        iou = box_overlaps_xywh(given, true, crowd)
    else:
        pixels = image.size_hw[0] * image.size_hw[1]
        runs, true_runs = ([tube_runs(i.masks, pixels) for i in many] for many in (group.results, group.truth))
        # The reference program for tubes divides by the union, also for a crowd.
        iou = run_overlaps(runs, true_runs, None if image.frames else crowd)
    matches = measure.add(
        class_id,
        iou=iou,
        scores=[instance.score for instance in group.results],
        result_areas=[instance.area for instance in group.results],
        truth_areas=[instance.area for instance in group.truth],
        crowd=crowd,
    )
    fate = {}
    for result, match in zip(group.results, matches.tolist(), strict=True):
        fate[result.place] = FALSE if match == -1 else LEFT_OUT if match < 0 or crowd[match] else HIT
    return fate


def _frame(
    truth: CocoTruth,
    image: CocoImage,
    groups: Sequence[_Group],
    fate: Mapping[str, int],
    options: InstancesProtocolOptions,
) -> FrameScore:
    """F1 of one image at an overlap of one half."""
    objects = [instance for group in groups for instance in group.truth]
    shown = [i for group in groups for i in group.results if i.score >= options.least_score]
    hit, false = (sum(fate[instance.place] == kind for instance in shown) for kind in (HIT, FALSE))
    missed = sum(not instance.crowd for instance in objects) - hit
    total = 2 * hit + false + missed
    scores = {"f1": 2 * hit / total if total else math.nan, "false": float(false), "missed": float(missed)}
    place = _worst_place(image, objects, shown) if image.frames else 0
    name = image.frames[place] if image.frames else image.name
    picture = functools.partial(_picture, image, name, place, objects, shown, options)
    return FrameScore(image.name if truth.video else "", Path(name).stem, scores, picture)


def _worst_place(image: CocoImage, objects: Sequence[CocoInstance], results: Sequence[CocoInstance]) -> int:
    """The frame of a video where the masks of all objects and all results overlap least."""
    overlaps = []
    for place in range(len(image.frames)):
        first, second = (_merged(instances, place, image.size_hw) for instances in (objects, results))
        empty = not (first[1::2].any() or second[1::2].any())
        overlaps.append(1.0 if empty else float(run_overlaps([first], [second])[0, 0]))
    return int(np.argmin(overlaps))


def _merged(instances: Sequence[CocoInstance], place: int, size_hw: tuple[int, int]) -> Runs:
    """Runs of all masks of one frame; boxes are filled where there are no masks."""
    masks = [mask_runs(np.zeros(size_hw, np.bool_))]
    for instance in instances:
        if instance.masks:
            runs = instance.masks[place]
            masks += [] if runs is None else [runs]
        elif instance.box_xywh:
            mask = np.zeros(size_hw, np.bool_)
            left, top, width, height = instance.box_xywh
            rows, columns = (slice(max(round(a), 0), max(round(a + n), 0)) for a, n in ((top, height), (left, width)))
            mask[rows, columns] = True
            masks.append(mask_runs(mask))
    return merge_runs(masks)


def _picture(
    image: CocoImage,
    name: str,
    place: int,
    objects: Sequence[CocoInstance],
    results: Sequence[CocoInstance],
    options: InstancesProtocolOptions,
) -> NDArray[np.uint8]:
    """All objects and the results that are drawn; crowds dark."""
    ordinary, crowds = ([i for i in objects if i.crowd == flag] for flag in (False, True))
    masks = [runs_mask(_merged(many, place, image.size_hw), image.size_hw) for many in (results, ordinary, crowds)]
    result, truth, void = masks
    return mask_picture(result, truth, void & ~truth, _image_below(options.images, name, image.size_hw))


def _image_below(folder: str, name: str, size_hw: tuple[int, int]) -> NDArray[np.uint8] | None:
    if not folder:
        return None
    stem = Path(folder) / name
    candidates = [stem, *(stem.with_suffix(ending) for ending in IMAGES), Path(folder) / Path(name).name]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        return None
    from cvseg.video.still_image import read_image

    picture = read_image(path)
    check_same_size(path, picture.shape[:2], "the truth", size_hw)
    return picture


def _evaluation(
    truth: CocoTruth,
    results: Sequence[CocoInstance],
    measure: AveragePrecisionMeasure,
    groups: Mapping[Id, Mapping[int, _Group]],
    frames: Sequence[FrameScore],
    options: InstancesProtocolOptions,
) -> Evaluation:
    score = measure.score
    objects = {c: 0 for c in score.classes}
    counted = {c: 0 for c in score.classes}
    for of_image in groups.values():
        for class_id, group in of_image.items():
            objects[class_id] += sum(not instance.crowd for instance in group.truth)
            counted[class_id] += len(group.results)
    rows = {
        _class_name(truth, class_id): score.summary(class_id)
        | {"objects": float(objects[class_id]), "results": float(counted[class_id])}
        for class_id in score.classes
    }
    lines = {
        "mean of 0.50 to 0.95": score.curve(),
        "overlap 0.50": score.curve(0.5),
        "overlap 0.75": score.curve(0.75),
    }
    curve = Curve(
        "Precision and recall, mean over classes",
        "recall",
        "precision",
        {name: (RECALL_POINTS.tolist(), values.tolist()) for name, values in lines.items()},
    )
    total = {"objects": float(sum(objects.values())), "results": float(sum(counted.values()))}
    return Evaluation(
        task="instances",
        measures=_measures(measure, options),
        overall=score.summary() | total,
        rows=rows,
        row_title="class",
        frame_measures=FRAME_MEASURES,
        frames=frames,
        curves=[curve],
        remarks=_remarks(truth, results, groups, objects, counted, options),
        settings=options.to_mapping(),
        details={
            "kind": "videos" if truth.video else "images",
            "iou_thresholds": list(score.thresholds),
            "areas_px": {name: list(bounds) for name, bounds in measure.areas.items()},
        },
        overall_doc="mean of the classes that have a true object; numbers of objects and results: sums",
        frame_title="video" if truth.video else "image",
        frames_in_time=False,
        picture_doc="Green is right, red a false alarm, blue was missed; the white line is the true outline, crowds "
        "are dark",
    )


FRAME_MEASURES = (
    Measure("f1", "F1", "2 TP / (2 TP + FP + FN) at an overlap of 0.5, of the results with --least-score"),
    Measure("false", "FP", "results that match no object", digits=0, rising=False),
    Measure("missed", "FN", "objects that no result matches", digits=0, rising=False),
)


def _class_name(truth: CocoTruth, class_id: int) -> str:
    if class_id == ALL_CLASSES:
        return "all classes"
    name = truth.classes[class_id]
    # Two classes may have one name; a table row is found by its name.
    return name if list(truth.classes.values()).count(name) == 1 else f"{name} ({class_id})"


def _measures(measure: AveragePrecisionMeasure, options: InstancesProtocolOptions) -> list[Measure]:
    most = options.most_results
    found = [
        Measure("ap", "AP", f"mean precision over overlaps 0.50 to 0.95, 0 to 1, {most} results an image and class"),
        Measure("ap50", "AP50", "mean precision where an overlap of 0.50 is a hit"),
        Measure("ap75", "AP75", "mean precision where an overlap of 0.75 is a hit"),
    ]
    for name, (low, high) in list(measure.areas.items())[1:]:
        bounds = f"from {low:.0f} to {high:.0f} pixels" if high < 1e10 else f"of {low:.0f} pixels and more"
        found.append(Measure(f"ap_{name}", f"AP {name}", f"AP of objects {bounds}"))
    for number in measure.most_results:
        found.append(
            Measure(f"ar_{number}", f"AR {number}", f"largest recall with {number} results an image and class")
        )
    for name in list(measure.areas)[1:]:
        found.append(Measure(f"ar_{name}", f"AR {name}", f"largest recall of {name} objects"))
    found.append(Measure("objects", "Objects", "true objects without crowds", digits=0, rising=None))
    found.append(Measure("results", "Results", "results that came", digits=0, rising=None))
    return found


def _remarks(
    truth: CocoTruth,
    results: Sequence[CocoInstance],
    groups: Mapping[Id, Mapping[int, _Group]],
    objects: Mapping[int, int],
    counted: Mapping[int, int],
    options: InstancesProtocolOptions,
) -> list[str]:
    remarks = []
    what = "videos" if truth.video else "images"
    with_results = {instance.image_id for instance in results}
    empty = [image.name for key, image in truth.images.items() if key not in with_results]
    if empty:
        remarks.append(
            f"{len(empty)} of {len(truth.images)} {what} have no result: {listed(empty)}. Their objects are missed."
        )
    absent = [_class_name(truth, c) for c, number in objects.items() if not number]
    if absent and len(absent) < len(objects):
        remarks.append(f"{len(absent)} classes have no true object, so no value, and are in no mean: {listed(absent)}.")
    crowds = sum(instance.crowd for instance in truth.instances)
    if crowds:
        remarks.append(f"{crowds} crowds do not count, nor do results that match them.")
    many = sum(len(g.results) > options.most_results for of_image in groups.values() for g in of_image.values())
    if many:
        remarks.append(
            f"{many} times an image has more than {options.most_results} results of a class; the rest does not count."
        )
    if not sum(objects.values()):
        remarks.append(f"The truth has no object: no measure has a value; {sum(counted.values())} results came.")
    return remarks
