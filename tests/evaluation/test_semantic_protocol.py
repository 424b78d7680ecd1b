"""`cvseg evaluate semantic` on folders of label maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError
from cvseg.evaluation import SemanticMeasure, video_consistency
from cvseg.evaluation.label_picture import label_picture
from cvseg.evaluation.protocols.semantic import SemanticProtocolOptions, evaluate
from cvseg.formats import write_mask


@pytest.fixture
def folders(tmp_path):
    """Two sequences of three frames with classes 0 to 3 and void; the arrays by sequence and frame."""
    rng = np.random.default_rng(6)
    labels = {}
    for sequence in ("a", "b"):
        for side in ("truth", "results"):
            (tmp_path / side / sequence).mkdir(parents=True)
        for frame in range(3):
            truth = rng.integers(0, 4, (5, 6)).repeat(4, 0).repeat(3, 1).astype(np.int32)
            result = np.where(rng.random(truth.shape) < 0.2, 3 - truth, truth).astype(np.int32)
            truth[rng.random(truth.shape) < 0.1] = 255
            labels[sequence, frame] = result, truth
            write_mask(tmp_path / "truth" / sequence / f"{frame}.png", truth)
            write_mask(tmp_path / "results" / sequence / f"{frame}.png", result)
    return tmp_path / "results", tmp_path / "truth", labels


def test_the_figures_are_those_of_the_measure(folders):
    results, truth, labels = folders
    measure = SemanticMeasure(4)
    for pair in labels.values():
        measure.add(*pair)
    steps = []
    evaluation = evaluate(results, truth, SemanticProtocolOptions(), lambda done, total: steps.append(done))
    assert steps == list(range(1, 7))
    for key in ("mean_iou", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iou"):
        assert evaluation.overall[key] == getattr(measure.score, key)
    assert list(evaluation.rows) == ["0", "1", "2", "3"]
    assert [row["mean_iou"] for row in evaluation.rows.values()] == measure.score.class_iou.tolist()
    assert evaluation.details["confusion"] == measure.confusion.tolist()
    own = SemanticMeasure(4)
    own.add(*labels["b", 1])
    frame = next(f for f in evaluation.frames if (f.sequence, f.frame) == ("b", "1"))
    assert frame.scores["mean_iou"] == own.score.mean_iou
    assert frame.picture().shape == (20, 18, 3)
    assert evaluation.remarks == []


def test_consistency_is_the_mean_of_the_sequences(folders):
    results, truth, labels = folders
    wanted = [video_consistency(*zip(*(labels[s, k] for k in range(3)), strict=True), frames=2) for s in "ab"]
    evaluation = evaluate(results, truth, SemanticProtocolOptions(consistency=2))
    assert evaluation.overall["consistency"] == pytest.approx(np.mean(wanted))
    long = evaluate(results, truth, SemanticProtocolOptions(consistency=9))
    assert math.isnan(long.overall["consistency"])
    assert "shorter than 9" in long.remarks[0]


def test_a_missing_result_is_an_error_or_wrong_everywhere(folders):
    results, truth, labels = folders
    (results / "b" / "2.png").unlink()
    with pytest.raises(InputError, match="b/2"):
        evaluate(results, truth, SemanticProtocolOptions())
    evaluation = evaluate(results, truth, SemanticProtocolOptions(missing_as_empty=True))
    assert evaluation.frames[-1].scores["pixel_accuracy"] == 0
    lost = int((labels["b", 2][1] != 255).sum())
    assert any(str(lost) in remark and "no class" in remark for remark in evaluation.remarks)


def test_names_numbers_and_strange_labels(folders, tmp_path):
    results, truth, _ = folders
    names = tmp_path / "names.txt"
    names.write_text("sky\nroad\ncar\ntree\nmoon\n")
    evaluation = evaluate(results, truth, SemanticProtocolOptions(class_names=str(names)))
    assert list(evaluation.rows) == ["sky", "road", "car", "tree", "moon"]
    assert "moon" in evaluation.remarks[0]
    fewer = evaluate(results, truth, SemanticProtocolOptions(classes=3))
    assert "neither a class (0 to 2)" in fewer.remarks[0]
    with pytest.raises(InputError, match="5 names"):
        evaluate(results, truth, SemanticProtocolOptions(class_names=str(names), classes=4))
    with pytest.raises(InputError, match="cannot be read"):
        evaluate(results, truth, SemanticProtocolOptions(class_names=str(tmp_path / "none.txt")))


def test_panoptic_labels_are_divided(tmp_path):
    for side, labels in (("results", [[26001, 7000, 255]]), ("truth", [[26011, 8000, 255]])):
        (tmp_path / side).mkdir()
        write_mask(tmp_path / side / "0.png", np.array(labels))
    with pytest.raises(FormatError, match="label-divisor"):
        evaluate(tmp_path / "results", tmp_path / "truth", SemanticProtocolOptions())
    evaluation = evaluate(tmp_path / "results", tmp_path / "truth", SemanticProtocolOptions(label_divisor=1000))
    assert (evaluation.rows["26"]["mean_iou"], evaluation.rows["8"]["mean_iou"]) == (1, 0)
    assert evaluation.overall["mean_iou"] == pytest.approx(1 / 3)
    assert "result only" in " ".join(evaluation.remarks)


def test_maps_of_another_size_are_refused(folders):
    results, truth, _ = folders
    write_mask(results / "a" / "1.png", np.zeros((4, 4), np.int32))
    with pytest.raises(FormatError, match="4x4 pixels"):
        evaluate(results, truth, SemanticProtocolOptions())


def test_the_picture_is_drawn_over_the_frame(folders, tmp_path):
    results, truth, _ = folders
    (tmp_path / "frames" / "a").mkdir(parents=True)
    Image.new("RGB", (18, 20), (200, 0, 200)).save(tmp_path / "frames" / "a" / "0.jpg")
    options = SemanticProtocolOptions(images=str(tmp_path / "frames"))
    first, second = evaluate(results, truth, options).frames[:2]
    assert first.picture()[..., 0].mean() > second.picture()[..., 0].mean()


def test_right_wrong_and_void_pixels_have_their_colours():
    right = np.array([[True, False, False]])
    picture = label_picture(right, np.zeros((1, 3), np.int32), np.array([[False, False, True]]))
    green, red, dark = picture[0].astype(int)
    assert green[1] > green[0]
    assert red[0] > red[1]
    assert dark.max() < 92
