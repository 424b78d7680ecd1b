"""The benchmark of the measures runs, also without the real masks."""

from __future__ import annotations

import numpy as np

from benchmarks.speed import evaluation, protocols


def test_every_row_is_timed_on_drawn_masks(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path))
    monkeypatch.setattr(
        evaluation, "drawn_material", lambda frames, draw=evaluation.drawn_material: draw(frames, (60, 90))
    )
    found = evaluation.main(["--frames", "2", "--repeats", "1"])
    assert list(found) == list(evaluation.ROWS)
    assert all(rate > 0 for rate, _ in found.values())
    assert "2 frames of 90x60, drawn masks" in capsys.readouterr().out


def test_drawn_masks_hold_three_objects_and_differ_a_little():
    material = evaluation.drawn_material(1, (60, 90))
    assert np.unique(material.truth_labels[0]).tolist() == [0, 1, 2, 3]
    j, _ = evaluation.both(material, 0)
    assert 0.5 < j < 1.0


def test_whole_protocols_are_timed_on_drawn_files(capsys):
    found = protocols.main(["--frames", "6", "--protocols", "flow", "davis with T"], (60, 90))
    assert list(found) == ["flow", "davis with T"]
    assert all(one["cpu_s"] > 0 and one["peak_mb"] > 0 for one in found.values())
    assert "6 frames of 90x60, drawn" in capsys.readouterr().out
