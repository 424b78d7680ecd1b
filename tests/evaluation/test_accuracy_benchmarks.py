"""The accuracy benchmarks, run with stand-ins for the segmentation."""

from __future__ import annotations

import importlib
import importlib.util
import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmark(name)``: a script of benchmarks/accuracy as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "accuracy")
    return importlib.import_module


@pytest.fixture
def davis_data(tmp_path, monkeypatch):
    """Two tiny sequences: a square that moves, and its masks."""
    folder = tmp_path / "data"
    for sequence, step in (("one", 2), ("two", 3)):
        for kind in ("JPEGImages", "Annotations"):
            (folder / "DAVIS2016" / kind / "480p" / sequence).mkdir(parents=True)
        for index in range(8):
            mask = np.zeros((40, 64), np.uint8)
            mask[10:30, 5 + step * index : 25 + step * index] = 255
            name = f"{index:05d}"
            Image.fromarray(mask).save(folder / "DAVIS2016/Annotations/480p" / sequence / f"{name}.png")
            Image.fromarray(np.dstack([mask, mask, mask])).save(
                folder / "DAVIS2016/JPEGImages/480p" / sequence / f"{name}.jpg"
            )
    (folder / "DAVIS2016" / "published_per_sequence.csv").write_text(
        "task,method,one_J,one_F,two_J,two_F,mean_J,mean_F\nunsupervised,A,0.5,0.4,0.7,0.6,0.6,0.5\n"
        "unsupervised,B,0.9,0.8,0.5,0.4,0.7,0.6\n"
    )
    monkeypatch.setenv("CVSEG_DATA", str(folder))
    return folder


def bright_pixels(source, *, preset, device):
    """A stand-in for `cvseg.segment`: what is bright is an object, the upper half one, the lower another."""
    assert (preset, device) == ("fast", "cpu")
    for index, path in enumerate(sorted(Path(source).glob("*.jpg"))):
        image = np.asarray(Image.open(path))
        labels = (image[..., 0] > 128).astype(np.int32)
        labels[20:] *= 2
        yield SimpleNamespace(frame=Frame(index, Fraction(index, 25), image, path.stem), labels=labels, tracks=())


def nothing(source, **settings):
    for result in bright_pixels(source, **settings):
        result.labels[:] = 0
        yield result


def test_davis_scores_merged_labels_and_writes_what_it_measured(benchmark, davis_data, tmp_path, capsys):
    out, sheets = tmp_path / "out" / "davis.json", tmp_path / "sheets"
    record = benchmark("davis").main(
        ["--preset", "fast", "--json", str(out), "--overlays", str(sheets)], segment=bright_pixels
    )
    printed = capsys.readouterr().out
    assert record["mean"]["J"]["mean"] > 0.95  # the frames are JPEG: an edge pixel may flip
    assert record["sequences"]["one"]["J"]["frames"] == 6  # of eight: the ends do not count
    assert len(record["sequences"]["one"]["per_frame"]["F"]) == 8
    assert json.loads(out.read_text()) == record
    assert {"machine", "versions", "commit"} <= record.keys()
    assert [row["method"] for row in record["published"]] == ["B", "A"]
    assert "two" in printed
    assert printed.index(" B ") < printed.index(" A ")
    assert sorted(path.name for path in sheets.iterdir()) == ["one.jpg", "two.jpg"]


def test_davis_compares_with_the_published_means_over_the_chosen_sequences(benchmark, davis_data, capsys):
    record = benchmark("davis").main(["--preset", "fast", "--sequences", "one"], segment=nothing)
    assert record["mean"]["J"] == {"mean": 0.0, "recall": 0.0, "decay": 0.0}
    assert {row["method"]: row["J"] for row in record["published"]} == {"A": 0.5, "B": 0.9}


def test_davis_scores_a_left_out_frame_as_empty(benchmark, davis_data, capsys):
    def two_frames_only(source, **settings):
        results = bright_pixels(source, **settings)
        return (next(results) for _ in range(2))

    record = benchmark("davis").main(["--preset", "fast", "--sequences", "two"], segment=two_frames_only)
    assert record["sequences"]["two"]["per_frame"]["J"][2:] == [0.0] * 6
    assert record["sequences"]["two"]["per_frame"]["J"][0] > 0.9


def test_davis_says_which_sequences_are_present_when_one_is_not(benchmark, davis_data):
    with pytest.raises(SystemExit, match=r"bear not found in .*present: one, two"):
        benchmark("davis").main(["--sequences", "bear"], segment=nothing)


def test_synthetic_gives_full_marks_to_the_truth_and_counts_its_renaming(benchmark, tmp_path, capsys):
    def truth_of(rename):
        def segment(frames, *, preset, device):
            clip = render_clip(SCENES[scene].__class__(**SCENES[scene].to_mapping() | {"size_hw": (60, 106)}))
            for frame in frames:
                yield SimpleNamespace(frame=frame, labels=rename(frame.index, clip[frame.index].labels), tracks=())

        return segment

    scene, out = "crossing", tmp_path / "synthetic.json"
    asked = ["--scenes", scene, "--size", "60", "106", "--frames", "6", "--json", str(out)]
    perfect = benchmark("synthetic").main(asked, segment=truth_of(lambda index, labels: labels))
    assert json.loads(out.read_text()) == perfect
    result = perfect["scenes"][scene]
    assert (result["J"], result["F"], result["J_object"], result["false_share"]) == (1, 1, 1, 0)
    assert (result["tracking"]["identity_switches"], result["tracking"]["mota"]) == (0, 1)
    assert result["frames"] == 6

    renamed = benchmark("synthetic").main(
        asked, segment=truth_of(lambda index, labels: np.where((labels == 1) & (index >= 3), 9, labels))
    )
    result = renamed["scenes"][scene]
    assert (result["J"], result["tracking"]["identity_switches"]) == (1, 1)
    assert result["J_object"] < 1


def test_the_suite_is_measured_whole_and_its_lowest_scenes_are_named(benchmark, monkeypatch, capsys):
    module = benchmark("synthetic")
    monkeypatch.setattr(module, "SUITE", {name: module.SUITE[name] for name in ("crossing", "water", "empty_noise")})
    monkeypatch.setattr(module, "LOWEST", 2)

    def nothing_found(frames, *, preset, device):
        for frame in frames:
            yield SimpleNamespace(frame=frame, labels=np.zeros(frame.image.shape[:2], np.int32), tracks=())

    asked = ["--suite", "--size", "48", "86", "--frames", "3"]
    record = module.main(asked, segment=nothing_found)
    assert list(record["scenes"]) == ["crossing", "water", "empty_noise"]
    assert record["scenes"]["empty_noise"]["J"] == 1
    assert record["mean"]["J"] == pytest.approx(1 / 3, abs=1e-5)
    assert record["mean_with_objects"]["J"] == 0
    assert set(record["lowest"]) == {"crossing", "water"}
    assert "lowest J: crossing 0.000, water 0.000" in capsys.readouterr().out


def test_synthetic_names_the_nearest_scene(benchmark):
    with pytest.raises(SystemExit, match="did you mean 'crossing'"):
        benchmark("synthetic").main(["--scenes", "crosing"], segment=nothing)


@pytest.fixture
def flow_data(tmp_path, monkeypatch):
    """One pair in Middlebury's folders: a texture that moves by (2, -1)."""
    from scipy.ndimage import gaussian_filter

    from cvseg.formats.flow_file import write_flow

    images = tmp_path / "data" / "Middlebury_flow" / "other-data" / "Venus"
    truth = tmp_path / "data" / "Middlebury_flow" / "other-gt-flow" / "Venus"
    texture = gaussian_filter(np.random.default_rng(1).random((60, 76)), 1.5, mode="wrap")
    gray = np.round(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
    for name, shift in (("frame10", (0, 0)), ("frame11", (-1, 2))):
        images.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(gray, shift, axis=(0, 1))).convert("RGB").save(images / f"{name}.png")
    truth.mkdir(parents=True)
    flow_xy = np.tile(np.float32([2, -1]), (60, 76, 1))
    flow_xy[:5] = flow_xy[-5:] = flow_xy[:, :5] = flow_xy[:, -5:] = np.nan  # what rolls in at the edges
    write_flow(truth / "flow10.flo", flow_xy)
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path / "data"))
    return tmp_path


def test_flow_measures_ours_and_others_in_one_table(benchmark, flow_data, capsys):
    files = {name: flow_data / f"out.{name}" for name in ("json", "png")}
    asked = ["--methods", "dis", "lucas_kanade", "skimage_ilk", "--presets", "fast", "balanced", "--repeats", "2"]
    asked += ["--sizes", "--json", str(files["json"]), "--picture", str(files["png"])]
    record = benchmark("flow").main(asked)
    printed = capsys.readouterr().out
    labels = ["dis fast", "dis balanced", "lucas_kanade fast", "lucas_kanade balanced", "skimage_ilk"]
    assert list(record["results"]) == labels
    assert all(label in printed for label in labels)
    assert all(title in printed for title in ("EPE px", "Fl-all %", "angle deg", "CPU ms"))
    for label in labels:
        row = record["results"][label]["Venus"]
        assert row["epe_px"] < (0.3 if "fast" in label else 0.15)  # zero flow has 2.2
        assert row["outliers"] == 0
        assert row["ms"] > 0
        assert row["calls"] in (1, 2)
    assert json.loads(files["json"].read_text()) == record
    with Image.open(files["png"]) as picture:
        assert picture.size == (76, 60)
    assert record["speed"] == {}


def test_flow_is_measured_in_parts_and_printed_from_the_file(benchmark, flow_data, capsys):
    module, path = benchmark("flow"), flow_data / "parts.json"
    rest = ["--presets", "fast", "--repeats", "1", "--sizes", "--json", str(path)]
    first = module.main(["--methods", "dis", *rest])
    assert first["parts"][0]["methods"] == ["dis fast", "dis balanced"]  # the yardstick is in no other part yet
    second = module.main(["--methods", "lucas_kanade", *rest])
    assert list(second["results"]) == ["dis fast", "dis balanced", "lucas_kanade fast"]
    assert second["results"]["dis balanced"] == first["results"]["dis balanced"]
    assert [part["methods"] for part in second["parts"]] == [["dis fast", "dis balanced"], ["lucas_kanade fast"]]
    again = module.main(["--methods", "lucas_kanade", *rest])
    assert [part["methods"] for part in again["parts"]] == [["dis fast", "dis balanced"], ["lucas_kanade fast"]]

    capsys.readouterr()
    picture = flow_data / "pareto.png"
    asked = ["--tables", str(path)]
    if importlib.util.find_spec("matplotlib"):
        asked += ["--pareto", str(picture)]
    assert module.main(asked) == again
    printed = capsys.readouterr().out
    assert "| `lucas_kanade` fast | 0.0" in printed
    assert "| method | Venus | mean | CPU ms |" in printed
    if "--pareto" in asked:
        with Image.open(picture) as drawn:
            assert drawn.size == (1000, 700)


def test_flow_joins_only_like_with_like(benchmark, flow_data):
    module, path = benchmark("flow"), flow_data / "parts.json"
    asked = ["--methods", "dis", "--presets", "fast", "--sizes", "--json", str(path)]
    module.main([*asked, "--repeats", "1"])
    with pytest.raises(SystemExit, match="holds repeats 1, this part 2"):
        module.main([*asked, "--repeats", "2"])
    with pytest.raises(SystemExit, match="does not exist"):
        module.main(["--tables", str(flow_data / "none.json")])
    path.write_text("{}")
    with pytest.raises(SystemExit, match="not a record of this benchmark"):
        module.main(["--tables", str(path)])


def test_flow_times_one_pair_at_other_sizes(benchmark, flow_data, monkeypatch, capsys):
    module = benchmark("flow")
    monkeypatch.setitem(module.SIZES_HW, "480p", (48, 85))
    monkeypatch.setitem(module.SIZES_HW, "1080p", (108, 192))
    monkeypatch.setattr(module, "TOO_LONG_MS", 0.0)
    asked = ["--methods", "farneback", "--presets", "fast", "--repeats", "1", "--sizes", "1080p", "480p"]
    record = module.main(asked)
    assert record["speed"]["480p"]["farneback fast"]["ms"] > 0
    assert record["speed"]["1080p"] == {}  # it took too long at the smaller one
    assert "480p CPU ms" in capsys.readouterr().out


def test_flow_leaves_out_what_is_not_installed(benchmark, flow_data, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "cv2", None)
    asked = ["--methods", "dis", "opencv_farneback", "--presets", "fast", "--repeats", "1", "--sizes"]
    record = benchmark("flow").main(asked)
    assert list(record["results"]) == ["dis fast"]
    assert "pip install opencv-contrib-python-headless" in record["left_out"]["opencv_farneback"]
    assert "left out: opencv_farneback" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no method is left"):
        benchmark("flow").main(["--methods", "opencv_farneback"])


def test_the_pareto_front_holds_what_nothing_beats_in_both(benchmark):
    points = {"slow good": (9.0, 1.0), "fast bad": (1.0, 5.0), "slow bad": (8.0, 5.0), "middle": (3.0, 2.0)}
    assert benchmark("flow_pictures").pareto_front(points) == ["fast bad", "middle", "slow good"]


def test_flow_says_where_it_looked_when_there_are_no_pairs(benchmark, tmp_path, monkeypatch):
    monkeypatch.setenv("CVSEG_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="no pairs with true flow in"):
        benchmark("flow").main([])
