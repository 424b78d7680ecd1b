"""Superpixels of what nobody would call a picture: valid labels or a sentence, never a crash."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy import ndimage

from cvseg.cli.__main__ import cli
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.formats.label_map import read_label_map
from cvseg.superpixels import SUPERPIXEL_METHODS, GraphOptions, SuperpixelStream, segment

every_method = pytest.mark.parametrize("method", SUPERPIXEL_METHODS)


def assert_valid(labels, structure=None):
    count = int(labels.max()) + 1
    assert np.array_equal(np.unique(labels), np.arange(count))
    for label, box in enumerate(ndimage.find_objects(labels + 1)):
        assert ndimage.label(labels[box] == label, structure)[1] == 1
    return count


def noise(size_hw, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), dtype=np.uint8)


def run(*words):
    return CliRunner().invoke(cli, ["superpixels", *[str(word) for word in words]], prog_name="cvseg")


@every_method
def test_as_many_superpixels_as_pixels(method):
    count = assert_valid(segment(noise((9, 14)), method=method, count=126))
    assert 60 <= count <= 126


@every_method
def test_one_superpixel_is_the_whole_picture(method):
    assert segment(noise((21, 34)), method=method, count=1).max() == 0


@every_method
@pytest.mark.parametrize("count", [10**12, 2**31, np.int64(2**40)])
def test_a_count_beyond_all_pictures_is_answered_in_a_sentence(method, count):
    with pytest.raises(RangeError, match="ask for at most"):
        segment(noise((5, 6)), method=method, count=count)


@every_method
@pytest.mark.parametrize("size_hw", [(1, 2000), (2000, 1), (2, 700)])
def test_lines_are_divided_into_pieces(method, size_hw):
    count = assert_valid(segment(noise(size_hw), method=method, count=50))
    assert 25 <= count <= 75


@every_method
@pytest.mark.parametrize(
    "make",
    [
        lambda: (np.indices((32, 40)).sum(0) % 2 * 255).astype(np.uint8),  # chess board of single pixels
        lambda: np.repeat((np.arange(40) % 2 * 255).astype(np.uint8)[None], 32, axis=0),  # stripes
        lambda: np.full((32, 40), 255, np.uint8),
        lambda: np.pad(np.full((1, 1), 255, np.uint8), ((15, 16), (19, 20))),  # one bright pixel
        lambda: np.tile(np.linspace(0, 255, 40).astype(np.uint8), (32, 1)),  # a ramp
    ],
)
def test_patterns_have_valid_superpixels(method, make):
    assert 1 <= assert_valid(segment(make(), method=method, count=30)) <= 60


@every_method
def test_values_that_are_no_colours_are_refused(method):
    picture = np.full((8, 9, 3), 0.5, np.float32)
    for value, words in ((np.nan, "NaN"), (np.inf, "inf"), (-0.1, "-0.1"), (1.5, "1.5")):
        picture[3, 4, 1] = value
        with pytest.raises(RangeError, match=words):
            segment(picture, method=method, count=4)
    with pytest.raises(DtypeError, match="bool"):
        segment(np.zeros((8, 9), bool), method=method, count=4)
    with pytest.raises(DtypeError, match="uint16"):
        segment(np.zeros((8, 9), np.uint16), method=method, count=4)


def test_the_exact_graph_takes_them_too():
    eight = np.ones((3, 3))
    options = GraphOptions(exact=True)
    for image in (noise((1, 60)), noise((60, 1)), noise((12, 15)), np.zeros((12, 15, 3), np.uint8), noise((1, 1))):
        for count in {1, min(20, image[..., 0].size), image[..., 0].size}:
            assert_valid(segment(image, method="graph", count=count, options=options), eight)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("exact", [False, True])
def test_extreme_scales_leave_single_colours_or_one_region(scale, exact):
    options = GraphOptions(scale=scale, smallest_px=1, exact=exact, sigma=0.0)
    count = segment(noise((14, 15)), method="graph", count=1, options=options).max() + 1
    assert count == 1 if scale > 1 else count > 150


def test_a_stream_survives_cuts_and_says_when_the_size_changes():
    stream = SuperpixelStream(count=30)
    given = set()
    for t in range(6):
        labels = stream.update(noise((40, 52), seed=t // 2) if t != 3 else np.full((40, 52, 3), 9, np.uint8))
        numbers = set(np.unique(labels).tolist())
        assert 10 <= len(numbers) <= 60
        assert max(numbers) < 1000
        for number in numbers:
            assert ndimage.label(labels == number)[1] == 1
        given |= numbers
    with pytest.raises(ShapeError, match="reset"):
        stream.update(noise((40, 50)))
    stream.reset()
    fresh = set(np.unique(stream.update(noise((40, 50)))).tolist())
    assert not fresh & given


@pytest.mark.parametrize("method", ["block_moves", "graph"])
def test_the_command_takes_lines_single_colours_grey_and_alpha(tmp_path, method):
    pictures = {
        "line": noise((1, 64)),
        "flat": np.full((24, 30, 3), 80, np.uint8),
        "grey": noise((24, 30))[:, :, 0],
        "alpha": np.dstack([noise((24, 30)), np.full((24, 30), 128, np.uint8)]),
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        done = run(tmp_path / f"{name}.png", "-o", tmp_path / f"{name}_out", "--method", method, "--count", 6, "-q")
        assert done.exit_code == 0, done.output
        labels = read_label_map(tmp_path / f"{name}_out" / "labels" / f"{name}.png")
        assert labels.shape == picture.shape[:2]
        assert 1 <= assert_valid(labels.astype(np.int32)) <= 12


def test_the_command_answers_frames_of_another_size_in_a_sentence(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, size_hw in enumerate([(30, 40), (30, 40), (30, 44)]):
        Image.fromarray(noise(size_hw, t)).save(folder / f"{t:03}.png")
    done = run(folder, "-o", tmp_path / "out", "--count", 12, "--no-show", "--no-flow")
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert "44" in done.output and "40" in done.output


@pytest.mark.parametrize(
    "words", [("--count", "0"), ("--count", "many"), ("--compactness", "-1"), ("--preset", "best")]
)
def test_the_command_refuses_words_that_cannot_be(tmp_path, words):
    Image.fromarray(noise((20, 20))).save(tmp_path / "a.png")
    done = run(tmp_path / "a.png", "-o", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert words[0] in done.output
    assert not (tmp_path / "out").exists()


def test_the_command_says_that_a_graph_has_no_compactness(tmp_path):
    Image.fromarray(noise((20, 20))).save(tmp_path / "a.png")
    done = run(tmp_path / "a.png", "-o", tmp_path / "out", "--method", "graph", "--count", 4, "--compactness", 3)
    assert done.exit_code != 0 and "no compactness" in done.output
