"""The folder level of segmentations: the official figures of the Berkeley benchmark, layouts, wrong files."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError, OptionError
from cvseg.evaluation.protocols.regions import RegionsProtocolOptions, evaluate
from cvseg.evaluation.region_accuracy import _edges, boundary_recall, compactness
from cvseg.formats import write_flow
from cvseg.formats.bsds import contour_levels, contour_strength, read_bsds_result, read_bsds_truth

LEVELS = 5


@pytest.fixture(scope="module")
def bench(request):
    import os
    from pathlib import Path

    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("CVSEG_DATA", default)) / "BSDS500_bench"
    if not folder.is_dir():
        pytest.skip(f"no Berkeley benchmark: {folder} does not exist; set CVSEG_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="module")
def evaluations(bench):
    kinds = {"segs": "labels", "ucm2": "labels", "png": "boundaries"}
    return {
        name: evaluate(
            bench / name, bench / "groundTruth", RegionsProtocolOptions(thresholds=LEVELS, results_are=results_are)
        )
        for name, results_are in kinds.items()
    }


def table(bench, test, name):
    return np.loadtxt(bench / test / f"eval_{name}.txt", ndmin=2)


# The official program writes each image's sums with six digits before it adds them up: 0.5 in 772005 for five people.
COVERING_ATOL = 0.5e-6 + 0.5 / 772005


@pytest.mark.parametrize(("test", "kind"), [("test_1", "ucm2"), ("test_4", "segs"), ("test_5", "segs")])
def test_region_figures_equal_the_official_ones(bench, evaluations, test, kind):
    overall, rows = evaluations[kind].overall, evaluations[kind].rows
    _, ods, ois, best = table(bench, test, "cover")[0]
    assert overall["covering_ods"] == pytest.approx(ods, abs=COVERING_ATOL)
    assert overall["covering_ois"] == pytest.approx(ois, abs=COVERING_ATOL)
    assert overall["covering_best"] == pytest.approx(best, abs=COVERING_ATOL)
    _, rand_ods, rand_ois, _, information_ods, information_ois = table(bench, test, "RI_VOI")[0]
    for key, value in (
        ("rand_ods", rand_ods),
        ("rand_ois", rand_ois),
        ("voi_ods", information_ods),
        ("voi_ois", information_ois),
    ):
        assert overall[key] == pytest.approx(value, abs=1e-6 if value < 1 else 1e-5)
    for row, official in zip(rows.values(), table(bench, test, "cover_img"), strict=True):
        assert row["covering_ois"] == pytest.approx(official[2], abs=COVERING_ATOL)


@pytest.mark.parametrize(
    ("test", "kind"), [("test_1", "ucm2"), ("test_2", "png"), ("test_3", "segs"), ("test_4", "segs")]
)
def test_boundary_figures_lie_within_the_noise_of_the_official_program(bench, evaluations, test, kind):
    """Its matching is random: tests 3 and 4 score the same files and differ by up to 4e-4."""
    overall, details = evaluations[kind].overall, evaluations[kind].details["boundary"]
    _, recall, precision, f, recall_ois, precision_ois, f_ois, area = table(bench, test, "bdry")[0]
    ods, ois = details["ods"], details["ois"]
    assert (ods["recall"], ods["precision"]) == pytest.approx((recall, precision), abs=4e-4)
    assert (ois["recall"], ois["precision"]) == pytest.approx((recall_ois, precision_ois), abs=6e-4)
    assert overall["f_ods"] == pytest.approx(f, abs=3e-4)
    assert overall["f_ois"] == pytest.approx(f_ois, abs=4e-4)
    assert overall["ap"] == pytest.approx(area, abs=1e-4)
    for point, official in zip(details["per_threshold"], table(bench, test, "bdry_thr"), strict=True):
        # The optimum matches at least as many pixels as the program found.
        assert -1e-6 <= point["recall"] - official[1] <= 5e-4
        assert point["precision"] == pytest.approx(official[2], abs=7e-4)
    for row, official in zip(evaluations[kind].rows.values(), table(bench, test, "bdry_img"), strict=True):
        assert row["f_ods"] == pytest.approx(official[4], abs=1.2e-3)


def test_the_share_of_the_result_that_people_cover_equals_the_official_column(bench):
    from cvseg.evaluation.region_benchmark import region_scores

    for row, name in zip(table(bench, "test_4", "cover_img"), ("2018", "3063", "5096", "6046", "8068"), strict=True):
        people = [labels for labels, _ in read_bsds_truth(bench / "groundTruth" / f"{name}.mat")]
        scores = region_scores(read_bsds_result(bench / "segs" / f"{name}.mat"), people)
        # Six digits of a sum over 154401 pixels.
        assert scores.reverse_covering[int(row[1]) - 1] == pytest.approx(row[3], abs=4e-6)


def test_pictures_and_curve_are_made(evaluations):
    evaluation = evaluations["ucm2"]
    assert evaluation.frames[0].picture().shape == (481, 321, 3)
    assert len(evaluation.curves) == 1
    assert evaluation.worst_frames(1)[0].frame == "6046"


def halves(size_hw=(12, 16)):
    labels = np.zeros(size_hw, np.uint8)
    labels[:, size_hw[1] // 2 :] = 1
    return labels


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(values).save(path)
    elif path.suffix == ".npy":
        np.save(path, values)
    else:
        np.savez(path, labels=values)


def run(tmp_path, **options):
    return evaluate(tmp_path / "results", tmp_path / "truth", RegionsProtocolOptions(**options))


def test_label_pictures_and_arrays_are_compared_and_superpixels_measured(tmp_path):
    for name, ending in (("a", ".png"), ("b", ".npy"), ("c", ".npz")):
        save(tmp_path / "truth" / f"{name}.png", halves())
        save(tmp_path / "results" / f"{name}{ending}", halves())
        save(tmp_path / "images" / f"{name}.png", np.dstack([halves() * 100] * 3))
    evaluation = run(tmp_path, images=str(tmp_path / "images"))
    perfect = ("f_ods", "covering_ods", "rand_ods", "boundary_recall", "achievable", "explained")
    assert {evaluation.overall[key] for key in perfect} == {1.0}
    assert (evaluation.overall["undersegmentation"], evaluation.overall["voi_ods"]) == (0.0, 0.0)
    assert evaluation.overall["segments"] == 2
    assert "ap" not in evaluation.overall
    assert list(evaluation.rows) == ["a", "b", "c"]
    # A folder with the name of one beside the truth is found, when it has all images at the right size.
    assert run(tmp_path).overall == evaluation.overall
    save(tmp_path / "images" / "a.png", np.zeros((3, 3, 3), np.uint8))
    assert "explained" not in run(tmp_path).overall
    (tmp_path / "images" / "a.png").unlink()
    assert "explained" not in run(tmp_path).overall
    with pytest.raises(FormatError, match="holds no image a"):
        run(tmp_path, images=str(tmp_path / "images"))
    with pytest.raises(InputError, match="nowhere does not exist"):
        run(tmp_path, images=str(tmp_path / "truth" / "nowhere"))


def test_the_picture_shows_the_best_level_not_the_middle_one(tmp_path):
    levels = np.stack([np.zeros((8, 12), np.int32), np.zeros((8, 12), np.int32), halves((8, 12))])
    save(tmp_path / "truth" / "a.npy", halves((8, 12)))
    save(tmp_path / "results" / "a.npy", levels)
    picture = run(tmp_path).frames[0].picture()
    assert (picture == (40, 200, 80)).all(2).any()
    assert not (picture == (60, 110, 255)).all(2).any()


def moving_square(frames=5, size_hw=(20, 24)):
    """Labels 1 and 2: a square that moves a pixel a frame to the right before a background."""
    labels = np.ones((frames, *size_hw), np.int32)
    for t in range(frames):
        labels[t, 6:12, 4 + t : 10 + t] = 2
    return labels


def test_a_video_is_measured_as_supervoxels_with_consistency_along_the_flow(tmp_path):
    truth = moving_square()
    result = truth.copy()
    result[3:][result[3:] == 2] = 7  # the square changes its label once
    for t in range(len(truth)):
        save(tmp_path / "truth" / "clip" / f"{t}.png", truth[t].astype(np.uint8))
        save(tmp_path / "results" / "clip" / f"{t}.png", result[t].astype(np.uint8))
        flow_xy = np.zeros((20, 24, 2), np.float32)
        flow_xy[truth[t] == 2] = (1, 0)
        (tmp_path / "flow" / "clip").mkdir(parents=True, exist_ok=True)
        write_flow(tmp_path / "flow" / "clip" / f"{t}.flo", flow_xy)
    row = run(tmp_path, video=True, flow=str(tmp_path / "flow")).rows["clip (video)"]
    assert row["sv_boundary_recall"] == boundary_recall(result, truth) == 1.0
    assert row["sv_undersegmentation"] == 0.0 and row["sv_achievable"] == 1.0
    assert row["sv_compactness"] == compactness(result)
    assert row["supervoxels"] == 3 and row["sv_duration"] == pytest.approx((5 + 3 + 2) / 3)
    # 36 pixels of the square lose their label once; 6 a frame of the background come to lie under the square.
    assert row["sv_consistency"] == pytest.approx(1 - (36 + 4 * 6) / (4 * 480))
    assert "sv_explained" not in row
    (tmp_path / "flow" / "clip" / "2.flo").unlink()
    with pytest.raises(FormatError, match=r"1 frames have no true flow .*clip/2"):
        run(tmp_path, video=True, flow=str(tmp_path / "flow"))
    with pytest.raises(OptionError, match="--flow goes with --video"):
        run(tmp_path, flow=str(tmp_path / "flow"))


def test_void_pixels_of_a_video_do_not_count_as_leakage(tmp_path):
    truth = moving_square()
    result = np.ones_like(truth)
    for t in range(len(truth)):
        save(tmp_path / "truth" / "clip" / f"{t}.png", truth[t].astype(np.uint8))
        save(tmp_path / "results" / "clip" / f"{t}.png", result[t].astype(np.uint8))
    assert run(tmp_path, video=True).overall["sv_achievable"] == pytest.approx(1 - 36 / 480)
    assert run(tmp_path, video=True, void_label=2).overall["sv_achievable"] == 1.0


def test_boundary_recall_of_a_long_video_in_pieces_equals_that_of_one_piece():
    from scipy.ndimage import distance_transform_edt

    rng = np.random.default_rng(5)
    truth, result = rng.integers(0, 2, (2, 37, 9, 11)).repeat(2, 2).repeat(3, 3)
    truth[10:30] = 0
    wanted, found = _edges(truth), _edges(result)
    for tolerance_px in (0.0, 1.5, 3.0):
        expected = (distance_transform_edt(~found)[wanted] <= tolerance_px).mean()
        assert boundary_recall(result, truth, tolerance_px=tolerance_px) == pytest.approx(expected, abs=1e-12)


def test_a_missing_result_counts_as_one_segment_when_asked(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / "truth" / "s" / f"{name}.png", halves())
    save(tmp_path / "results" / "s" / "a.npy", np.stack([halves(), halves()]))
    with pytest.raises(InputError, match="s/b"):
        run(tmp_path)
    evaluation = run(tmp_path, missing_as_empty=True)
    assert evaluation.rows["s/b"]["covering_ois"] == 0.5
    assert evaluation.rows["s/b"]["f_ods"] == 0.0
    assert evaluation.overall["covering_ods"] == 0.75


def test_void_pixels_do_not_count_in_regions(tmp_path):
    truth = halves()
    truth[:4] = 255
    result = halves()
    result[:4] = 7
    save(tmp_path / "truth" / "a.png", truth)
    save(tmp_path / "results" / "a.png", result * 3)
    assert run(tmp_path, void_label=255).overall["covering_ods"] == 1.0
    result[2] = 1
    save(tmp_path / "results" / "a.png", result)
    assert run(tmp_path, void_label=255).overall["covering_ods"] == 1.0
    assert run(tmp_path).overall["covering_ods"] < 1.0


def test_sizes_levels_and_kinds_that_do_not_fit_are_refused(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / "truth" / f"{name}.png", halves())
        save(tmp_path / "results" / f"{name}.npy", np.stack([halves()] * 2))
    save(tmp_path / "results" / "b.npy", np.stack([halves()] * 3))
    with pytest.raises(InputError, match="another number of levels"):
        run(tmp_path)
    save(tmp_path / "results" / "b.npy", halves((6, 6)))
    with pytest.raises(FormatError, match=r"b\.npy is 6x6 pixels; expected 16x12"):
        run(tmp_path)
    save(tmp_path / "results" / "b.npy", np.zeros((12, 16)))
    with pytest.raises(FormatError, match="whole-number labels"):
        run(tmp_path)
    (tmp_path / "results" / "b.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(FormatError, match=r"b\.npy cannot be read"):
        run(tmp_path)


def test_damaged_mat_files_are_named_with_their_reason(tmp_path):
    from scipy.io import savemat

    path = tmp_path / "bad.mat"
    for content, reason in (
        ({"other": 1}, "holds other; expected groundTruth"),
        ({"groundTruth": np.zeros((2, 2))}, "no cell array"),
        ({"groundTruth": np.array([{"Segmentation": halves()}, 3], object)}, "lacks Segmentation or Boundaries"),
    ):
        savemat(path, content)
        with pytest.raises(FormatError, match=reason):
            read_bsds_truth(path)
    savemat(path, {"ucm2": np.zeros((4, 5))})
    with pytest.raises(FormatError, match="odd sides"):
        read_bsds_result(path)
    path.write_bytes(b"MATLAB 5.0 but no")
    with pytest.raises(FormatError, match=r"bad\.mat cannot be read"):
        read_bsds_result(path)
    with pytest.raises(FormatError, match="does not exist"):
        read_bsds_truth(tmp_path / "nowhere.mat")


def test_a_contour_map_gives_segments_and_strengths():
    contours = np.zeros((5, 9))
    contours[:, 4] = 0.5  # between the second and the third of four columns
    one, two = contour_levels(contours, [0.5, 0.4])
    assert len(np.unique(one)) == 1
    assert two.tolist() == [[1, 1, 2, 2]] * 2
    assert contour_strength(contours).tolist() == [[0, 0.5, 0, 0]] * 2
    assert math.isclose(contour_strength(contours).max(), 0.5)
