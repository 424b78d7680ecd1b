"""Plateaus and ablation: settings run on small scenes, and what is written about them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cvseg.errors import OptionError
from cvseg.pipeline import PRESETS

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmark(name)``: a script of benchmarks/accuracy as a module, with scenes so small that they are quick."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(importlib.import_module("settings_runner"), "SCENE_SIZE_HW", (60, 106))
    return importlib.import_module


SMALL = ["--sequences", "--scenes", "crossing", "empty_noise", "--frames", "6"]


def test_every_option_of_the_sweeps_and_variants_exists_in_every_preset(benchmark):
    runner, plateaus = benchmark("settings_runner"), benchmark("automatic_plateaus")
    for options in PRESETS.values():
        for path in plateaus.SWEEPS:
            values = plateaus.values_around(options, path)
            assert runner.value_of(options, path) in values, path
            assert len(values) >= 3, path
            assert values == sorted(set(values)), path
        for values in benchmark("ablation").VARIANTS.values():
            changed = runner.with_values(options, values)
            assert all(runner.value_of(changed, path) == value for path, value in values.items())


def test_an_option_is_changed_deep_inside_and_all_others_stay(benchmark):
    runner, usual = benchmark("settings_runner"), PRESETS["quality"]
    changed = runner.with_values(usual, {"automatic.cut.colors.reach": 3, "min_area": 0.01})
    assert runner.value_of(changed, "automatic.cut.colors.reach") == 3
    assert changed.min_area == 0.01
    assert changed.automatic.consensus == usual.automatic.consensus
    back = {name: runner.value_of(usual, name) for name in ("automatic.cut.colors.reach", "min_area")}
    assert runner.with_values(changed, back) == usual
    with pytest.raises(OptionError, match="unknown option 'contras'"):
        runner.with_values(usual, {"automatic.cut.contras": 1.0})
    with pytest.raises(OptionError, match="FrameCutOptions has no option 'contras'"):
        runner.value_of(usual, "automatic.cut.contras")


def test_a_prepared_clip_gives_what_the_pipeline_gives_and_again_the_same(benchmark):
    from cvseg.pipeline import Pipeline

    runner = benchmark("settings_runner")
    words = ["--sequences", "--scenes", "crossing", "--frames", "6"]
    (clip,) = runner.chosen_clips(runner.clips_parser("", frames=9).parse_args(words))
    scores = [runner.score_settings(clip, PRESETS["balanced"]) for _ in range(2)]
    assert scores[0] == scores[1]
    pipeline = Pipeline("balanced", device="cpu")
    results = [r for work in clip.works for r in pipeline.process(work.frame)] + pipeline.finish()
    masks = [result.labels > 0 for result in results][1:-1]
    overlaps = [(m & t).sum() / (m | t).sum() for m, t in zip(masks, clip.truths[1:-1], strict=True)]
    assert scores[0]["J"] == pytest.approx(float(np.mean(overlaps)))


def test_sweeps_are_printed_written_and_drawn(benchmark, tmp_path, capsys):
    files = {name: tmp_path / "out" / f"sweep.{name}" for name in ("json", "svg")}
    asked = [*SMALL, "--options", "automatic.cut.contrast", "automatic.consensus.reach"]
    record = benchmark("automatic_plateaus").main(
        [*asked, "--json", str(files["json"]), "--picture", str(files["svg"])]
    )
    printed = capsys.readouterr().out
    assert json.loads(files["json"].read_text()) == record
    sweep = record["sweeps"]["automatic.cut.contrast"]
    assert sweep["default"] == 2.0
    assert [row["value"] for row in sweep["values"]] == [0.5, 1, 2, 4, 8]
    assert set(sweep["values"][0]["clips"]) == {"crossing", "empty_noise"}
    assert "automatic.cut.contrast (default 2.0)" in printed
    drawing = ElementTree.fromstring(files["svg"].read_text())
    words = ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "cut.contrast, default 2" in words
    assert "consensus.reach, default 15" in words
    assert "J of the lowest clip" in words
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}path"))) == 4  # two panels of two lines


def test_an_ablation_lists_every_variant_with_its_means(benchmark, tmp_path, capsys):
    path = tmp_path / "ablation.json"
    asked = [*SMALL, "--variants", "everything", "residual seed alone", "no colours", "--json", str(path)]
    record = benchmark("ablation").main(asked)
    assert json.loads(path.read_text()) == record
    assert record["variants"]["residual seed alone"]["options"] == {"automatic.cues": ["residual"]}
    found = record["variants"]["everything"]
    assert found["scene"]["J"] == pytest.approx(np.mean([clip["J"] for clip in found["clips"].values()]), abs=1e-5)
    assert "no colours" in capsys.readouterr().out


def test_unknown_names_are_answered_with_the_nearest(benchmark):
    with pytest.raises(SystemExit, match=r"did you mean 'automatic\.cut\.contrast'"):
        benchmark("automatic_plateaus").main(["--options", "automatic.cut.contrastt"])
    with pytest.raises(SystemExit, match="did you mean 'no colours'"):
        benchmark("ablation").main(["--variants", "no colors"])
    with pytest.raises(SystemExit, match="name a scene or a sequence"):
        benchmark("ablation").main(["--sequences", "--scenes"])
