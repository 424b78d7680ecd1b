"""`cvseg supervoxels`: a video to label maps of some levels, whatever ends the run."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image

from cvseg.cli import supervoxels as words_of_command
from cvseg.cli.__main__ import cli
from cvseg.cli.superpixels import KINDS
from cvseg.cli.supervoxels import FLOWS, MOST_LEVELS, parse_levels
from cvseg.errors import OptionError
from cvseg.formats.label_map import read_label_map
from cvseg.supervoxels import SupervoxelOptions, segment
from cvseg.supervoxels import graph_hierarchy_2010 as method
from cvseg.video.still_image import read_image

FRAMES = 7


def run(*words):
    return CliRunner().invoke(cli, ["supervoxels", *[str(word) for word in words]], prog_name="cvseg")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    noise = np.random.default_rng(2).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    big = np.asarray(Image.fromarray(noise).resize((144, 96), Image.Resampling.NEAREST))
    for t in range(FRAMES):
        Image.fromarray(np.ascontiguousarray(big[:64, 2 * t : 2 * t + 96])).save(folder / f"{t:03}.png")
    return sorted(folder.iterdir())


def labels_in(folder, ending="png"):
    return np.stack([read_label_map(path) for path in sorted((folder / "labels").glob(f"*.{ending}"))])


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_those_of_the_library(pictures, tmp_path, kind):
    out = tmp_path / "out"
    done = run(pictures[0].parent, "-o", out, "--levels", "12,0", "--window", 3, "--write", kind, "--show", "numbers")
    assert done.exit_code == 0, done.output
    whole = segment([read_image(path) for path in pictures], options=SupervoxelOptions(window=3))
    assert sorted(path.name for path in out.iterdir()) == ["level-00", "level-12", "summary.json"]
    for level in (0, 12):
        assert_array_equal(labels_in(out / f"level-{level:02}", kind), whole.level(level))
        with av.open(str(out / f"level-{level:02}" / "numbers.mp4")) as video:
            assert sum(1 for _ in video.decode(video=0)) == FRAMES
    summary = json.loads((out / "summary.json").read_text())
    assert summary["status"] == "complete"
    assert summary["files"] == FRAMES
    assert summary["levels"]["12"]["supervoxels"] == whole.counts[12]
    assert len(summary["levels"]["0"]["in_each_frame"]) == FRAMES


def test_counts_choose_levels_by_the_first_frames(pictures, tmp_path):
    out = tmp_path / "out"
    done = run(pictures[0].parent, "-o", out, "--count", 5, "--count", 30, "--no-show", "--superpixels", 60)
    assert done.exit_code == 0, done.output
    whole = segment([read_image(path) for path in pictures], count=60)
    names = {f"level-{whole.level_with(count):02}" for count in (5, 30)}
    assert {path.name for path in out.iterdir()} == {*names, "summary.json"}
    assert len(names) == 2
    assert [path.name for path in (out / sorted(names)[0]).iterdir()] == ["labels"]


def test_a_single_picture_is_taken(pictures, tmp_path):
    done = run(pictures[0], "-o", tmp_path / "out", "--levels", 3, "--show", "means", "--show", "boundaries")
    assert done.exit_code == 0, done.output
    assert "1 frame:" in done.output
    for view in ("means", "boundaries"):
        (picture,) = (tmp_path / "out" / "level-03" / view).iterdir()
        assert read_image(picture).shape == (64, 96, 3)


def test_a_cut_is_told(pictures, tmp_path):
    for path in pictures[4:]:
        Image.fromarray(255 - read_image(path)).save(path)
    done = run(pictures[0].parent, "-o", tmp_path / "out", "--levels", 10, "--no-show", "--flow", "none")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["cuts"] == [4]
    labels = labels_in(tmp_path / "out" / "level-10")
    assert not np.intersect1d(labels[:4], labels[4:]).size


def test_frames_that_are_ready_are_kept_when_it_is_stopped(pictures, tmp_path, monkeypatch):
    from cvseg.supervoxels import SupervoxelStream

    update = SupervoxelStream.update

    def stopped(self, frame, flow=None):
        if self.frames == 6:
            raise KeyboardInterrupt
        return update(self, frame, flow)

    monkeypatch.setattr(SupervoxelStream, "update", stopped)
    out = tmp_path / "out"
    done = run(pictures[0].parent, "-o", out, "--levels", 10, "--window", 1)
    assert done.exit_code == 130
    assert "2 frames are kept" in done.output
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["files"]) == ("interrupted", 2)
    assert len(labels_in(out / "level-10")) == 2
    with av.open(str(out / "level-10" / "boundaries.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 2


def test_a_damaged_frame_ends_with_what_was_ready(pictures, tmp_path):
    Image.fromarray(np.zeros((10, 12, 3), np.uint8)).save(pictures[6])  # another size
    out = tmp_path / "out"
    done = run(pictures[0].parent, "-o", out, "--levels", 10, "--window", 1, "--no-show")
    assert done.exit_code == 2
    assert "are kept" in done.output
    assert json.loads((out / "summary.json").read_text())["status"] == "failed"


def test_bad_words_are_answered_in_a_sentence(pictures, tmp_path):
    assert "such as 8,14,20" in run(pictures[0], "-o", tmp_path / "a", "--levels", "8;9").output
    assert "to 30" in run(pictures[0], "-o", tmp_path / "a", "--levels", "31").output
    assert "6144 pixels" in run(pictures[0], "-o", tmp_path / "b", "--superpixels", 7000).output
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    done = run(pictures[0], "-o", tmp_path / "full")
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    done = run(tmp_path / "nothing.mp4", "-o", tmp_path / "c")
    assert done.exit_code == 2
    assert "nothing.mp4" in done.output
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty", "-o", tmp_path / "d")
    assert done.exit_code == 2
    assert "empty" in done.output


def test_levels_are_read_in_any_order():
    assert parse_levels(" 4, 2,4") == [2, 4]
    for words in ("", "4,", "-1", "x"):
        with pytest.raises(OptionError, match="--levels"):
            parse_levels(words)


def test_choices_of_the_command_line_are_those_of_the_method():
    assert method.FLOWS == FLOWS
    assert SupervoxelOptions().levels == MOST_LEVELS
    assert SupervoxelOptions().flow == "fast"
    window = next(one for one in words_of_command.command.params if one.name == "window")
    assert window.default == SupervoxelOptions().window
