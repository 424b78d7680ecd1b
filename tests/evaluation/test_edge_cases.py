"""What every protocol that reads masks must do alike with odd folders: name the file, never count in silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cvseg.cli.__main__ import cli

SEQUENCE = "a b é"
# The value of an object's pixels in the truth, one above 255 where the protocol knows such ids, and flags.
PROTOCOLS = {
    "davis": (1, 40000, ["--task", "semi_supervised"]),
    "semantic": (1, 300, ["--classes", "400"]),
    "panoptic": (1001, 1300, []),
    "change": (255, None, []),
    "tracking": (2001, 2999, []),
    "regions": (1, 60000, []),
}


def write(path, value, size_hw=(24, 30)):
    labels = np.zeros(size_hw, np.uint8 if value < 256 else np.uint16)
    labels[4:16, 5:20] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)


@pytest.fixture(params=PROTOCOLS)
def task(request, tmp_path):
    value, large, flags = PROTOCOLS[request.param]
    for side in ("results", "truth"):
        for i in range(1, 5):
            write(tmp_path / side / SEQUENCE / f"{i:05d}.png", value)

    def run(*more):
        words = ["--results", tmp_path / "results", "--truth", tmp_path / "truth", *flags, *more]
        done = CliRunner().invoke(cli, ["evaluate", request.param, *map(str, words)], prog_name="cvseg")
        assert done.exit_code in (0, 2), done.output
        assert "Traceback" not in done.output
        return done

    run.name, run.value, run.large = request.param, value, large
    run.result = tmp_path / "results" / SEQUENCE / "00002.png"
    run.truth = tmp_path / "truth" / SEQUENCE / "00002.png"
    return run


def test_a_missing_result_is_named_and_counts_as_empty_only_on_demand_or_for_tracks(task, tmp_path):
    task.result.unlink()
    done = task()
    if task.name != "tracking":  # a frame without a file is a frame without objects in MOTS
        assert done.exit_code == 2 and "00002" in done.output and "--missing-as-empty" in done.output
        done = task("--missing-as-empty")
    assert done.exit_code == 0
    assert "note: " in done.output and "empty" in done.output


def test_an_extra_result_is_named(task):
    task.truth.unlink()
    done = task()
    assert done.exit_code == 0
    assert "note: " in done.output and "have no truth and were not counted" in done.output


@pytest.mark.parametrize("side", ["result", "truth"])
def test_another_size_is_refused_with_both_files(task, side):
    write(getattr(task, side), task.value, (24, 31))
    done = task()
    assert done.exit_code == 2
    assert "31x24" in done.output and "30x24" in done.output and SEQUENCE in done.output


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "rgba"])
@pytest.mark.parametrize("side", ["result", "truth"])
def test_a_damaged_picture_is_named(task, side, damage):
    path = getattr(task, side)
    if damage == "rgba":
        Image.fromarray(np.zeros((24, 30, 4), np.uint8)).save(path)
    else:
        path.write_bytes({"cut": path.read_bytes()[:50], "empty": b"", "text": b"hello"}[damage])
    done = task()
    assert done.exit_code == 2
    assert f"{SEQUENCE}/00002.png" in done.output


@pytest.mark.parametrize("side", ["results", "truth"])
def test_an_empty_folder_is_an_error(task, tmp_path, side):
    for path in (tmp_path / side / SEQUENCE).iterdir():
        path.unlink()
    assert task().exit_code == 2
    (tmp_path / side / SEQUENCE).rmdir()
    done = task()
    assert done.exit_code == 2
    assert done.output.count("\n") == 1


def test_ids_above_255_are_ids_like_others(task, tmp_path):
    if task.large is None:
        pytest.skip("labels of change detection are 0, 50, 85, 170 and 255")
    perfect = task("-q", "--json", tmp_path / "a.json")
    for side in ("results", "truth"):
        for i in range(1, 5):
            write(tmp_path / side / SEQUENCE / f"{i:05d}.png", task.large)
    large = task("-q", "--json", tmp_path / "b.json")
    assert (perfect.exit_code, large.exit_code) == (0, 0), large.output
    first, second = (json.loads((tmp_path / f"{name}.json").read_text())["overall"] for name in "ab")
    assert first == second


@pytest.mark.parametrize("empty", ["results", "truth", "both"])
def test_masks_without_an_object_give_figures_or_one_sentence(task, tmp_path, empty):
    for side in ("results", "truth") if empty == "both" else (empty,):
        for path in (tmp_path / side / SEQUENCE).iterdir():
            size = np.array(Image.open(path))
            Image.fromarray(np.zeros_like(size)).save(path)
    done = task("--json", tmp_path / "e.json")
    if done.exit_code == 2:
        assert task.name == "davis" and empty != "results"  # DAVIS asks for the objects of the first frame
        assert "holds no object" in done.output
        return
    # Nothing infinite, nothing undefined that JSON cannot hold.
    overall = json.loads((tmp_path / "e.json").read_text())["overall"]
    assert overall and all(value is None or abs(value) < 1e6 for value in overall.values())


def test_a_folder_that_contains_itself_ends(task, tmp_path):
    (tmp_path / "results" / "loop").symlink_to(tmp_path / "results")
    assert task().exit_code == 0


def test_images_that_do_not_exist_are_refused(task, tmp_path):
    done = task("--images", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "nowhere" in done.output and "--images" in done.output


def test_every_test_that_the_page_of_edge_cases_names_exists():
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "evaluation" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page))
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (root / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
