"""benchmarks/accuracy/change_stages.py: its scenes have truth where it is scored, and its numbers are what they say."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stages(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "accuracy")
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("change_stages")


def test_every_scene_has_its_frames_and_things_in_what_is_scored_unless_it_has_none(stages):
    for name, scenes in stages.SCENES.items():
        pairs = list(scenes())
        assert len(pairs) == stages.FRAMES, name
        assert all(scene.shape == (stages.HEIGHT, stages.WIDTH, 3) for scene, _ in pairs), name
        assert all(truth.shape == (stages.HEIGHT, stages.WIDTH) for _, truth in pairs), name
        seen = sum(bool(truth.any()) for _, truth in pairs[stages.FIRST :])
        assert seen == 0 if name.endswith("%") else seen > 25, name


def test_a_model_that_knows_the_truth_scores_one_and_one_that_sees_nothing_or_all_does_not(stages):
    truths = [truth for _, truth in stages.SCENES["a thing passes"]()]
    known = iter(truths)
    assert stages.score(lambda image: next(known), stages.SCENES["a thing passes"]()) == 1
    assert stages.score(lambda image: np.zeros(image.shape[:2], bool), stages.SCENES["a thing passes"]()) == 0
    assert stages.score(lambda image: np.ones(image.shape[:2], bool), stages.SCENES["noise alone, %"]()) == 100


def test_the_table_has_a_line_for_each_scene_and_a_column_for_each_method(stages, capsys):
    assert stages.main(["--method", "running_gaussian", "--baselines", "--scenes", "noise", "passes"]) == 0
    title, passes, noise = capsys.readouterr().out.splitlines()
    assert title.split()[-1] == "running_gaussian"
    assert float(passes.split()[-1]) > 0.9
    assert float(noise.split()[-1]) < 0.1
