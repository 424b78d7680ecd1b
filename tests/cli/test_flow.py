"""`cvseg flow`: two pictures to a file, a video to a folder, errors as sentences."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.cli.flow import KINDS
from cvseg.flow import FLOW_METHODS
from cvseg.formats.flow_file import read_flow
from cvseg.report import flow_folder

SHIFT_XY = (3, 1)


def run(*words):
    return CliRunner().invoke(cli, ["flow", *[str(word) for word in words]], prog_name="cvseg")


def texture(frames, size_hw=(60, 92)):
    """Pictures of one texture that moves by `SHIFT_XY` each."""
    rng = np.random.default_rng(5)
    height, width = size_hw
    noise = Image.fromarray(rng.integers(0, 256, (20, 26, 3), np.uint8)).resize((width + 40, height + 40), 3)
    big = np.asarray(noise)
    return [
        big[20 - SHIFT_XY[1] * t : 20 - SHIFT_XY[1] * t + height, 20 - SHIFT_XY[0] * t : 20 - SHIFT_XY[0] * t + width]
        for t in range(frames)
    ]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, picture in enumerate(texture(4)):
        Image.fromarray(picture).save(folder / f"{t:03}.png")
    return sorted(folder.iterdir())


def middle(flow_xy):
    return np.median(flow_xy[15:-15, 15:-15].reshape(-1, 2), axis=0)


@pytest.mark.parametrize("ending", [".flo", ".png", ".npy"])
def test_two_pictures_give_a_file_of_the_kind_its_ending_names(pictures, tmp_path, ending):
    done = run(pictures[0], pictures[1], "-o", tmp_path / f"out{ending}", "--preset", "fast")
    assert done.exit_code == 0, done.output
    flow_xy = read_flow(tmp_path / f"out{ending}")
    assert flow_xy.shape == (60, 92, 2)
    assert np.abs(middle(flow_xy) - SHIFT_XY).max() < 0.2


def test_picture_and_confidence_are_written_beside_the_file(pictures, tmp_path):
    done = run(pictures[0], pictures[1], "-o", tmp_path / "a.flo", "--picture", "--confidence")
    assert done.exit_code == 0, done.output
    assert np.asarray(Image.open(tmp_path / "a-picture.png")).shape == (60, 92, 3)
    confidence = np.asarray(Image.open(tmp_path / "a-confidence.png"))
    assert confidence.shape == (60, 92)
    assert np.median(confidence[15:-15, 15:-15]) > 128


def test_a_video_gives_a_flow_for_every_frame_but_the_last(pictures, tmp_path):
    done = run(pictures[0].parent, "-o", tmp_path / "out", "--preset", "fast", "--confidence")
    assert done.exit_code == 0, done.output
    names = ["000", "001", "002"]
    assert sorted(path.stem for path in (tmp_path / "out" / "flow").iterdir()) == names
    assert sorted(path.stem for path in (tmp_path / "out" / "confidence").iterdir()) == names
    for name in names:
        assert np.abs(middle(read_flow(tmp_path / "out" / "flow" / f"{name}.flo")) - SHIFT_XY).max() < 0.3
    with av.open(str(tmp_path / "out" / "flow.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 3
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["status"], summary["files"]) == ("complete", 3)
    assert summary["mean_length_px"][1] == pytest.approx(np.hypot(*SHIFT_XY), abs=0.5)


def test_a_video_and_its_pairs_give_the_same_flow(pictures, tmp_path):
    run(pictures[0].parent, "-o", tmp_path / "out", "--no-video", "--write", "npy")
    run(pictures[1], pictures[2], "-o", tmp_path / "pair.npy")
    assert_array_equal(read_flow(tmp_path / "out/flow/001.npy"), read_flow(tmp_path / "pair.npy"))
    assert not (tmp_path / "out" / "flow.mp4").exists()


def test_the_folder_of_earlier_results_is_refused_and_replaced_on_request(pictures, tmp_path):
    words = (pictures[0].parent, "-o", tmp_path / "out", "--preset", "fast", "--no-video")
    assert run(*words).exit_code == 0
    done = run(*words)
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    assert run(*words, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("{0} {1} -o {out}/a.txt", ".txt"),
        ("{0} {1} {2} -o {out}/a.flo", "3 inputs"),
        ("{0} {1} -o {out}/a.flo --method dsi", "did you mean 'dis'"),
        ("{0} {small} -o {out}/a.flo", "expected one size"),
        ("{0} {out}/absent.png -o {out}/a.flo", "absent.png"),
        ("{0} -o {out}/folder", "one frame"),
        ("{0} {1} -o {0}", "is the input itself"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_nothing_is_written(pictures, tmp_path, words, sentence):
    small, out = tmp_path / "small.png", tmp_path / "out"
    out.mkdir()
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(small)
    before = pictures[0].read_bytes()
    done = run(*words.format(*pictures, small=small, out=out).split())
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert "Traceback" not in done.output
    assert not list(out.glob("a*"))
    assert pictures[0].read_bytes() == before


def test_the_kinds_and_methods_named_in_the_help_are_those_of_the_library():
    assert tuple(flow_folder.KINDS) == KINDS
    text = run("--help").output
    assert all(name in text for name in FLOW_METHODS)
