"""On real detections the tracks reach the figures that the pages promise, and SORT's MOTA on every set."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mot():
    folder = str(ROOT / "benchmarks" / "accuracy")
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module("mot")
    finally:
        sys.path.remove(folder)
    if not module.data_folder().is_dir():
        pytest.skip(f"no MOTChallenge data in {module.data_folder()}")
    return module


def test_the_tracks_reach_the_bars_on_five_sets(mot, tmp_path, capsys):
    record = mot.main(["--json", str(tmp_path / "mot.json")])
    assert "mean" in capsys.readouterr().out
    assert json.loads((tmp_path / "mot.json").read_text("utf-8"))["means"] == record["means"]
    # Our SORT is the reference's: its figures are known.
    assert record["means"]["sort"]["hota"] == pytest.approx(33.4, abs=0.1)
    assert record["means"]["sort"]["idf1"] == pytest.approx(42.0, abs=0.1)
    assert record["means"]["online"]["hota"] > 44
    assert record["means"]["online"]["idf1"] > 63
    assert record["means"]["offline"]["hota"] > 52
    assert record["means"]["offline"]["idf1"] > 70
    for name in mot.SETS:
        assert record["results"]["offline"][name]["mota"] >= record["results"]["sort"][name]["mota"]


def test_variants_change_one_number_at_a_time_within_its_range(mot):
    options = mot.BoxTrackerOptions()
    before = flat(options.to_mapping())
    found = mot.variants(options)
    assert len(found) > 30
    for name, changed in found:
        after = flat(changed.to_mapping())
        different = [key for key in before if before[key] != after[key]]
        assert len(different) == 1, name
        assert np.isfinite(after[different[0]])


def flat(mapping, prefix=""):
    values = {}
    for key, value in mapping.items():
        values |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return values
