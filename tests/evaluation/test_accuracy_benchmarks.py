"""The accuracy benchmarks, run with stand-ins for the segmentation."""

from __future__ import annotations

import importlib
import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmark(name)``: a script of benchmarks/accuracy as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "accuracy")
    return importlib.import_module


@pytest.fixture
def davis_data(tmp_path, monkeypatch):
    """Two tiny sequences: a square that moves, and its masks."""
    folder = tmp_path / "data"
    for sequence, step in (("one", 2), ("two", 3)):
        for kind in ("JPEGImages", "Annotations"):
            (folder / "DAVIS2016" / kind / "480p" / sequence).mkdir(parents=True)
        for index in range(8):
            mask = np.zeros((40, 64), np.uint8)
            mask[10:30, 5 + step * index : 25 + step * index] = 255
            name = f"{index:05d}"
            Image.fromarray(mask).save(folder / "DAVIS2016/Annotations/480p" / sequence / f"{name}.png")
            Image.fromarray(np.dstack([mask, mask, mask])).save(
                folder / "DAVIS2016/JPEGImages/480p" / sequence / f"{name}.jpg"
            )
    (folder / "DAVIS2016" / "published_per_sequence.csv").write_text(
        "task,method,one_J,one_F,two_J,two_F,mean_J,mean_F\nunsupervised,A,0.5,0.4,0.7,0.6,0.6,0.5\n"
        "unsupervised,B,0.9,0.8,0.5,0.4,0.7,0.6\n"
    )
    monkeypatch.setenv("CVSEG_DATA", str(folder))
    return folder


def bright_pixels(source, *, preset, device):
    """A stand-in for `cvseg.segment`: what is bright is an object, the upper half one, the lower another."""
    assert (preset, device) == ("fast", "cpu")
    for index, path in enumerate(sorted(Path(source).glob("*.jpg"))):
        image = np.asarray(Image.open(path))
        labels = (image[..., 0] > 128).astype(np.int32)
        labels[20:] *= 2
        yield SimpleNamespace(frame=Frame(index, Fraction(index, 25), image, path.stem), labels=labels, tracks=())


def nothing(source, **settings):
    for result in bright_pixels(source, **settings):
        result.labels[:] = 0
        yield result


def test_davis_scores_merged_labels_and_writes_what_it_measured(benchmark, davis_data, tmp_path, capsys):
    out, sheets = tmp_path / "out" / "davis.json", tmp_path / "sheets"
    record = benchmark("davis").main(
        ["--preset", "fast", "--json", str(out), "--overlays", str(sheets)], segment=bright_pixels
    )
    printed = capsys.readouterr().out
    assert record["mean"]["J"]["mean"] > 0.95  # the frames are JPEG: an edge pixel may flip
    assert record["sequences"]["one"]["J"]["frames"] == 6  # of eight: the ends do not count
    assert len(record["sequences"]["one"]["per_frame"]["F"]) == 8
    assert json.loads(out.read_text()) == record
    assert {"machine", "versions", "commit"} <= record.keys()
    assert [row["method"] for row in record["published"]] == ["B", "A"]
    assert "two" in printed
    assert printed.index(" B ") < printed.index(" A ")
    assert sorted(path.name for path in sheets.iterdir()) == ["one.jpg", "two.jpg"]


def test_davis_compares_with_the_published_means_over_the_chosen_sequences(benchmark, davis_data, capsys):
    record = benchmark("davis").main(["--preset", "fast", "--sequences", "one"], segment=nothing)
    assert record["mean"]["J"] == {"mean": 0.0, "recall": 0.0, "decay": 0.0}
    assert {row["method"]: row["J"] for row in record["published"]} == {"A": 0.5, "B": 0.9}


def test_davis_scores_a_left_out_frame_as_empty(benchmark, davis_data, capsys):
    def two_frames_only(source, **settings):
        results = bright_pixels(source, **settings)
        return (next(results) for _ in range(2))

    record = benchmark("davis").main(["--preset", "fast", "--sequences", "two"], segment=two_frames_only)
    assert record["sequences"]["two"]["per_frame"]["J"][2:] == [0.0] * 6
    assert record["sequences"]["two"]["per_frame"]["J"][0] > 0.9


def test_davis_says_which_sequences_are_present_when_one_is_not(benchmark, davis_data):
    with pytest.raises(SystemExit, match=r"bear not found in .*present: one, two"):
        benchmark("davis").main(["--sequences", "bear"], segment=nothing)


def test_synthetic_gives_full_marks_to_the_truth_and_counts_its_renaming(benchmark, tmp_path, capsys):
    def truth_of(rename):
        def segment(frames, *, preset, device):
            clip = render_clip(SCENES[scene].__class__(**SCENES[scene].to_mapping() | {"size_hw": (60, 106)}))
            for frame in frames:
                yield SimpleNamespace(frame=frame, labels=rename(frame.index, clip[frame.index].labels), tracks=())

        return segment

    scene, out = "crossing", tmp_path / "synthetic.json"
    asked = ["--scenes", scene, "--size", "60", "106", "--frames", "6", "--json", str(out)]
    perfect = benchmark("synthetic").main(asked, segment=truth_of(lambda index, labels: labels))
    assert json.loads(out.read_text()) == perfect
    result = perfect["scenes"][scene]
    assert (result["J"], result["F"], result["J_object"], result["false_share"]) == (1, 1, 1, 0)
    assert (result["tracking"]["identity_switches"], result["tracking"]["mota"]) == (0, 1)
    assert result["frames"] == 6

    renamed = benchmark("synthetic").main(
        asked, segment=truth_of(lambda index, labels: np.where((labels == 1) & (index >= 3), 9, labels))
    )
    result = renamed["scenes"][scene]
    assert (result["J"], result["tracking"]["identity_switches"]) == (1, 1)
    assert result["J_object"] < 1


def test_synthetic_names_the_nearest_scene(benchmark):
    with pytest.raises(SystemExit, match="did you mean 'crossing'"):
        benchmark("synthetic").main(["--scenes", "crosing"], segment=nothing)
