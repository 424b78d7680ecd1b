"""`cvseg grow`: seeds from a file and from the command line, merging, pictures, and what is refused."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.formats.label_map import read_label_map, write_label_map


@pytest.fixture
def picture(tmp_path):
    image = np.zeros((24, 36, 3), np.uint8)
    image[:, 14:] = (200, 120, 40)
    path = tmp_path / "picture.png"
    Image.fromarray(image).save(path)
    return path


def run(*arguments):
    result = CliRunner().invoke(cli, ["grow", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_points_grow_and_the_outlines_are_drawn(picture, tmp_path):
    out, show = tmp_path / "labels.png", tmp_path / "shown.png"
    result = run(picture, "--seeds", "2,3,1 30,20,7", "-o", out, "--show", show, "--radius", 1)
    assert result.exit_code == 0, result.output
    assert "2 regions" in result.output
    labels = read_label_map(out)
    assert np.unique(labels).tolist() == [1, 7]
    assert (labels[:, :13] == 1).all()
    assert (labels[:, 16:] == 7).all()
    assert (np.asarray(Image.open(show)) == (255, 221, 0)).all(axis=2).any()


@pytest.mark.parametrize("method", ["spanning_forest", "random_walker"])
def test_a_map_of_seeds_is_read(picture, tmp_path, method):
    seeds = np.zeros((24, 36), np.int32)
    seeds[4, 4], seeds[5, 30] = 3, 4
    write_label_map(tmp_path / "seeds.npz", seeds)
    out = tmp_path / "labels.npz"
    result = run(picture, "--seeds", tmp_path / "seeds.npz", "-o", out, "--method", method, "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert np.unique(read_label_map(out)).tolist() == [3, 4]


@pytest.mark.parametrize("wish", [("--count", 2), ("--threshold", 60)])
def test_without_seeds_regions_merge(picture, tmp_path, wish):
    out = tmp_path / "labels.png"
    assert run(picture, *wish, "-o", out, "--device", "cpu").exit_code == 0
    assert np.unique(read_label_map(out)).tolist() == [1, 2]


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "Give one of"),
        (("--count", 2, "--threshold", 3), "Give one of"),
        (("--seeds", "1,1", "--count", 2), "Give one of"),
        (("--count", 2, "--method", "watershed"), "needs --seeds"),
        (("--seeds", "1,1", "--method", "watershad"), "did you mean 'watershed'"),
        (("--seeds", "1,1 2"), "expected a file, or points"),
        (("--seeds", "99,1"), "outside"),
        (("--seeds", "missing.png"), "missing.png"),
        (("--count", 2, "--show", "x.txt"), "--show"),
    ],
)
def test_wishes_that_cannot_be_are_refused_in_one_sentence(picture, tmp_path, arguments, words):
    result = run(picture, "-o", tmp_path / "labels.png", *arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "labels.png").exists()


def test_files_are_not_written_over_unasked(picture, tmp_path):
    out = tmp_path / "labels.png"
    out.write_bytes(b"mine")
    assert run(picture, "--count", 2, "-o", out).exit_code == 2
    assert out.read_bytes() == b"mine"
    assert run(picture, "--count", 2, "-o", out, "--overwrite").exit_code == 0
    assert run(picture, "--count", 2, "-o", tmp_path / "labels.jpg").exit_code == 2
