"""The endurance benchmark goes on where it was stopped, and says when nothing is left to do."""

from __future__ import annotations

import pytest

from benchmarks.speed.background_endurance import endure


def test_a_kept_state_goes_on_and_a_finished_one_is_refused_in_a_sentence(tmp_path):
    first = endure("running_gaussian", (24, 32), 30, 60, tmp_path)
    assert (first["frames"], first["finite"]) == (30, True)
    assert endure("running_gaussian", (24, 32), 50, 60, tmp_path)["frames"] == 50
    with pytest.raises(SystemExit, match=r"has seen 50 frames; ask for more with --frames"):
        endure("running_gaussian", (24, 32), 50, 60, tmp_path)
