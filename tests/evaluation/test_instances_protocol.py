"""`cvseg evaluate instances` on files, against the reference program on the same files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cvseg.errors import InputError
from cvseg.evaluation.protocols import EvaluationStopped
from cvseg.evaluation.protocols.instances import InstancesProtocolOptions, evaluate
from cvseg.formats.coco_rle import encode_rle

SIZE = (60, 80)


def rle(mask):
    return {"size": list(mask.shape), "counts": encode_rle(mask).decode()}


def ellipse(rng, size_hw=SIZE):
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    cy, cx, a, b = rng.uniform(5, 55), rng.uniform(5, 75), rng.uniform(3, 30), rng.uniform(3, 30)
    return ((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 <= 1


def random_files(folder, seed):
    """Six images of ellipses, polygons and crowds; results are moved masks, some of a wrong class."""
    rng = np.random.default_rng(seed)
    images = [{"id": 5 * k + 3, "file_name": f"img{k}.jpg", "height": SIZE[0], "width": SIZE[1]} for k in range(6)]
    annotations, results = [], []
    for image in images[:-1]:
        for _ in range(int(rng.integers(0, 6))):
            mask = ellipse(rng)
            ys, xs = np.nonzero(mask)
            box = [int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]
            common = {"image_id": image["id"], "category_id": int(rng.integers(1, 4))}
            entry = {"id": len(annotations) + 1, "segmentation": rle(mask), "area": int(mask.sum()), "bbox": box}
            entry["iscrowd"] = int(rng.random() < 0.2)
            if rng.random() < 0.4:
                x0, y0, x1, y1 = box[0], box[1], box[0] + box[2], box[1] + box[3]
                entry |= {"segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]], "iscrowd": 0, "area": box[2] * box[3]}
            annotations.append(common | entry)
            for _ in range(int(rng.integers(0, 3))):
                moved = np.roll(mask, rng.integers(-3, 4, 2), (0, 1))
                found = {"score": round(float(rng.random()), 2), "segmentation": rle(moved)}
                found["bbox"] = (np.array(box) + rng.integers(-2, 3, 4)).clip(1).tolist()
                results.append(common | found | ({"category_id": 2} if rng.random() < 0.2 else {}))
    categories = [{"id": k, "name": name} for k, name in enumerate(("dog", "cat", "cow", "none"), start=1)]
    truth = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "truth").mkdir()
    (folder / "results").mkdir()
    (folder / "truth" / "truth.json").write_text(json.dumps(truth))
    (folder / "results" / "results.json").write_text(json.dumps(results))
    return truth, results


@pytest.mark.parametrize(("compare", "kind", "dropped"), [("masks", "segm", "bbox"), ("boxes", "bbox", "segmentation")])
@pytest.mark.parametrize("class_agnostic", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_figures_are_those_of_the_reference_program(tmp_path, seed, class_agnostic, compare, kind, dropped, capsys):
    cocoeval = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools, the reference, is not installed")
    from pycocotools.coco import COCO

    _, results = random_files(tmp_path, seed)
    options = InstancesProtocolOptions(compare=compare, class_agnostic=class_agnostic)
    evaluation = evaluate(tmp_path / "results", tmp_path / "truth", options)
    known = COCO(str(tmp_path / "truth" / "truth.json"))
    found = known.loadRes([{k: v for k, v in r.items() if k != dropped} for r in results])
    run = cocoeval.COCOeval(known, found, kind)
    run.params.useCats = not class_agnostic
    run.evaluate()
    run.accumulate()
    run.summarize()
    own = [evaluation.overall[m.key] for m in evaluation.measures[:12]]
    np.testing.assert_allclose(np.nan_to_num(own, nan=-1.0), run.stats, atol=1e-12)


def test_every_image_has_a_score_and_a_picture(tmp_path):
    truth, results = random_files(tmp_path, 0)
    steps = []
    options = InstancesProtocolOptions(least_score=0.0)
    evaluation = evaluate(
        tmp_path / "results" / "results.json",
        tmp_path / "truth",
        options,
        lambda done, total: steps.append((done, total)),
    )
    assert steps == [(k, 6) for k in range(1, 7)]
    assert [frame.frame for frame in evaluation.frames] == [f"img{k}" for k in range(6)]
    assert math.isnan(evaluation.frames[-1].scores["f1"])
    assert evaluation.frames[0].picture().shape == (*SIZE, 3)
    assert evaluation.worst_frames(9)[0].scores["f1"] <= evaluation.worst_frames(9)[-1].scores["f1"]
    counted = sum(not a["iscrowd"] for a in truth["annotations"])
    assert (evaluation.overall["objects"], evaluation.overall["results"]) == (counted, len(results))
    assert math.isnan(evaluation.rows["none"]["ap"])
    text = " ".join(evaluation.remarks)
    assert "no result" in text
    assert "no true object" in text
    assert set(evaluation.curves[0].lines) == {"mean of 0.50 to 0.95", "overlap 0.50", "overlap 0.75"}


def test_perfect_results_score_one_and_are_drawn_over_the_images(tmp_path):
    from PIL import Image

    truth, _ = random_files(tmp_path, 1)
    perfect = [dict(a, score=1.0) for a in truth["annotations"] if not a["iscrowd"]]
    (tmp_path / "results" / "results.json").write_text(json.dumps(perfect))
    for image in truth["images"]:
        Image.new("RGB", SIZE[::-1], (9, 9, 9)).save(tmp_path / f"{image['file_name'][:-4]}.png")
    options = InstancesProtocolOptions(images=str(tmp_path))
    evaluation = evaluate(tmp_path / "results", tmp_path / "truth", options)
    assert evaluation.overall["ap"] == pytest.approx(1)
    assert evaluation.overall["ar_100"] == pytest.approx(1)
    assert all(frame.scores["missed"] == frame.scores["false"] == 0 for frame in evaluation.frames)
    assert evaluation.frames[-1].picture().max() == 9


def video_files(folder, shift):
    rng = np.random.default_rng(2)
    videos = [{"id": k, "file_names": [f"v{k}/{i}.jpg" for i in range(3)], "height": 60, "width": 80} for k in (1, 2)]
    annotations = []
    for k in range(4):
        masks = [ellipse(rng) if rng.random() < 0.8 else None for _ in range(3)]
        masks[0] = ellipse(rng)
        segmentations = [None if m is None else rle(m) for m in masks]
        areas = [None if m is None else int(m.sum()) for m in masks]
        annotations.append(
            {"id": k + 1, "video_id": 1 + k % 2, "category_id": 1, "segmentations": segmentations, "areas": areas}
        )
    truth = {"videos": videos, "annotations": annotations, "categories": [{"id": 1, "name": "dog"}]}
    results = [
        {"video_id": a["video_id"], "category_id": 1, "score": 0.9 - 0.1 * k}
        | {"segmentations": a["segmentations"][shift:] + a["segmentations"][:shift]}
        for k, a in enumerate(annotations)
    ]
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "results.json").write_text(json.dumps(results))


@pytest.mark.parametrize("shift", [0, 1])
def test_tubes_match_only_in_the_right_frames(tmp_path, shift):
    video_files(tmp_path, shift)
    evaluation = evaluate(tmp_path / "results.json", tmp_path / "truth.json", InstancesProtocolOptions())
    assert evaluation.details["kind"] == "videos"
    assert (evaluation.overall["ap50"] > 0.99) == (shift == 0)
    assert [frame.sequence for frame in evaluation.frames] == ["v1", "v2"]
    assert evaluation.frames[0].picture().shape == (*SIZE, 3)


def test_an_empty_truth_and_an_empty_result_have_defined_figures(tmp_path):
    truth, _ = random_files(tmp_path, 3)
    (tmp_path / "none.json").write_text("[]")
    evaluation = evaluate(tmp_path / "none.json", tmp_path / "truth", InstancesProtocolOptions())
    assert (evaluation.overall["ap"], evaluation.overall["ar_100"]) == (0.0, 0.0)
    (tmp_path / "bare.json").write_text(json.dumps(truth | {"annotations": []}))
    evaluation = evaluate(tmp_path / "results", tmp_path / "bare.json", InstancesProtocolOptions())
    assert math.isnan(evaluation.overall["ap"])
    assert "no object" in " ".join(evaluation.remarks)


def test_folders_without_one_file_and_stopped_runs_end_with_a_sentence(tmp_path):
    random_files(tmp_path, 4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no JSON file"):
        evaluate(tmp_path / "empty", tmp_path / "truth", InstancesProtocolOptions())
    with pytest.raises(InputError, match="does not exist"):
        evaluate(tmp_path / "results", tmp_path / "nowhere", InstancesProtocolOptions())
    (tmp_path / "truth" / "more.json").write_text("{}")
    with pytest.raises(InputError, match="2 JSON files"):
        evaluate(tmp_path / "results", tmp_path / "truth", InstancesProtocolOptions())
    (tmp_path / "truth" / "more.json").unlink()
    with pytest.raises(EvaluationStopped):
        evaluate(tmp_path / "results", tmp_path / "truth", InstancesProtocolOptions(), lambda done, total: False)


def test_fewer_results_may_count(tmp_path):
    random_files(tmp_path, 0)
    few, one = (
        evaluate(tmp_path / "results", tmp_path / "truth", InstancesProtocolOptions(most_results=n)) for n in (10, 1)
    )
    assert "ar_10" not in one.overall
    assert one.overall["ar_1"] == few.overall["ar_1"] <= few.overall["ar_10"]
    assert one.overall["ap"] <= few.overall["ap"]
