"""Variations of a clip: the truth goes with the pictures, and two runs give the same."""

from __future__ import annotations

import importlib
import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cvseg.records import Frame

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmark(name)``: a script of benchmarks/accuracy as a module."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.fixture
def clip(benchmark):
    """A bright square on a dark, soft pattern; it moves two pixels a frame. The truth is what is bright."""
    y, x = np.mgrid[:96, :160]
    ground = (80 + 20 * np.sin(x / 9) + 20 * np.cos(y / 7)).astype(np.uint8)
    images, truths = [], []
    for index in range(10):
        truth = np.zeros((96, 160), bool)
        truth[30:70, 40 + 2 * index : 80 + 2 * index] = True
        images.append(np.where(truth[..., None], np.uint8(230), ground[..., None]).repeat(3, axis=2))
        truths.append(truth)
    return benchmark("variations").Clip("square", images, truths)


def bright(image):
    return image[..., 1] > 150


def test_every_variation_moves_the_truth_with_the_pictures(benchmark, clip):
    for name, vary in benchmark("variations").VARIATIONS.items():
        varied = vary(clip)
        assert len(varied.images) == len(varied.truths), name
        for image, truth in zip(varied.images, varied.truths, strict=True):
            assert image.dtype == np.uint8, name
            assert truth.dtype == np.bool_, name
            assert image.shape == (*truth.shape, 3), name
            found = bright(image)
            assert (found & truth).sum() / (found | truth).sum() > 0.94, name


def test_variations_are_what_they_are_called(benchmark, clip):
    varied = {name: vary(clip) for name, vary in benchmark("variations").VARIATIONS.items()}
    assert varied["as_is"] is clip
    np.testing.assert_array_equal(varied["backwards"].images[0], clip.images[9])
    np.testing.assert_array_equal(varied["mirrored"].truths[3], clip.truths[3][:, ::-1])
    assert len(varied["half_rate"].images) == 5
    assert [frame.time_s for frame in varied["half_rate"].frames()][:2] == [0, Fraction(1, 12)]
    assert varied["cropped"].truths[0].shape == (77, 128)
    assert varied["half_size"].truths[0].shape == (48, 80)
    assert varied["jpeg_30"].images[0].tolist() != clip.images[0].tolist()
    gains = [image.mean() / before.mean() for image, before in zip(varied["flicker"].images, clip.images, strict=True)]
    assert 0.84 < min(gains) < 0.95
    assert 1.05 < max(gains) < 1.16


def test_shake_moves_every_frame_and_never_shows_the_end_of_the_picture(benchmark, clip):
    shaken = benchmark("variations").shake(clip)
    assert min(image[..., 1].min() for image in shaken.images) > 5  # outside would be black
    lefts = [int(np.flatnonzero(truth.any(0))[0]) for truth in shaken.truths]
    plain = [int(np.flatnonzero(truth.any(0))[0]) for truth in clip.truths]
    assert len({left - where for left, where in zip(lefts, plain, strict=True)}) > 2


def test_variations_are_the_same_in_every_run_and_differ_between_clips(benchmark, clip):
    variations = benchmark("variations")
    other = variations.Clip("another", clip.images, clip.truths)
    for name in ("flicker", "shake"):
        vary = variations.VARIATIONS[name]
        first, again, different = vary(clip).images, vary(clip).images, vary(other).images
        np.testing.assert_array_equal(first, again)
        assert any((a != b).any() for a, b in zip(first, different, strict=True)), name


def test_a_clip_is_read_from_the_frames_that_have_a_mask(benchmark, tmp_path):
    for kind in ("frames", "masks"):
        (tmp_path / kind).mkdir()
    for index in range(3):
        Image.fromarray(np.full((8, 9, 3), 40 * index, np.uint8)).save(tmp_path / "frames" / f"{index}.png")
    Image.fromarray(np.full((8, 9), 255, np.uint8)).save(tmp_path / "masks" / "1.png")
    clip = benchmark("variations").read_clip(tmp_path / "frames", tmp_path / "masks")
    assert (clip.name, len(clip.images), clip.images[0].max()) == ("frames", 1, 40)
    assert clip.truths[0].all()


@pytest.fixture
def davis_data(clip, tmp_path, monkeypatch):
    """The clip as two sequences of DAVIS."""
    for sequence in ("one", "two"):
        for kind, pictures in (("JPEGImages", clip.images), ("Annotations", clip.truths)):
            folder = tmp_path / "DAVIS2016" / kind / "480p" / sequence
            folder.mkdir(parents=True)
            for index, picture in enumerate(pictures):
                pixels = picture if kind == "JPEGImages" else picture.astype(np.uint8) * 255
                Image.fromarray(pixels).save(folder / f"{index:05d}.png")
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path))


def bright_pixels(source, *, preset, device, options=None):
    """A stand-in for `cvseg.segment`; with options it finds nothing in every second frame."""
    if isinstance(source, str):
        paths = sorted(Path(source).glob("*.png"))
        source = [Frame(i, Fraction(i), np.asarray(Image.open(path)), path.stem) for i, path in enumerate(paths)]
    for frame in source:
        labels = bright(frame.image).astype(np.int32)
        if options and frame.index % 2:
            labels[:] = 0
        yield SimpleNamespace(frame=frame, labels=labels, tracks=())


def test_the_table_of_variations_has_means_spread_and_the_lowest_run(benchmark, davis_data, tmp_path, capsys):
    def worse_when_small(source, **settings):
        for result in bright_pixels(source, **settings):
            if result.frame.image.shape[0] < 60:
                result.labels[:, : result.labels.shape[1] // 2] = 0
            yield result

    out, sheets = tmp_path / "out.json", tmp_path / "sheets"
    asked = ["--variations", "as_is", "mirrored", "half_size", "--json", str(out), "--overlays", str(sheets)]
    record = benchmark("davis").main(asked, segment=worse_when_small)
    printed = capsys.readouterr().out
    assert json.loads(out.read_text()) == record
    runs = record["runs"]["one"]
    assert runs["as_is"]["J"]["mean"] == runs["mirrored"]["J"]["mean"] == 1
    summary = record["summary"]
    low = runs["half_size"]["J"]["mean"]
    assert summary["lowest"]["variation"] == "half_size"
    assert summary["J"] == pytest.approx((1 + low) / 2, abs=1e-5)  # as_is counts in no mean
    assert summary["spread"] == pytest.approx((1 - low) / 2, abs=1e-5)
    assert summary["range"] == pytest.approx(1 - low, abs=1e-5)
    assert "standard deviation over the variations" in printed
    assert "lowest run" in printed
    assert {path.name for path in sheets.iterdir()} >= {"one_as_is.jpg", "two_half_size.jpg"}


def test_an_unknown_variation_names_the_nearest(benchmark, davis_data):
    with pytest.raises(SystemExit, match="no variation 'mirroredd'; did you mean 'mirrored'"):
        benchmark("davis").main(["--variations", "mirroredd"], segment=bright_pixels)


def test_flicker_stands_beside_that_of_frames_cut_one_by_one(benchmark, davis_data, capsys):
    record = benchmark("davis").main(["--sequences", "one", "--flicker"], segment=bright_pixels)
    found = record["sequences"]["one"]
    assert found["flicker"] < 0.1
    assert found["frame_by_frame"]["flicker"] == 1
    assert found["T"] < 0.2
    assert record["mean"]["frame_by_frame"]["flicker"] == 1
    assert "per frame" in capsys.readouterr().out


def test_confidence_is_correlated_with_j_over_the_scored_frames(benchmark, davis_data, capsys):
    def unsure(source, **settings):
        for result in bright_pixels(source, **settings):
            result.labels[: 6 * result.frame.index] = 0
            result.confidence = 1 - result.frame.index / 10
            yield result

    correlation = benchmark("davis").main([], segment=unsure)["confidence"]
    assert correlation["frames"] == 16
    # J stays 1 until the upper edge of the square is reached: the ranks say less than the values.
    assert 0.8 < correlation["spearman"] <= 1
    assert 0.6 < correlation["pearson"] < correlation["spearman"] + 0.2
    printed = capsys.readouterr().out
    assert "confidence against J, 16 frames: Pearson" in printed
    assert benchmark("davis").main([], segment=bright_pixels)["confidence"] is None


def test_confidence_that_tells_j_exactly_has_correlation_one_without_the_ends(benchmark):
    correlation = benchmark("clip_scores").confidence_correlation
    perfect = [{"per_frame": {"confidence": [0, 0.1, 0.2, 0.4, 0], "J": [1, 0.2, 0.4, 0.8, 1]}}]
    assert correlation(perfect) == pytest.approx({"frames": 3, "pearson": 1.0, "spearman": 1.0})
    constant = [{"per_frame": {"confidence": [0.5] * 5, "J": [1, 0.2, 0.4, 0.8, 1]}}]
    assert np.isnan(correlation(constant)["pearson"])
    assert correlation([{"per_frame": {"confidence": [float("nan")] * 5, "J": [1.0] * 5}}]) is None
