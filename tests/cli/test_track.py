"""`cvseg track`: detections in, tracks out; nothing is written after an error."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cvseg.cli import track
from cvseg.cli.__main__ import cli
from cvseg.formats import read_tracks
from cvseg.tracking.box_tracker_options import MOTION_MODELS


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="cvseg")


def two_walkers(path, frames=30, gap=(10, 15)):
    lines = []
    for t in range(frames):
        if not gap[0] <= t < gap[1]:
            lines.append(f"{t + 1},-1,{20 + 3 * t},50,20,60,0.9")
        lines.append(f"{t + 1},-1,{200 - 2 * t},20,18,50,0.8")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def test_two_walkers_get_two_numbers_and_the_gap_is_filled(tmp_path):
    out = tmp_path / "deep" / "tracks.txt"
    done = run("track", two_walkers(tmp_path / "det.txt"), "-o", out)
    assert done.exit_code == 0, done.output
    table = read_tracks(out)
    assert sorted(set(table.ids.tolist())) == [1, 2]
    assert len(table) == 60
    assert np.abs(table.boxes_xyxy[(table.ids == 1) & (table.frames == 12), 0] - (19 + 36)).max() < 1


def test_online_nothing_is_filled(tmp_path):
    out = tmp_path / "tracks.txt"
    assert run("track", two_walkers(tmp_path / "det.txt"), "-o", out, "--online", "-q").output == ""
    table = read_tracks(out)
    assert table.frames[table.ids == 1].tolist() == [*range(12), *range(15, 30)]  # two frames at the prediction


@pytest.mark.parametrize("model", MOTION_MODELS)
def test_every_motion_model_can_be_chosen(tmp_path, model):
    out = tmp_path / "tracks.txt"
    assert run("track", two_walkers(tmp_path / "det.txt"), "-o", out, "--model", model).exit_code == 0
    assert len(set(read_tracks(out).ids.tolist())) == 2


def test_pictures_of_the_boxes_may_help_and_must_be_as_many(tmp_path):
    detections = two_walkers(tmp_path / "det.txt", frames=8, gap=(0, 0))
    folder = tmp_path / "frames"
    folder.mkdir()
    for t in range(8):
        Image.fromarray(np.full((120, 240, 3), 10 * t, np.uint8)).save(folder / f"{t:03}.png")
    out = tmp_path / "tracks.txt"
    assert run("track", detections, "-o", out, "--video", folder).exit_code == 0
    assert len(read_tracks(out)) == 16
    out.unlink()
    (folder / "007.png").unlink()
    done = run("track", detections, "-o", out, "--video", folder)
    assert done.exit_code == 2
    assert "ends before frame 8" in done.output
    assert not out.exists()


def test_whoever_has_no_box_is_recovered_by_its_colors(tmp_path):
    detections, folder = two_walkers(tmp_path / "det.txt"), tmp_path / "frames"
    folder.mkdir()
    for t in range(30):
        image = np.full((140, 240, 3), 90, np.uint8)
        image[49:109, 19 + 3 * t : 39 + 3 * t] = 200, 30, 30
        Image.fromarray(image).save(folder / f"{t:03}.png")
    out = tmp_path / "tracks.txt"
    words = ("track", detections, "-o", out, "--video", folder, "--online", "--recover", "particle")
    assert run(*words).exit_code == 0
    table = read_tracks(out)
    first = table.ids == 1
    assert table.frames[first].tolist() == list(range(30))
    assert np.abs(table.boxes_xyxy[first & (table.frames == 14), 0] - (19 + 3 * 14)).max() < 4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--online"], "needs --video and --online"),
        (["--video", "frames"], "needs --video and --online"),
        (["--method", "particle"], "does not go with --method particle"),
    ],
)
def test_recovery_where_it_cannot_be_is_an_error(tmp_path, more, words):
    out = tmp_path / "tracks.txt"
    done = run("track", two_walkers(tmp_path / "det.txt"), "-o", out, "--recover", "particle", *more)
    assert done.exit_code == 2
    assert words in done.output
    assert not out.exists()


def test_masks_are_not_recovered(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    Image.fromarray(np.eye(20, dtype=np.uint8)).save(folder / "000.png")
    done = run("track", folder, "-o", tmp_path / "out", "--video", folder, "--online", "--recover", "particle")
    assert done.exit_code == 2
    assert "is for boxes" in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["line 1", "no boxes"]),
        ("1,-1,1,1,5,5,1\n1,-1,nan,1,5,5,1\n", ["line 2", "nan"]),
        ("1,-1,1,1,5,-5,1\n", ["line 1", "-5"]),
        ("2,-1,1,1,5,5,1\n1,-1,1,1,5,5,1\n", ["line 2", "--sort"]),
        ("1,-1,1,1,5,5,1\n1,-1,1,1,5,5,1\n", ["line 2", "line 1"]),
    ],
)
def test_malformed_detections_end_with_line_reason_code_two_and_no_file(tmp_path, text, words):
    source, out = tmp_path / "det.txt", tmp_path / "out" / "tracks.txt"
    source.write_text(text, encoding="ascii")
    done = run("track", source, "-o", out)
    assert done.exit_code == 2
    assert all(word in done.output for word in words)
    assert "Traceback" not in done.output
    assert not out.exists()
    assert not out.parent.exists()


def test_an_older_result_survives_an_error(tmp_path):
    source, out = tmp_path / "det.txt", tmp_path / "tracks.txt"
    source.write_text("1,-1,1,1,0,5,1\n", encoding="ascii")
    out.write_text("before", encoding="ascii")
    assert run("track", source, "-o", out).exit_code == 2
    assert out.read_text(encoding="ascii") == "before"


def test_the_input_is_never_overwritten(tmp_path):
    source = two_walkers(tmp_path / "det.txt")
    before = source.read_bytes()
    done = run("track", source, "-o", source)
    assert done.exit_code == 2
    assert "input itself" in done.output
    assert source.read_bytes() == before
    assert run("track", source, "-o", tmp_path).exit_code == 2


def test_the_models_of_the_command_are_those_of_the_tracker():
    option = next(p for p in track.command.params if p.name == "model")
    assert tuple(option.type.choices) == MOTION_MODELS
