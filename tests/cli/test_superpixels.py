"""`cvseg superpixels`: a picture or a video to label maps and pictures of them, errors as sentences."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.cli.superpixels import KINDS, VIEWS
from cvseg.errors import FormatError, OptionError, RangeError
from cvseg.formats.label_map import read_label_map, write_label_map
from cvseg.report import superpixel_folder
from cvseg.superpixels import segment
from cvseg.video.still_image import read_image


def run(*words):
    return CliRunner().invoke(cli, ["superpixels", *[str(word) for word in words]], prog_name="cvseg")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    noise = np.random.default_rng(2).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    big = np.asarray(Image.fromarray(noise).resize((128, 96), Image.Resampling.NEAREST))
    for t in range(3):
        Image.fromarray(np.ascontiguousarray(big[:64, 2 * t : 2 * t + 96])).save(folder / f"{t:03}.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_gives_the_labels_of_segment_and_its_views(pictures, tmp_path, kind):
    views = [word for view in VIEWS for word in ("--show", view)]
    done = run(pictures[0], "-o", tmp_path / "out", "--count", 40, "--write", kind, *views)
    assert done.exit_code == 0, done.output
    expected = segment(read_image(pictures[0]), count=40)
    assert_array_equal(read_label_map(tmp_path / "out" / "labels" / f"000.{kind}"), expected)
    for view in VIEWS:
        assert read_image(tmp_path / "out" / view / "000.png").shape == (64, 96, 3)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["superpixels"] == [expected.max() + 1]


def test_the_numbers_of_a_video_go_on_and_those_of_independent_frames_start_at_zero(pictures, tmp_path):
    kept = {}
    for name, words in {"carried": (), "independent": ("--independent",)}.items():
        done = run(pictures[0].parent, "-o", tmp_path / name, "--count", 24, *words)
        assert done.exit_code == 0, done.output
        labels = [read_label_map(path) for path in sorted((tmp_path / name / "labels").iterdir())]
        assert len(labels) == 3
        kept[name] = (labels[0][:, 4:] == labels[2][:, :-4]).mean()
        with av.open(str(tmp_path / name / "boundaries.mp4")) as video:
            assert sum(1 for _ in video.decode(video=0)) == 3
    assert kept["carried"] > 0.75
    assert kept["carried"] > kept["independent"]


def test_other_methods_divide_every_frame_by_itself(pictures, tmp_path):
    done = run(pictures[0].parent, "-o", tmp_path / "out", "--method", "slic", "--count", 24, "--no-show")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labels", "summary.json"]
    assert read_label_map(tmp_path / "out" / "labels" / "002.png").min() == 0


def test_bad_words_are_answered_in_a_sentence(pictures, tmp_path):
    assert "did you mean 'slic'" in run(pictures[0], "-o", tmp_path / "a", "--method", "slik").output
    assert "6144 pixels" in run(pictures[0], "-o", tmp_path / "b", "--count", 7000).output
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    done = run(pictures[0], "-o", tmp_path / "full", "--count", 20)
    assert done.exit_code == 2 and "--overwrite" in done.output
    done = run(tmp_path / "nothing.mp4", "-o", tmp_path / "c")
    assert done.exit_code == 2 and "nothing.mp4" in done.output


def test_choices_of_the_command_line_are_those_of_the_folder():
    assert tuple(superpixel_folder.KINDS) == KINDS
    assert tuple(superpixel_folder.VIEWS) == VIEWS


@pytest.mark.parametrize("ending", [".png", ".npz"])
@pytest.mark.parametrize("most", [0, 255, 65535, 65536, 2**24 - 1])
def test_label_maps_come_back_as_they_were(tmp_path, ending, most):
    labels = np.random.default_rng(0).integers(0, most + 1, (7, 9), dtype=np.int32)
    labels[3, 4] = most
    write_label_map(tmp_path / f"map{ending}", labels)
    assert_array_equal(read_label_map(tmp_path / f"map{ending}"), labels)


def test_label_maps_that_cannot_be_written_or_read_are_refused(tmp_path):
    with pytest.raises(RangeError, match="16777215"):
        write_label_map(tmp_path / "a.png", np.full((2, 2), 2**24))
    with pytest.raises(RangeError, match="-1"):
        write_label_map(tmp_path / "a.npz", np.full((2, 2), -1))
    with pytest.raises(OptionError, match=r"\.tif"):
        write_label_map(tmp_path / "a.tif", np.zeros((2, 2), np.int32))
    (tmp_path / "bad.npz").write_bytes(b"no")
    np.savez(tmp_path / "line.npz", labels=np.zeros(3, np.int32))
    for name in ("bad.npz", "line.npz", "absent.png"):
        with pytest.raises(FormatError, match=name):
            read_label_map(tmp_path / name)
