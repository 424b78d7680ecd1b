"""`cvseg evaluate panoptic` on folders and COCO files of the same maps."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError
from cvseg.evaluation import PanopticMeasure, divided_segments, segment_pairs
from cvseg.evaluation.panoptic_layout import PanopticProtocolOptions
from cvseg.evaluation.protocols.panoptic import annotated_frames, evaluate
from cvseg.formats import write_mask

CLASSES, THINGS, VOID = [7, 11, 26], [11, 26], 30
WINDOWS = (1, 2, 3)


def random_video(rng, frames):
    """Blocks of segments that keep their ids, and a result that mistakes some of them."""
    ids = np.array([7000, 11001, 11002, 26000, 26001, 26011, VOID * 1000])
    truth = ids[rng.integers(0, len(ids), (4, 5))].repeat(4, 0).repeat(5, 1)
    videos = []
    for _ in range(frames):
        shifted = np.roll(truth, int(rng.integers(0, 3)), 1)
        wrong = rng.random(truth.shape) < 0.15
        videos.append((np.where(wrong, np.roll(shifted, 5, 0), shifted), shifted))
    return videos


@pytest.fixture
def videos():
    rng = np.random.default_rng(12)
    return {"a": random_video(rng, 4), "b": random_video(rng, 3)}


def write_folders(folder, videos, *, step=False):
    for name, frames in videos.items():
        for k, pair in enumerate(frames):
            for side, ids in zip(("results", "truth"), pair, strict=True):
                (folder / side / name).mkdir(parents=True, exist_ok=True)
                path = folder / side / name / f"{k}.png"
                if step:
                    rgb = np.stack([ids // 1000, ids % 1000 // 256, ids % 1000 % 256], axis=2).astype(np.uint8)
                    Image.fromarray(rgb).save(path)
                else:
                    write_mask(path, ids)
    return folder / "results", folder / "truth"


def write_coco(folder, videos):
    """The same with colour PNGs, other ids, and the meaning in JSON."""
    categories = [{"id": c, "name": f"class {c}", "isthing": int(c in THINGS)} for c in CLASSES]
    for place, side in enumerate(("results", "truth")):
        entries = []
        for name, frames in videos.items():
            for k, pair in enumerate(frames):
                ids = pair[place]
                file = f"{name}/{k}.png"
                (folder / side / name).mkdir(parents=True, exist_ok=True)
                coded = np.where(ids // 1000 == VOID, 0, ids * 7 + 13)
                rgb = np.stack([coded % 256, coded // 256 % 256, coded // 65536], axis=2).astype(np.uint8)
                Image.fromarray(rgb).save(folder / side / file)
                segments = [
                    {"id": i * 7 + 13, "category_id": i // 1000, "iscrowd": int(side == "truth" and i == 26000)}
                    for i in np.unique(ids).tolist()
                    if i // 1000 != VOID
                ]
                entries.append({"image_id": f"{name}{k}", "file_name": file, "segments_info": segments})
        data = {"annotations": entries} | ({"categories": categories} if side == "truth" else {})
        (folder / f"{side}.json").write_text(json.dumps(data))
    return folder / "results.json", folder / "truth.json"


OPTIONS = PanopticProtocolOptions(ignore_label=VOID, windows=WINDOWS, things=tuple(THINGS))


def test_the_quality_is_that_of_the_measure(tmp_path, videos):
    steps = []
    evaluation = evaluate(*write_folders(tmp_path, videos), OPTIONS, lambda done, total: steps.append(done))
    assert steps == list(range(1, 8))
    measure = PanopticMeasure(CLASSES, THINGS)
    for frames in videos.values():
        for result, truth in frames:
            meaning = [divided_segments(np.unique(v).tolist(), classes=CLASSES, things=THINGS) for v in (result, truth)]
            measure.add(segment_pairs(result, truth), *meaning)
    assert evaluation.overall["pq"] == pytest.approx(measure.mean().pq)
    assert evaluation.overall["rq_things"] == pytest.approx(measure.mean(THINGS).rq)
    assert evaluation.overall["sq_stuff"] == pytest.approx(measure.mean([7]).sq)
    assert evaluation.overall["vpq_1"] == pytest.approx(measure.mean().pq)
    assert evaluation.overall["vpq"] == pytest.approx(np.mean([evaluation.overall[f"vpq_{w}"] for w in WINDOWS]))
    assert evaluation.rows["11"]["missed"] == measure.per_class[11].missed
    assert set(evaluation.details["sequences"]) == {"a", "b"}
    keys = {m.key for m in evaluation.measures}
    assert set(evaluation.overall) <= keys
    assert 0 < evaluation.overall["stq"] < 1


@pytest.mark.parametrize("kind", ["step", "coco"])
def test_every_layout_of_the_same_maps_gives_the_same_figures(tmp_path, videos, kind):
    plain = evaluate(*write_folders(tmp_path / "plain", videos), OPTIONS)
    if kind == "step":
        options = OPTIONS.replaced({"encoding": "step"})
        other = evaluate(*write_folders(tmp_path / "step", videos, step=True), options)
    else:
        other = evaluate(*write_coco(tmp_path / "coco", videos), OPTIONS)
    assert dict(other.overall) == pytest.approx(dict(plain.overall), abs=1e-12)
    assert [f.scores["pq"] for f in other.frames] == pytest.approx([f.scores["pq"] for f in plain.frames])
    assert (other.frames[2].picture() == plain.frames[2].picture()).all()


def test_wrong_depth_lowers_the_quality_to_that_of_void_pixels(tmp_path, videos):
    rng = np.random.default_rng(3)
    without = {}
    for name, frames in videos.items():
        for side in ("depth", "true_depth"):
            (tmp_path / side / name).mkdir(parents=True)
        without[name] = []
        for k, (result, truth) in enumerate(frames):
            true = rng.integers(1000, 5000, truth.shape).astype(np.uint16)
            true[0] = 0
            factor = np.where(rng.random(truth.shape) < 0.2, 2.0, 1.0)
            Image.fromarray(true).save(tmp_path / "true_depth" / name / f"{k}.png")
            np.save(tmp_path / "depth" / name / f"{k}.npy", true * factor + 7 * (true == 0))
            without[name].append((np.where((factor > 1) & (true > 0), VOID * 1000, result), truth))
    folders = write_folders(tmp_path / "maps", videos)
    depth = {"result_depth": str(tmp_path / "depth"), "truth_depth": str(tmp_path / "true_depth")}
    evaluation = evaluate(*folders, OPTIONS.replaced(depth))
    wanted = evaluate(*write_folders(tmp_path / "void", without), OPTIONS).overall["vpq"]
    assert evaluation.overall["dvpq"] == pytest.approx(wanted)
    assert evaluation.overall["dvpq_0.1"] == pytest.approx(wanted)
    images = evaluate(*folders, OPTIONS.replaced(depth | {"video": "no"}))
    assert images.overall["dpq"] < images.overall["pq"]
    with pytest.raises(InputError, match="both"):
        evaluate(*folders, OPTIONS.replaced({"result_depth": str(tmp_path / "depth")}))
    (tmp_path / "depth" / "a" / "1.npy").unlink()
    with pytest.raises(FormatError, match=r"no 1\.png"):
        evaluate(*folders, OPTIONS.replaced(depth))


def test_perfect_results_have_quality_one(tmp_path, videos):
    perfect = {name: [(truth, truth) for _, truth in frames] for name, frames in videos.items()}
    evaluation = evaluate(*write_folders(tmp_path, perfect), OPTIONS)
    for key in ("pq", "sq", "rq", "vpq", "stq", "aq", "stq_sq"):
        assert evaluation.overall[key] == pytest.approx(1), key


def test_windows_longer_than_every_video_have_no_value(tmp_path, videos):
    evaluation = evaluate(*write_folders(tmp_path, videos), OPTIONS.replaced({"windows": (1, 9)}))
    assert math.isnan(evaluation.overall["vpq"])
    assert any("windows of 9" in remark for remark in evaluation.remarks)
    strided = evaluate(*write_folders(tmp_path, videos), OPTIONS.replaced({"windows": (1, 9), "frame_stride": 5}))
    assert strided.overall["vpq_9"] == evaluate(*write_folders(tmp_path, videos), OPTIONS).overall["vpq_2"]
    assert [annotated_frames(w, 5) for w in (1, 5, 10, 15)] == [1, 2, 3, 4]


def test_images_of_a_coco_file_without_videos_are_not_joined_to_tubes(tmp_path, videos):
    results, truth = write_coco(tmp_path, {"a": videos["a"]})
    for path in (results, truth):
        text = path.read_text().replace('"file_name": "a/', '"file_name": "')
        path.write_text(text)
        for file in (tmp_path / path.stem / "a").iterdir():
            file.rename(tmp_path / path.stem / file.name)
    evaluation = evaluate(results, truth, OPTIONS)
    assert "vpq" not in evaluation.overall
    assert any("no videos" in remark for remark in evaluation.remarks)
    assert "vpq" in evaluate(results, truth, OPTIONS.replaced({"video": "yes"})).overall


@pytest.mark.parametrize("kind", ["folders", "coco"])
def test_a_missing_result_is_an_error_or_void(tmp_path, videos, kind):
    if kind == "folders":
        results, truth = write_folders(tmp_path, videos)
        (results / "a" / "0.png").unlink()
    else:
        results, truth = write_coco(tmp_path, videos)
        data = json.loads(results.read_text())
        data["annotations"].pop(0)
        results.write_text(json.dumps(data))
    with pytest.raises(InputError, match="1 of 7"):
        evaluate(results, truth, OPTIONS)
    evaluation = evaluate(results, truth, OPTIONS.replaced({"missing_as_empty": True}))
    assert evaluation.frames[0].scores["pq"] == 0
    assert evaluation.frames[0].picture().shape == (16, 25, 3)
    assert any("missing" in remark for remark in evaluation.remarks)


def test_things_are_found_where_instances_are_numbered(tmp_path, videos):
    options = PanopticProtocolOptions(ignore_label=VOID)
    assert evaluate(*write_folders(tmp_path, videos), options).details["things"] == THINGS
    stuff = {"a": [(np.full((4, 4), 7000), np.full((4, 4), 7000))]}
    evaluation = evaluate(*write_folders(tmp_path / "stuff", stuff), options)
    assert any("No class is a thing" in remark for remark in evaluation.remarks)
    assert math.isnan(evaluation.overall["aq"])


def test_maps_of_another_size_are_refused(tmp_path, videos):
    results, truth = write_folders(tmp_path, videos)
    write_mask(results / "a" / "1.png", np.zeros((4, 4), np.int32))
    with pytest.raises(FormatError, match="4x4 pixels"):
        evaluate(results, truth, OPTIONS)


def test_a_truth_of_void_alone_and_empty_windows_are_refused(tmp_path):
    void = {"a": [(np.full((4, 4), VOID * 1000),) * 2]}
    with pytest.raises(InputError, match="no class but void"):
        evaluate(*write_folders(tmp_path, void), OPTIONS)
    with pytest.raises(InputError, match="--windows"):
        evaluate(*write_folders(tmp_path, void), OPTIONS.replaced({"windows": ()}))
