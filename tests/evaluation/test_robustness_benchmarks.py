"""The benchmarks of disturbed frames and of seams, run with stand-ins for the segmentation."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmark(name)``: a script of benchmarks/accuracy as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "accuracy")
    return importlib.import_module


def bright(frames, *, preset, device):
    for frame in frames:
        yield SimpleNamespace(frame=frame, labels=(frame.image[..., 0] > 128).astype(np.int32))


def test_every_event_has_its_frames_and_a_white_one_is_a_ghost(benchmark, tmp_path):
    out = tmp_path / "events.json"
    asked = ["--scenes", "crossing", "--size", "60", "80", "--frames", "24", "--json", str(out)]
    record = benchmark("disturbances").main(asked, segment=bright)
    assert json.loads(out.read_text()) == record
    frames = {event: mean["frames"] for event, mean in record["mean"].items()}
    assert frames["none"] == frames["flash"] == frames["black"] == frames["white"] == frames["cut"] == 24
    assert (frames["duplicate"], frames["pulldown"], frames["twos"]) == (25, 30, 48)
    assert (frames["frozen"], frames["dropped"]) == (63, 22)
    ghosts = {event: mean["ghost"] for event, mean in record["mean"].items()}
    assert ghosts["white"] > ghosts["none"] > ghosts["black"]


def test_unknown_events_and_scenes_are_named(benchmark):
    with pytest.raises(SystemExit, match="did you mean 'flash'"):
        benchmark("disturbances").main(["--events", "flashh"], segment=bright)
    with pytest.raises(SystemExit, match="did you mean 'crossing'"):
        benchmark("disturbances").main(["--scenes", "crosing"], segment=bright)


def test_a_mask_that_changes_where_windows_end_is_seen(benchmark, tmp_path, monkeypatch):
    folder = tmp_path / "DAVIS2016" / "JPEGImages" / "480p" / "one"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 60, (40, 64, 3))
    for t in range(8):
        picture = noise.copy()
        picture[10:30, 5 + t : 25 + t] += 150
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{t:05d}.png")
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path))

    def torn(frames, *, preset, device):
        for result in bright(frames, preset=preset, device=device):
            yield SimpleNamespace(frame=result.frame, labels=result.labels * (result.frame.index % 20 != 0))

    asked = ["--sequences", "one", "--frames", "60"]
    whole = benchmark("seams").main(asked, segment=bright)["sequences"]["one"]
    assert whole["at_seams"] < 0.2
    seen = benchmark("seams").main(asked, segment=torn)["sequences"]["one"]
    assert (seen["at_seams"], seen["worst"]) == (1, 1)
    assert seen["between"] < 0.4
    with pytest.raises(SystemExit, match="hold no end of a window"):
        benchmark("seams").main(["--sequences", "one", "--frames", "9"], segment=bright)
    with pytest.raises(SystemExit, match="no folder"):
        benchmark("seams").main(["--sequences", "none"], segment=bright)
