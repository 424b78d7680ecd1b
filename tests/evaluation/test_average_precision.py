"""Average precision against the reference program and against a slow, plain matching."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cvseg.arrays import to_host
from cvseg.errors import InputError, RangeError, ShapeError
from cvseg.evaluation.average_precision import (
    IMAGE_AREAS,
    IOU_THRESHOLDS,
    RECALL_POINTS,
    TUBE_AREAS,
    AveragePrecisionMeasure,
    box_overlaps_xywh,
)
from cvseg.formats.coco_rle import rle_area, rle_overlaps
from cvseg.kernels.evaluation.greedy_matches import greedy_matches

CLASSES = [3, 5, 8]


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("pycocotools.cocoeval", reason="pycocotools, the reference program, is not installed")


def random_set(seed, size_hw=(150, 170), images=6, *, ties=False):
    """Truth and results of COCO's form: masks that overlap more or less, of all sizes, some crowds."""
    from pycocotools import mask as masks

    rng = np.random.default_rng(seed)

    def rle(box):
        mask = np.zeros(size_hw, np.uint8, order="F")
        x0, y0, w, h = (int(v) for v in box)
        mask[max(y0, 0) : y0 + h, max(x0, 0) : x0 + w] = 1
        return masks.encode(mask)

    truth, results = [], []
    for image_id in range(1, images + 1):
        for _ in range(int(rng.integers(0, 9))):
            box = [*rng.integers(0, 60, 2), *rng.choice([4, 20, 33, 60, 98, 110], 2)]
            entry = {"image_id": image_id, "category_id": int(rng.choice(CLASSES)), "segmentation": rle(box)}
            entry |= {"id": len(truth) + 1, "iscrowd": int(rng.random() < 0.15)}
            entry |= {"area": float(masks.area(entry["segmentation"])), "bbox": [float(v) for v in box]}
            truth.append(entry)
            for _ in range(int(rng.integers(0, 4))):
                moved = np.maximum(np.array(box) + rng.integers(-6, 7, 4), 1)
                score = round(float(rng.random()), 1 if ties else 9)
                found = {"image_id": image_id, "score": score, "bbox": [float(v) for v in moved]}
                found |= {"category_id": entry["category_id"] if rng.random() < 0.9 else 5, "segmentation": rle(moved)}
                results.append(found)
    order = rng.permutation(len(results)).tolist()
    return truth, [results[i] for i in order]


def reference_figures(reference, truth, results, kind, areas=None):
    from pycocotools.coco import COCO

    images = sorted({entry["image_id"] for entry in truth + results})
    known = COCO()
    known.dataset = {
        "images": [{"id": i, "height": 1, "width": 1} for i in images],
        "annotations": truth,
        "categories": [{"id": c} for c in CLASSES],
    }
    known.createIndex()
    drop = "bbox" if kind == "segm" else "segmentation"
    found = known.loadRes([{k: v for k, v in entry.items() if k != drop} for entry in results])
    if areas:
        for entry in found.dataset["annotations"]:
            entry["area"] = areas[entry["id"] - 1]
    run = reference.COCOeval(known, found, kind)
    if areas:
        run.params.areaRng = [list(pair) for pair in TUBE_AREAS.values()]
    run.evaluate()
    run.accumulate()
    run.summarize()
    return run.eval["precision"], run.eval["recall"], run.stats


def own_score(truth, results, kind, ranges=IMAGE_AREAS, areas=None):
    measure = AveragePrecisionMeasure(CLASSES, areas=ranges)
    areas = areas or [
        rle_area(r["segmentation"]["counts"]) if kind == "segm" else math.prod(r["bbox"][2:]) for r in results
    ]
    for image_id in sorted({entry["image_id"] for entry in truth + results}):
        for class_id in CLASSES:
            here = lambda e: e["image_id"] == image_id and e["category_id"] == class_id  # noqa: B023, E731
            t = [entry for entry in truth if here(entry)]
            r = [k for k, entry in enumerate(results) if here(entry)]
            crowd = [bool(entry["iscrowd"]) for entry in t]
            if kind == "segm":
                rles = ([entry["segmentation"]["counts"] for entry in many] for many in ([results[k] for k in r], t))
                iou = rle_overlaps(*rles, crowd)
            else:
                iou = box_overlaps_xywh([results[k]["bbox"] for k in r], [entry["bbox"] for entry in t], crowd)
            measure.add(
                class_id,
                iou=iou,
                scores=[results[k]["score"] for k in r],
                result_areas=[areas[k] for k in r],
                truth_areas=[entry["area"] for entry in t],
                crowd=crowd,
            )
    return measure.score


def assert_equal_figures(score, reference_result):
    precision, recall, stats = reference_result
    np.testing.assert_allclose(np.nan_to_num(score.precision, nan=-1.0), precision, atol=1e-12)
    np.testing.assert_allclose(np.nan_to_num(score.recall, nan=-1.0), recall, atol=1e-12)
    summary = np.nan_to_num(list(score.summary().values()), nan=-1.0)
    np.testing.assert_allclose(summary, stats, atol=1e-12)


@pytest.mark.parametrize("kind", ["segm", "bbox"])
@pytest.mark.parametrize("seed", range(8))
def test_all_figures_are_those_of_the_reference_program(reference, seed, kind, capsys):
    truth, results = random_set(seed, ties=seed % 2 == 1)
    assert_equal_figures(own_score(truth, results, kind), reference_figures(reference, truth, results, kind))


def test_more_results_than_count_are_left_out_like_in_the_reference_program(reference, capsys):
    truth, results = random_set(20, images=1)
    many = [dict(entry, score=round(0.9 - 0.001 * k, 2)) for k, entry in enumerate(results * 60)]
    assert len(many) > 400
    assert_equal_figures(own_score(truth, many, "segm"), reference_figures(reference, truth, many, "segm"))


def test_tubes_are_images_side_by_side(reference, capsys):
    """The overlap of tubes is that of the frames laid side by side; only the areas are means over frames."""
    frames = 3
    truth, results = random_set(30, size_hw=(150, 170 * frames))
    for entry in truth:
        entry["area"] /= frames
    areas = [rle_area(entry["segmentation"]["counts"]) / frames * 8 for entry in results]
    wanted = reference_figures(reference, truth, results, "segm", areas)
    score = own_score(truth, results, "segm", TUBE_AREAS, areas)
    precision, recall, _ = wanted
    np.testing.assert_allclose(np.nan_to_num(score.precision, nan=-1.0), precision, atol=1e-12)
    np.testing.assert_allclose(np.nan_to_num(score.recall, nan=-1.0), recall, atol=1e-12)


def test_matching_is_greedy_and_crowds_are_never_used_up(device):
    rng = np.random.default_rng(8)
    for _ in range(20):
        d, g = (int(n) for n in rng.integers(1, 7, 2))
        iou = np.round(rng.random((d, g)), 1)
        ignored = (rng.random((3, g)) < 0.4).astype(np.uint8)
        crowd = (rng.random(g) < 0.3).astype(np.uint8)
        thresholds = np.array([0.3, 0.5, 1.0])
        found = to_host(greedy_matches(*device.arrays(iou, ignored, crowd, thresholds)))
        for a in range(3):
            for t, threshold in enumerate(thresholds):
                free = set(range(g))
                for result in range(d):
                    fits = [k for k in free if iou[result, k] >= min(threshold, 1 - 1e-10)]
                    counting = [k for k in fits if not ignored[a, k]] or fits
                    best = max(counting, key=lambda k: (iou[result, k], k), default=-1)
                    assert found[a, t, result] == best
                    if best >= 0 and not crowd[best]:
                        free.discard(best)


def test_the_matches_come_back_in_the_order_of_the_results():
    measure = AveragePrecisionMeasure([1], most_results=(1, 2))
    found = measure.add(
        1, iou=[[0.6, 0], [0.9, 0], [0, 0.7]], scores=[0.5, 0.4, 0.9], result_areas=[9, 9, 9], truth_areas=[9, 9]
    )
    assert found.tolist() == [0, -2, 1]


def test_without_a_true_object_there_is_no_value_and_without_a_result_zero():
    measure = AveragePrecisionMeasure([1, 2])
    measure.add(1, iou=np.zeros((0, 1)), scores=[], result_areas=[], truth_areas=[50])
    measure.add(2, iou=np.zeros((1, 0)), scores=[0.5], result_areas=[50], truth_areas=[])
    assert measure.score.summary(1)["ap"] == 0
    assert math.isnan(measure.score.summary(2)["ap"])
    assert measure.score.summary()["ap"] == 0
    assert math.isnan(AveragePrecisionMeasure([1]).score.summary()["ar_100"])


def test_a_perfect_result_has_a_flat_curve():
    measure = AveragePrecisionMeasure([1])
    measure.add(1, iou=[[1.0]], scores=[0.1], result_areas=[2000], truth_areas=[2000])
    assert measure.score.curve().tolist() == pytest.approx([1.0] * len(RECALL_POINTS))
    assert measure.score.curve(0.95).tolist() == pytest.approx([1.0] * len(RECALL_POINTS))
    summary = measure.score.summary()
    assert summary["ap_medium"] == pytest.approx(1)
    assert math.isnan(summary["ap_small"])
    assert len(IOU_THRESHOLDS) == 10


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: AveragePrecisionMeasure([1], thresholds=[]), RangeError),
        (lambda: AveragePrecisionMeasure([1], thresholds=[0.0]), RangeError),
        (lambda: AveragePrecisionMeasure([1], areas={"all": (5, 1)}), RangeError),
        (lambda: AveragePrecisionMeasure([1], most_results=[100, 10]), RangeError),
        (
            lambda: AveragePrecisionMeasure([1]).add(2, iou=[[1]], scores=[1], result_areas=[1], truth_areas=[1]),
            InputError,
        ),
        (
            lambda: AveragePrecisionMeasure([1]).add(1, iou=[[1]], scores=[1], result_areas=[1, 2], truth_areas=[1]),
            ShapeError,
        ),
        (
            lambda: AveragePrecisionMeasure([1]).add(
                1, iou=[[1]], scores=[math.nan], result_areas=[1], truth_areas=[1]
            ),
            RangeError,
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(call, error):
    with pytest.raises(error):
        call()
