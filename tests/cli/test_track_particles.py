"""`cvseg track --method particle`: a folder of results, and errors as sentences."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.formats.mot_challenge import read_tracks


def run(*words):
    return CliRunner().invoke(cli, ["track", *[str(word) for word in words]], prog_name="cvseg")


@pytest.fixture
def video(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for t in range(6):
        image = rng.integers(60, 90, (60, 91, 3), dtype=np.uint8)
        image[20:40, 20 + 3 * t : 36 + 3 * t] = 210, 40, 40
        Image.fromarray(image).save(folder / f"{t:05d}.png")
    return folder


def test_a_box_is_followed_into_a_folder(video, tmp_path):
    done = run(video, "--method", "particle", "--box", "20,20,16,20", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    tracks = read_tracks(tmp_path / "out" / "tracks.txt")
    assert tracks.frames.tolist() == list(range(6))
    assert tracks.boxes_xyxy[-1, 0] == pytest.approx(35, abs=3)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["status"], summary["frames"], summary["tracks"][0]["id"]) == ("complete", 6, 1)
    assert (tmp_path / "out" / "overlay.mp4").stat().st_size > 500
    again = run(video, "--method", "particle", "--box", "20,20,16,20", "-o", tmp_path / "out")
    assert again.exit_code == 2
    assert "--overwrite" in again.output


def test_every_value_of_a_mask_is_a_target_and_a_seed_repeats_the_run(video, tmp_path):
    mask = np.zeros((60, 91), np.uint8)
    mask[20:40, 20:36], mask[2:9, 60:70] = 1, 7
    Image.fromarray(mask).save(tmp_path / "mask.png")
    texts = []
    for name in ("one", "two"):
        done = run(
            video, "--method", "particle", "--mask", tmp_path / "mask.png", "--seed", 3, "--no-overlay",
            "-o", tmp_path / name, "-q",
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        texts.append((tmp_path / name / "tracks.txt").read_text())
    assert texts[0] == texts[1]
    assert {line.split(",")[1] for line in texts[0].splitlines()} == {"1", "2"}
    assert not (tmp_path / "one" / "overlay.mp4").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--method", "particle"], "needs a start"),
        (["--method", "particle", "--box", "20,20,16"], "expected four numbers"),
        (["--method", "particle", "--box", "20,20,0,5"], "at least 2"),
        (["--method", "particle", "--box", "200,20,16,20"], "outside the picture of 91 x 60"),
        (["--method", "particle", "--box", "20,20,16,20", "--online"], "does not go with"),
        (["--box", "20,20,16,20"], "does not go with --method kalman"),
    ],
)
def test_a_start_that_cannot_be_used_is_explained_and_nothing_is_written(video, tmp_path, words, sentence):
    done = run(video, *words, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert sentence in done.output
    assert not (tmp_path / "out").exists()
