"""`cvseg track` of masks, into a folder, with targets, zones and lines."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.formats.coco_rle import encode_rle
from cvseg.formats.davis import read_mask, write_mask
from cvseg.formats.mot_challenge import read_tracks
from cvseg.formats.mots import mots_frame, write_mots

FRAMES = 16


def label_maps():
    """Two objects: one goes right at 3 px a frame, one goes up at 1; numbers change from frame to frame."""
    for t in range(FRAMES):
        labels = np.zeros((48, 80), np.int32)
        labels[30:42, 4 + 3 * t : 14 + 3 * t] = 1 + t % 2
        labels[24 - t : 34 - t, 62:72] = 2 - t % 2
        yield labels


def run(*words):
    return CliRunner().invoke(cli, ["track", *map(str, words)])


@pytest.fixture(params=["folder", "mots", "json"])
def masks(request, tmp_path):
    if request.param == "folder":
        (tmp_path / "in").mkdir()
        for t, labels in enumerate(label_maps()):
            write_mask(tmp_path / "in" / f"{t:05d}.png", labels)
        return tmp_path / "in"
    if request.param == "mots":
        write_mots(
            tmp_path / "in.txt",
            [mots_frame(t + 1, labels + 2000 * (labels > 0)) for t, labels in enumerate(label_maps())],
        )
        return tmp_path / "in.txt"
    entries = [
        {
            "frame": t,
            "segmentation": {"size": [48, 80], "counts": encode_rle(labels == n).decode()},
            "score": 0.5,
        }
        for t, labels in enumerate(label_maps())
        for n in (1, 2)
    ]
    (tmp_path / "in.json").write_text(json.dumps(entries))
    return tmp_path / "in.json"


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_masks_of_every_form_get_lasting_numbers(masks, tmp_path):
    done = run(masks, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "out" / "masks").iterdir())
    assert len(files) == FRAMES
    for file, truth in zip(files, label_maps(), strict=True):
        labels = read_mask(file)
        assert ((labels > 0) == (truth > 0)).all()
        assert len(np.unique(labels[30:42, :60][truth[30:42, :60] > 0])) == 1
    first, last = read_mask(files[0]), read_mask(files[-1])
    assert first[35, 6] == last[35, 52] != 0
    assert first[28, 66] == last[12, 66] != first[35, 6]
    assert set(read_tracks(tmp_path / "out" / "tracks.txt").ids.tolist()) == {1, 2}


def test_the_folder_holds_speed_heading_events_and_pictures(masks, tmp_path):
    done = run(
        masks, "-o", tmp_path / "out", "--rate", "10", "--point", "center",
        "--line", "gate=40,48,40,0", "--zone", "right=60,0 80,0 80,48 60,48",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    table = [row for row in rows(tmp_path / "out" / "tracks.csv") if row["frame"] == "9"]
    (across,) = [row for row in table if float(row["y_px"]) > 30]
    (up,) = [row for row in table if float(row["y_px"]) < 30]
    assert float(across["speed_px_per_s"]) == pytest.approx(30, rel=0.05)
    assert float(up["heading_deg"]) == pytest.approx(270, abs=3)
    events = rows(tmp_path / "out" / "events.csv")
    assert [(e["event"], e["place"], e["direction"]) for e in events if e["event"] == "cross"] == [
        ("cross", "gate", "right")
    ]
    assert [e["event"] for e in events if e["place"] == "right"] == ["appear", "vanish"]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["tracks"] == 2 and summary["counts"]["gate"] == {"right": 1}
    for name in ("paths.png", "heatmap.png"):
        assert (tmp_path / "out" / name).stat().st_size > 200


def test_only_the_started_target_is_followed(masks, tmp_path):
    done = run(masks, "-o", tmp_path / "out", "--start", "61,23,12,12")
    assert done.exit_code == 0, done.output
    table = read_tracks(tmp_path / "out" / "tracks.txt")
    assert set(table.ids.tolist()) == {1} and (table.boxes_xyxy[:, 0] >= 60).all() and len(table) == FRAMES
    last = read_mask(sorted((tmp_path / "out" / "masks").iterdir())[-1])
    assert set(np.unique(last).tolist()) == {0, 1} and last[35, 52] == 0


def test_a_homography_turns_pixels_to_metres(masks, tmp_path):
    (tmp_path / "ground.txt").write_text("0.1 0 0\n0 0.1 0\n0 0 1\n")
    done = run(masks, "-o", tmp_path / "out", "--rate", "10", "--homography", tmp_path / "ground.txt")
    assert done.exit_code == 0, done.output
    speeds = [float(row["speed_m_per_s"]) for row in rows(tmp_path / "out" / "tracks.csv") if row["frame"] == "9"]
    assert max(speeds) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--start", "1,1,4,4"], "best overlap"),
        (["--start", "1,1,4"], "X,Y,W,H"),
        (["--zone", "a=1,1 2,2"], "3 or more"),
        (["--zone", "1,1 2,2 3,1"], "NAME=x,y"),
        (["--line", "a=1,1,1,1"], "two different points"),
        (["--line", "a=0,0,9,9", "--zone", "a=0,0 9,0 9,9"], "same name"),
        (["--homography", "none.txt"], "does not exist"),
    ],
)
def test_wrong_options_are_sentences_and_nothing_is_written(tmp_path, words, what):
    (tmp_path / "in").mkdir()
    for t, labels in enumerate(label_maps()):
        write_mask(tmp_path / "in" / f"{t:05d}.png", labels)
    done = run(tmp_path / "in", "-o", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert what in done.output
    assert not (tmp_path / "out").exists()


def test_results_in_a_text_file_have_no_room_for_zones(tmp_path):
    (tmp_path / "det.txt").write_text("1,-1,5,5,10,10,1\n")
    done = run(tmp_path / "det.txt", "-o", tmp_path / "tracks.txt", "--line", "a=0,0,9,9")
    assert done.exit_code == 2 and "needs a folder" in done.output


def test_a_folder_that_holds_something_is_kept(tmp_path):
    (tmp_path / "in").mkdir()
    for t, labels in enumerate(label_maps()):
        write_mask(tmp_path / "in" / f"{t:05d}.png", labels)
    assert run(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    again = run(tmp_path / "in", "-o", tmp_path / "out")
    assert again.exit_code == 2 and "--overwrite" in again.output
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{}", "not a list"),
        ('[{"frame": -1}]', "frame is -1"),
        ('[{"frame": 0, "segmentation": {"counts": "13"}}]', "no size"),
        ('[{"frame": 0, "segmentation": {"size": [2, 3], "counts": "13"}}]', "mask 0"),
        ('[{"frame": 0, "score": NaN, "segmentation": {"size": [2, 2], "counts": "13"}}]', "score|NaN"),
    ],
)
def test_damaged_mask_lists_are_named(tmp_path, text, what):
    import re

    (tmp_path / "in.json").write_text(text)
    done = run(tmp_path / "in.json", "-o", tmp_path / "out")
    assert done.exit_code == 2 and re.search(what, done.output), done.output
