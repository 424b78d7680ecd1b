"""Every input of the issue's list through the command line: it works, or one sentence says why not."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.formats import read_mask

from . import inputs
from .checks import check_nothing_left, check_results, mask_files, one_sentence


def segment(*words, stdin=None):
    words = [str(word) for word in ("segment", *words)]
    return CliRunner().invoke(cli, words, prog_name="cvseg", input=stdin)


@pytest.mark.parametrize("name", inputs.GOOD)
def test_a_usable_input_simply_works(name, tmp_path):
    make, frames, width, height, stem = inputs.GOOD[name]
    done = segment(make(tmp_path), "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    video = check_results(tmp_path / "out")["video"]
    assert (video["frames"], video["width"], video["height"]) == (frames, width, height)
    assert (tmp_path / "out" / "masks" / f"{stem}.png").is_file()


@pytest.mark.parametrize("name", inputs.BAD)
def test_an_unusable_input_gets_one_sentence_and_leaves_nothing(name, tmp_path):
    make, words = inputs.BAD[name]
    done = segment(make(tmp_path), "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert words in one_sentence(done.stderr)
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", inputs.DAMAGED)
def test_a_damaged_input_keeps_every_finished_frame_and_says_so(name, tmp_path):
    make, least = inputs.DAMAGED[name]
    out = tmp_path / "out"
    done = segment(make(tmp_path), "-o", out)
    assert done.exit_code == 2
    summary = check_results(out)
    assert summary["status"] == "damaged input"
    assert summary["video"]["frames"] >= least
    sentence = one_sentence(done.stderr)
    assert f"{summary['video']['frames']} frames" in sentence
    assert str(out) in sentence
    check_nothing_left(out)


def test_the_masks_before_the_damage_are_those_of_the_undamaged_input(tmp_path):
    whole = inputs.write_folder(tmp_path / "whole", inputs.pictures())
    assert segment(whole, "-o", tmp_path / "a", "--preset", "fast").exit_code == 0
    assert segment(inputs.truncated_image(tmp_path), "-o", tmp_path / "b", "--preset", "fast").exit_code == 2
    # This preset looks two frames ahead, so the last two frames before the damage may differ.
    before = mask_files(tmp_path / "b")[:-2]
    assert len(before) == 2
    for path in before:
        assert path.read_bytes() == (tmp_path / "a" / "masks" / path.name).read_bytes()


def test_standard_input_is_read_as_a_video(tmp_path):
    done = segment("-", "-o", tmp_path / "out", stdin=inputs.stream_bytes(inputs.pictures(), tmp_path))
    assert done.exit_code == 0, done.output
    assert check_results(tmp_path / "out")["video"]["frames"] == 6


def test_empty_standard_input_gets_one_sentence(tmp_path):
    done = segment("-", "-o", tmp_path / "out", stdin=b"")
    assert done.exit_code == 2
    one_sentence(done.stderr)
    assert not (tmp_path / "out").exists()


def test_the_moving_square_is_found_and_the_still_background_is_not(tmp_path):
    clip = inputs.pictures(24, (96, 128))
    done = segment(inputs.write_video(tmp_path / "clip.mkv", clip), "-o", tmp_path / "out", "--preset", "fast")
    assert done.exit_code == 0, done.output
    check_results(tmp_path / "out")
    truth = (clip[20] == (240, 200, 60)).all(axis=-1)
    found = read_mask(tmp_path / "out" / "masks" / "00020.png") > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.6
    assert found[70:].sum() == 0


def test_two_runs_write_the_same_bytes(tmp_path):
    video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(10))
    for name in ("a", "b"):
        assert segment(video, "-o", tmp_path / name).exit_code == 0
    for path in [*mask_files(tmp_path / "a"), tmp_path / "a" / "tracks.txt"]:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_a_video_name_that_looks_like_an_option_can_be_given_after_two_dashes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inputs.write_video(tmp_path / "-clip.mkv", inputs.pictures(3))
    assert segment("-o", "out", "--", "-clip.mkv").exit_code == 0


def test_a_smaller_height_shrinks_frames_and_results_and_keeps_the_region_in_place(tmp_path):
    video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(6, (96, 128)))
    words = ("--max-height", 48, "--roi", "0,0,64,96", "--min-area", 40)
    done = segment(video, "-o", tmp_path / "out", *words)
    assert done.exit_code == 0, done.output
    video = check_results(tmp_path / "out")["video"]
    assert (video["width"], video["height"]) == (64, 48)
    for path in mask_files(tmp_path / "out"):
        assert not read_mask(path)[:, 32:].any()


def test_a_mask_picture_as_region_is_read_in_pixels_of_the_input(tmp_path):
    mask = np.zeros((96, 128), np.uint8)
    mask[:, :64] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(6, (96, 128)))
    for height in (96, 47):
        out = tmp_path / f"out{height}"
        done = segment(video, "-o", out, "--roi", tmp_path / "mask.png", "--max-height", height)
        assert done.exit_code == 0, done.output
        for path in mask_files(out):
            labels = read_mask(path)
            assert not labels[:, labels.shape[1] // 2 + 1 :].any()


def test_a_region_in_the_last_corner_stays_in_the_frame_when_it_is_shrunk(tmp_path):
    video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(3, (96, 128)))
    done = segment(video, "-o", tmp_path / "in", "--roi", "127,95,1,1", "--max-height", 16)
    assert done.exit_code == 0, done.output
    done = segment(video, "-o", tmp_path / "outside", "--roi", "128,95,1,1", "--max-height", 16)
    assert done.exit_code == 2
