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
        yield SimpleNamespace(frame=frame, labels=(frame.image[..., 0] > 128).astype(np.int32), tracks=())


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


def moving_clip(benchmark, name, color, size=12, path=lambda t: (20 + 2 * t, 18), frames=9, size_hw=(64, 96)):
    """A rectangle on textured ground under a camera that moves by a pixel a frame; and the ground alone."""
    ground = np.random.default_rng(5).integers(0, 90, (size_hw[0] // 4, size_hw[1] // 2, 3)).astype(np.uint8)
    ground = np.asarray(Image.fromarray(ground).resize((2 * size_hw[1], size_hw[0]), Image.Resampling.BICUBIC))
    images, truths, empty = [], [], []
    for t in range(frames):
        picture = ground[:, t : t + size_hw[1]].copy()
        empty.append(picture.copy())
        x, y = path(t)
        truth = np.zeros(size_hw, np.bool_)
        truth[y : y + size, x : x + size] = True
        picture[truth] = color
        images.append(picture)
        truths.append(truth)
    return benchmark("variations").Clip(name, images, truths), empty


def test_a_stage_shows_the_ground_where_its_object_was(benchmark):
    clip, empty = moving_clip(benchmark, "red", (250, 20, 20))
    stage = benchmark("swapped_actors").Stage(clip)
    for image, ground, truth in zip(stage.clip.images, empty, clip.truths, strict=True):
        assert np.abs(image[truth].astype(int) - ground[truth]).mean() < 12
        assert np.abs(image[truth].astype(int) - (250, 20, 20)).mean() > 60
    # What is seen in no frame is taken from around it.
    still, _ = moving_clip(benchmark, "still", (250, 20, 20), path=lambda t: (30 - t, 18), frames=4)
    unseen = benchmark("swapped_actors").Stage(still).clip
    assert all(image[truth].max() < 130 for image, truth in zip(unseen.images, still.truths, strict=True))


def test_the_new_object_has_the_place_and_the_size_of_the_old_one(benchmark):
    clip, _ = moving_clip(benchmark, "red", (250, 20, 20))
    actor, _ = moving_clip(benchmark, "blue", (20, 20, 250), size=16, path=lambda t: (60 - 3 * t, 30), frames=7)
    swapped = benchmark("swapped_actors").Stage(clip).with_actor(actor)
    assert (swapped.name, len(swapped.images)) == ("blue on red", 7)
    for image, truth, old in zip(swapped.images, swapped.truths, clip.truths, strict=False):
        assert 0.75 < truth.sum() / old.sum() < 1.33
        assert (truth & old).sum() > 0.6 * old.sum()
        assert image[truth][:, 2].mean() > 180 > 60 > image[truth][:, 0].mean()


def test_swapped_objects_are_scored_on_every_other_scene(benchmark, tmp_path, monkeypatch):
    for name, color in (("one", (250, 250, 250)), ("two", (240, 240, 200)), ("three", (250, 200, 250))):
        clip, _ = moving_clip(benchmark, name, color, frames=5)
        for kind, pictures in (("JPEGImages", clip.images), ("Annotations", clip.truths)):
            folder = tmp_path / "DAVIS2016" / kind / "480p" / name
            folder.mkdir(parents=True)
            for t, picture in enumerate(pictures):
                Image.fromarray(picture.astype(np.uint8) * (255 if kind == "Annotations" else 1)).save(
                    folder / f"{t:05d}.png"
                )
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path))
    out = tmp_path / "swapped.json"
    record = benchmark("swapped_actors").main(
        ["--stages", "one", "two", "--json", str(out), "--overlays", str(tmp_path / "sheets")], segment=bright
    )
    assert json.loads(out.read_text()) == record
    assert {stage: set(found) for stage, found in record["runs"].items()} == {
        "one": {"two", "three"},
        "two": {"one", "three"},
    }
    assert record["mean"]["J"] > 0.9
    assert len(list((tmp_path / "sheets").iterdir())) == 4
    with pytest.raises(SystemExit, match="did you mean 'two'"):
        benchmark("swapped_actors").main(["--stages", "tw0"], segment=bright)
