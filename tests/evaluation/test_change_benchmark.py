"""benchmarks/accuracy/change.py on drawn sequences: what it counts, what it leaves out, and that it repeats itself."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SIZE_HW = (48, 64)


@pytest.fixture
def change(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "accuracy")
    return importlib.import_module("change")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """One sequence: a block from frame 10 on; its right half is unknown, and the last rows lie outside."""
    place = tmp_path / "data" / "CDnet2014" / "drawn" / "block"
    for name in ("input", "groundtruth"):
        (place / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    ground = rng.integers(50, 100, (*SIZE_HW, 3)).astype(np.uint8)
    for index in range(30):
        image, truth = ground.copy(), np.zeros(SIZE_HW, np.uint8)
        truth[40:] = 85
        if index >= 10:
            left = 2 * (index - 10)
            image[10:26, left : left + 16] = (240, 220, 80)
            truth[10:26, left : left + 16] = 255
        Image.fromarray(image).save(place / "input" / f"in{index + 1:06}.png")
        Image.fromarray(truth).save(place / "groundtruth" / f"gt{index + 1:06}.png")
    roi = np.full(SIZE_HW, 255, np.uint8)
    roi[:, 56:] = 0
    Image.fromarray(roi).save(place / "ROI.bmp")
    (place / "temporalROI.txt").write_text("1 30")
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path / "data"))
    return place


def test_a_method_is_scored_on_the_last_two_thirds_inside_the_region(change, data, tmp_path, capsys):
    out = tmp_path / "out" / "change.json"
    words = ["--method", "running_gaussian", "--baselines", "none", "--json", str(out), "--pictures", str(tmp_path)]
    record = change.main(words)
    row = record["sequences"]["CDnet2014/drawn/block"]["running_gaussian"]
    assert row["frames"] == 20
    counts = [row[f"{kind}_{name}"] for kind in ("true", "false") for name in ("positives", "negatives")]
    assert sum(counts) == 20 * 40 * 56
    assert row["f1"] > 0.9
    assert record["means"]["CDnet2014"]["running_gaussian"]["f1"] == row["f1"]
    assert json.loads(out.read_text()) == record
    assert {"machine", "versions", "commit"} <= record.keys()
    with Image.open(tmp_path / "CDnet2014-drawn-block.jpg") as sheet:
        assert sheet.size == (2 * SIZE_HW[1], 5 * SIZE_HW[0])
    assert "CDnet2014/drawn/block" in capsys.readouterr().out


def test_equal_runs_give_equal_tables_and_an_option_changes_them(change, data, capsys):
    words = ["--method", "running_gaussian", "--baselines", "none", "--no-times"]
    first, again = change.main(words), change.main(words)
    assert first == again
    blind = change.main([*words, "--option", "running_gaussian.threshold=900"])
    row = blind["sequences"]["CDnet2014/drawn/block"]["running_gaussian"]
    assert row["f1"] == 0 and row["recall"] == 0
    assert row["precision"] is None


def test_wrong_words_are_answered_in_a_sentence(change, data):
    for words, says in (
        (["--sequences", "nowhere"], "present: CDnet2014/drawn/block"),
        (["--train-share", "1"], "--train-share"),
        (["--method", "running_gaussian", "--baselines", "none", "--option", "threshold=3"], r"METHOD\.KEY=VALUE"),
    ):
        with pytest.raises(SystemExit, match=says):
            change.main(words)
