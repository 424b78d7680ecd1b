"""`cvseg background`: masks, events and states from end to end; every way it can go wrong is a sentence."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image

from cvseg.background import BACKGROUND_METHODS, BACKGROUND_PRESETS, background_model
from cvseg.cli.__main__ import cli
from cvseg.cli.background import CODES, command
from cvseg.cli.segment import PRESETS
from cvseg.report import background_folder

ROOT = Path(__file__).resolve().parents[2]
SIZE_HW = (48, 65)
METHODS = list(BACKGROUND_METHODS)


def run(*words):
    """The command, with the fastest preset unless another method is asked for."""
    chosen = () if {"--method", "--preset"} & set(words) else ("--preset", "fast")
    return CliRunner().invoke(cli, ["background", *[str(word) for word in (*words, *chosen)]], prog_name="cvseg")


def pictures(count, size_hw=SIZE_HW, seed=3, enters=14):
    """A noisy ground that a bright block crosses."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(50, 110, (*size_hw, 3))
    for index in range(count):
        picture = np.clip(ground + rng.integers(-2, 3, ground.shape), 0, 255).astype(np.uint8)
        if index >= enters:
            left = 2 * (index - enters)
            picture[16:32, left : left + 14] = (230, 210, 60)
        yield picture


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """36 pictures; the block is whole in the frame from 14 on."""
    folder = tmp_path_factory.mktemp("scene") / "frames"
    folder.mkdir()
    for index, picture in enumerate(pictures(36)):
        Image.fromarray(picture).save(folder / f"in{index + 1:06}.png")
    return folder


def write_video(path, count):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIZE_HW[1], SIZE_HW[0], "bgr0"
        for picture in pictures(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def read(folder):
    return {path.name: np.asarray(Image.open(path)) for path in sorted(Path(folder).glob("*.png"))}


def events_of(out):
    with open(out / "events.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_block_that_crosses_is_one_event_with_masks_and_everything_beside(frames, tmp_path):
    out = tmp_path / "out"
    done = run(frames, "-o", out, "--probability")
    assert done.exit_code == 0, done.output
    masks = read(out / "masks")
    assert list(masks) == [f"in{index:06}.png" for index in range(1, 37)]
    assert set(np.unique(np.stack(list(masks.values())))) == {0, 255}
    truth = np.zeros(SIZE_HW, bool)
    truth[16:32, 20:34] = True
    found = masks["in000025.png"] > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.85
    probability = read(out / "probability")["in000025.png"]
    assert probability[truth].mean() > 200 and probability[~truth].mean() < 30
    (event,) = events_of(out)
    assert abs(int(event["first_frame"]) - 14) <= 1 and int(event["last_frame"]) == 35
    assert float(event["end_s"]) == pytest.approx(35 / 25)
    left, top, width, height = (int(event[f"{side}_px"]) for side in ("left", "top", "width", "height"))
    assert abs(left) <= 2 and abs(top - 16) <= 2 and abs(width - 56) <= 4 and abs(height - 16) <= 3
    assert 0.75 < float(event["mean_area_px"]) / 224 < 1.3
    assert float(event["confidence"]) > 0.8
    plate = np.asarray(Image.open(out / "background.png")).astype(int)
    assert np.abs(plate[:, 45:] - next(pictures(1)).astype(int)[:, 45:]).mean() < 6
    with av.open(str(out / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 36
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["events"], summary["masks"]) == ("complete", 1, 36)
    assert summary["settings"]["method"] == BACKGROUND_PRESETS["fast"]
    page = (out / "report.html").read_text()
    assert "<h2>Events</h2>" in page and "Background at the end" in page and "events.csv" in page
    assert [track["id"] for track in summary["tracks"]] == [int(event["event"])]
    assert "36 frames, 1 event, " in done.output and "track" not in done.output


@pytest.mark.parametrize("method", METHODS)
def test_stopping_saving_and_going_on_gives_the_masks_of_not_having_stopped(frames, tmp_path, method):
    state = tmp_path / "state.npz"
    common = ("--method", method, "--no-overlay", "--codes", "cdnet", "--probability", "-q")
    assert run(frames, "-o", tmp_path / "whole", *common).exit_code == 0
    first = run(frames, "-o", tmp_path / "parts", *common, "--to", 19, "--save-state", state)
    assert first.exit_code == 0, first.output
    assert len(read(tmp_path / "parts" / "masks")) == 19
    second = run(frames, "-o", tmp_path / "parts", *common, "--from", "0.76s", "--load-state", state, "--overwrite")
    assert second.exit_code == 0, second.output
    for kind in ("masks", "probability"):
        whole, parts = read(tmp_path / "whole" / kind), read(tmp_path / "parts" / kind)
        assert len(parts) == 36
        for name in whole:
            assert_array_equal(parts[name], whole[name], err_msg=name)
    assert_array_equal(*(np.asarray(Image.open(tmp_path / n / "background.png")) for n in ("whole", "parts")))


@pytest.mark.parametrize("method", METHODS)
def test_a_learning_rate_of_zero_leaves_the_state_as_it_was(frames, tmp_path, method):
    before, after = tmp_path / "before.npz", tmp_path / "after.npz"
    common = ("--method", method, "--no-overlay", "--no-masks", "-q")
    assert run(frames, "-o", tmp_path / "a", *common, "--to", 14, "--save-state", before).exit_code == 0
    frozen = ("--from", 14, "--load-state", before, "--save-state", after, "--learning-rate", 0)
    assert run(frames, "-o", tmp_path / "b", *common, *frozen).exit_code == 0
    with np.load(before) as old, np.load(after) as new:
        assert set(old.files) == set(new.files)
        for name in old.files:
            assert_array_equal(old[name], new[name], err_msg=name)


def test_the_region_of_interest_is_a_box_a_polygon_or_a_picture(frames, tmp_path):
    inside = np.zeros(SIZE_HW, np.uint8)
    inside[10:40, 15:30] = 255
    Image.fromarray(inside).save(tmp_path / "roi.png")
    found = {}
    for name, roi in {
        "box": "15,10,15,30",
        "polygon": "15,10 29,10 29,39 15,39",
        "picture": tmp_path / "roi.png",
    }.items():
        done = run(frames, "-o", tmp_path / name, "--roi", roi, "--no-overlay", "--probability", "-q")
        assert done.exit_code == 0, done.output
        found[name] = read(tmp_path / name / "masks")
        for masks in (found[name], read(tmp_path / name / "probability")):
            assert all((mask[inside == 0] == 0).all() for mask in masks.values())
        assert any(mask.any() for mask in found[name].values())
    for name in ("polygon", "picture"):
        for frame, mask in found["box"].items():
            assert_array_equal(found[name][frame], mask)


def test_small_spots_are_left_out_of_masks_and_events(frames, tmp_path):
    assert run(frames, "-o", tmp_path / "out", "--min-area", "20%", "--no-overlay", "-q").exit_code == 0
    assert not any(mask.any() for mask in read(tmp_path / "out" / "masks").values())
    assert events_of(tmp_path / "out") == []
    assert "None: nothing moved" in (tmp_path / "out" / "report.html").read_text()


def test_fewer_frames_than_asked_for_are_no_event(frames, tmp_path):
    common = (frames, "--to", 20, "--no-overlay", "--no-masks", "-q")
    assert run(*common, "-o", tmp_path / "few", "--min-frames", 3).exit_code == 0
    assert run(*common, "-o", tmp_path / "many", "--min-frames", 12).exit_code == 0
    assert len(events_of(tmp_path / "few")) == 1
    assert events_of(tmp_path / "many") == []


def test_shrunk_frames_give_small_masks_and_a_region_in_pixels_of_the_input(frames, tmp_path):
    out = tmp_path / "out"
    done = run(frames, "-o", out, "--max-height", 24, "--roi", "0,0,30,48", "--min-area", "8", "-q")
    assert done.exit_code == 0, done.output
    masks = read(out / "masks")
    assert {mask.shape for mask in masks.values()} == {(24, 32)}
    assert any(mask.any() for mask in masks.values())
    assert all((mask[:, 16:] == 0).all() for mask in masks.values())


def test_the_output_goes_straight_into_the_evaluation(frames, tmp_path):
    sequence = tmp_path / "sequence"
    (sequence / "groundtruth").mkdir(parents=True)
    for index in range(36):
        truth = np.zeros(SIZE_HW, np.uint8)
        if index >= 14:
            truth[16:32, 2 * (index - 14) : 2 * (index - 14) + 14] = 255
        Image.fromarray(truth).save(sequence / "groundtruth" / f"gt{index + 1:06}.png")
    assert run(frames, "-o", tmp_path / "out", "--codes", "cdnet", "-q").exit_code == 0
    words = ["evaluate", "change", "--results", tmp_path / "out" / "masks", "--truth", sequence, "--train-share", "0.3"]
    scores = tmp_path / "scores.json"
    done = CliRunner().invoke(cli, [str(word) for word in [*words, "--json", scores]])
    assert done.exit_code == 0, done.output
    assert json.loads(scores.read_text())["overall"]["f_measure"] > 0.85


# What can come in


def test_a_single_frame_gives_an_empty_mask_and_itself_as_background(frames, tmp_path):
    one = frames / "in000001.png"
    state = tmp_path / "state.npz"
    done = run(one, "-o", tmp_path / "out", "--save-state", state)
    assert done.exit_code == 0, done.output
    assert not read(tmp_path / "out" / "masks")["in000001.png"].any()
    assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "background.png")), np.asarray(Image.open(one)))
    assert run(frames, "-o", tmp_path / "on", "--from", 1, "--load-state", state, "-q").exit_code == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_video_that_is_black_all_over_has_no_events(tmp_path, method):
    folder = tmp_path / "black"
    folder.mkdir()
    for index in range(12):
        Image.fromarray(np.zeros((*SIZE_HW, 3), np.uint8)).save(folder / f"{index}.png")
    done = run(folder, "-o", tmp_path / "out", "--method", method)
    assert done.exit_code == 0, done.output
    assert not any(mask.any() for mask in read(tmp_path / "out" / "masks").values())
    assert events_of(tmp_path / "out") == []


def test_a_folder_whose_pictures_change_their_size_keeps_what_came_before(tmp_path):
    folder, state = tmp_path / "mixed", tmp_path / "state.npz"
    folder.mkdir()
    for index, picture in enumerate(pictures(8)):
        Image.fromarray(picture if index < 5 else picture[:-4]).save(folder / f"{index}.png")
    done = run(folder, "-o", tmp_path / "out", "--save-state", state)
    assert done.exit_code == 2
    assert "65x44" in done.output and "5 frames before that are kept" in done.output
    assert len(read(tmp_path / "out" / "masks")) == 5
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["status"] == "failed"
    assert state.is_file()


def test_a_pipe_is_read_as_a_file_is(frames, tmp_path):
    clip = write_video(tmp_path / "clip.mkv", 20)
    words = [sys.executable, "-m", "cvseg.cli", "background", "-", "-o", str(tmp_path / "piped"), "-q"]
    words += ["--preset", "fast"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, input=clip.read_bytes(), capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert run(clip, "-o", tmp_path / "file", "-q").exit_code == 0
    piped, file = read(tmp_path / "piped" / "masks"), read(tmp_path / "file" / "masks")
    assert len(piped) == 20
    for name in file:
        assert_array_equal(piped[name], file[name])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_live_stream_keeps_masks_events_and_a_state_that_agree(tmp_path, number, code):
    out, state = tmp_path / "out", tmp_path / "state.npz"
    words = [sys.executable, "-m", "cvseg.cli", "background", "-", "-o", str(out), "--save-state", str(state)]
    words += ["--preset", "fast"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    content = write_video(tmp_path / "clip.mkv", 200).read_bytes()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        # Without its end, and left open: a camera that has stopped sending.
        process.stdin.write(content[: len(content) * 9 // 10])
        process.stdin.flush()
        end = time.monotonic() + 100
        while len(list((out / "masks").glob("*.png"))) < 10 and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code, errors
    kept = len(read(out / "masks"))
    assert f"stopped; {kept} frames are kept" in errors
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["video"]["frames"]) == ("interrupted", kept)
    with np.load(state) as members:
        assert json.loads(members["header"].tobytes())["frames"] == kept
    assert (out / "events.csv").is_file() and (out / "background.png").is_file()


# What is refused


@pytest.fixture
def state(frames, tmp_path):
    path = tmp_path / "kept.npz"
    done = run(
        frames, "-o", tmp_path / "learned", "--method", "running_gaussian", "--to", 6, "--save-state", path, "-q"
    )
    assert done.exit_code == 0, done.output
    return path


def refused(*words):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert done.output.startswith(("cvseg: ", "Usage: "))
    return done.output


def test_a_state_of_another_method_or_other_options_is_refused_by_name(frames, tmp_path, state):
    words = (frames, "-o", tmp_path / "out", "--load-state", state)
    assert "'running_gaussian'" in refused(*words, "--method", "gaussian_mixture")
    said = refused(*words, "--method", "running_gaussian", "--set", "threshold=4")
    assert "threshold = 3.0" in said and "now it is 4" in said
    assert not (tmp_path / "out").exists()


def test_a_state_for_another_size_is_refused_with_both_sizes(tmp_path, state):
    folder = tmp_path / "wide"
    folder.mkdir()
    for index, picture in enumerate(pictures(3, (48, 80))):
        Image.fromarray(picture).save(folder / f"{index}.png")
    said = refused(folder, "-o", tmp_path / "out", "--method", "running_gaussian", "--load-state", state)
    assert "65x48" in said and "80x48" in said


def test_a_state_that_cannot_be_read_is_refused_and_left_alone(frames, tmp_path, state):
    words = (frames, "-o", tmp_path / "out", "--method", "running_gaussian", "--load-state")
    whole = state.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    cases = {"half": whole[: len(whole) // 2], "empty": b"", "text": b"no state", "flipped": bytes(flipped)}
    for name, content in cases.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        assert str(path) in refused(*words, path)
        assert path.read_bytes() == content
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    assert "no state of a background model" in refused(*words, tmp_path / "other.npz")
    assert "does not exist" in refused(*words, tmp_path / "absent.npz")
    assert "is a folder" in refused(*words, tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_state_that_cannot_be_written_is_refused_before_the_work(frames, tmp_path):
    assert "there is no folder" in refused(frames, "-o", tmp_path / "a", "--save-state", tmp_path / "no" / "s.npz")
    assert "expected the name of a file" in refused(frames, "-o", tmp_path / "a", "--save-state", tmp_path)
    assert not (tmp_path / "a").exists()


def test_an_older_state_outlives_a_run_that_finds_no_frames(frames, tmp_path, state):
    before = state.read_bytes()
    words = (frames, "-o", tmp_path / "out", "--method", "running_gaussian", "--from", 99, "--save-state", state)
    assert "holds no frame between --from and --to" in refused(*words)
    assert state.read_bytes() == before


@pytest.mark.parametrize("rate", ["1.5", "-0.1", "nan", "inf", "-inf"])
def test_a_learning_rate_out_of_range_is_refused(frames, tmp_path, rate):
    assert "--learning-rate" in refused(frames, "-o", tmp_path / "out", "--learning-rate", rate)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("threshold=NaN", "finite"),
        ("threshold=Infinity", "finite"),
        ("threshold=much", "expected a number"),
        ("threshold=-3", "at least"),
        ("thresholt=3", "did you mean 'threshold'"),
        ("threshold", "KEY=VALUE"),
        ("=3", "KEY=VALUE"),
        ("threshold.deep=3", "threshold"),
    ],
)
def test_an_option_of_the_method_that_makes_no_sense_is_refused(frames, tmp_path, word, says):
    assert says in refused(frames, "-o", tmp_path / "out", "--method", "running_gaussian", "--set", word)


@pytest.mark.parametrize(
    ("roi", "says"),
    [
        ("1,2,3", "--roi"),
        ("1,1 2,2", "three or more corners"),
        ("1,1 nan,2 3,3", "finite"),
        ("500,500,10,10", "no pixel"),
        ("500,500 510,500 505,510", "no pixel"),
        ("absent.png", "--roi"),
    ],
)
def test_a_region_that_makes_no_sense_is_refused(frames, tmp_path, roi, says):
    assert says in refused(frames, "-o", tmp_path / "out", "--roi", roi)


def test_a_region_picture_of_another_size_is_refused_with_both_sizes(frames, tmp_path):
    Image.fromarray(np.full((20, 30), 255, np.uint8)).save(tmp_path / "small.png")
    said = refused(frames, "-o", tmp_path / "out", "--roi", tmp_path / "small.png")
    assert "30x20" in said and "65x48" in said


@pytest.mark.parametrize("words", [("--from", "x"), ("--to", "1.5"), ("--from", "-1"), ("--to", "nan")])
def test_a_part_that_makes_no_sense_is_refused(frames, tmp_path, words):
    assert words[0] in refused(frames, "-o", tmp_path / "out", *words)


def test_other_words_are_answered_with_the_nearest(frames, tmp_path):
    assert "did you mean 'gaussian_mixture'" in refused(frames, "-o", tmp_path / "a", "--method", "gausian_mixture")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    assert "--overwrite" in refused(frames, "-o", tmp_path / "full")
    assert (tmp_path / "full" / "note.txt").read_text() == "mine"
    assert "is the input itself" in refused(frames, "-o", frames)
    assert "absent.mp4" in refused(tmp_path / "absent.mp4", "-o", tmp_path / "a")


def test_a_scene_that_is_mostly_foreground_is_remarked(tmp_path):
    folder = tmp_path / "moving"
    folder.mkdir()
    rng = np.random.default_rng(5)
    for index in range(10):
        Image.fromarray(rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)).save(folder / f"{index}.png")
    done = run(folder, "-o", tmp_path / "out", "--method", "running_gaussian", "--set", "smallest_sigma=1")
    assert done.exit_code == 0
    assert "cvseg segment" in done.output
    assert "Does the camera move" in (tmp_path / "out" / "report.html").read_text()


def test_names_of_the_command_line_are_those_of_what_they_name():
    assert tuple(background_folder.CODES) == CODES
    assert tuple(BACKGROUND_PRESETS) == PRESETS
    (preset,) = (parameter for parameter in command.params if parameter.name == "preset")
    assert BACKGROUND_PRESETS[preset.default] == background_model().method


def test_a_camera_that_pans_is_reported_with_what_to_use_instead(tmp_path):
    rng = np.random.default_rng(4)
    coarse = rng.integers(30, 220, (12, 48, 3)).astype(np.uint8)
    wide = np.array(Image.fromarray(coarse).resize((192, 48), Image.Resampling.BICUBIC))
    folder = tmp_path / "pan"
    folder.mkdir()
    for index in range(24):
        Image.fromarray(wide[:, 3 * index : 3 * index + 96]).save(folder / f"{index:03}.png")
    result = run(folder, "-o", tmp_path / "out", "--method", "fused")
    assert result.exit_code == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert any("The camera moves in" in remark and "cvseg segment" in remark for remark in summary["remarks"])
