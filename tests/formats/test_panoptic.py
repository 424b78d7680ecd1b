"""Panoptic PNGs and COCO panoptic files: what is read, and what is refused with file and place."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError, OptionError
from cvseg.evaluation import Segments
from cvseg.formats.panoptic import check_segments, map_folder, read_panoptic_json, read_panoptic_png

CATEGORIES = [{"id": 7, "name": "road", "isthing": 0}, {"id": 26, "name": "car", "isthing": 1}]
SEGMENTS = [{"id": 300, "category_id": 7}, {"id": 70000, "category_id": 26, "iscrowd": 1}]
ENTRY = {"image_id": "a1", "file_name": "park/a1.png", "segments_info": SEGMENTS}
TRUTH = {"categories": CATEGORIES, "annotations": [ENTRY]}


def written(folder, data, name="truth.json"):
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def save(path, values):
    Image.fromarray(values).save(path)
    return path


def test_grey_values_and_colours_are_ids(tmp_path):
    small = np.array([[0, 255], [7, 8]], np.uint8)
    assert read_panoptic_png(save(tmp_path / "8.png", small)).tolist() == small.tolist()
    large = np.array([[0, 26011], [7000, 65535]], np.uint16)
    assert read_panoptic_png(save(tmp_path / "16.png", large)).tolist() == large.tolist()
    color = np.array([[[1, 2, 3], [255, 255, 255]]], np.uint8)
    path = save(tmp_path / "rgb.png", color)
    assert read_panoptic_png(path).tolist() == [[1 + 2 * 256 + 3 * 65536, 2**24 - 1]]
    assert read_panoptic_png(path).dtype == np.int32


def test_step_colours_are_class_and_instance(tmp_path):
    path = save(tmp_path / "rgb.png", np.array([[[26, 0, 11], [255, 1, 2]]], np.uint8))
    assert read_panoptic_png(path, encoding="step").tolist() == [[26011, 255258]]
    with pytest.raises(FormatError, match="instance 258"):
        read_panoptic_png(path, encoding="step", label_divisor=258)


def test_pictures_that_hold_no_ids_are_refused(tmp_path):
    alpha = save(tmp_path / "alpha.png", np.zeros((2, 2, 4), np.uint8))
    grey = save(tmp_path / "grey.png", np.zeros((2, 2), np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(FormatError, match="RGBA"):
        read_panoptic_png(alpha)
    with pytest.raises(FormatError, match="an RGB PNG"):
        read_panoptic_png(grey, encoding="step")
    with pytest.raises(FormatError, match="cannot be read"):
        read_panoptic_png(tmp_path / "text.png")
    with pytest.raises(FormatError, match="does not exist"):
        read_panoptic_png(tmp_path / "nothing.png")
    with pytest.raises(OptionError, match="packed"):
        read_panoptic_png(grey, encoding="pack")


def test_a_coco_file_says_what_ids_mean(tmp_path):
    file = read_panoptic_json(written(tmp_path, TRUTH))
    assert (file.classes, file.things) == ({7: "road", 26: "car"}, {26})
    image = file.images["a1"]
    assert image.segments == Segments({300: 7, 70000: 26}, frozenset({70000}))
    assert image.sequence == "park"
    with_video = TRUTH | {"images": [{"id": "a1", "video_id": 4}]}
    assert read_panoptic_json(written(tmp_path, with_video)).images["a1"].sequence == "4"


def test_the_maps_lie_in_the_folder_of_the_files_name(tmp_path):
    file = read_panoptic_json(written(tmp_path, TRUTH))
    assert map_folder(file, "") == tmp_path
    (tmp_path / "truth").mkdir()
    assert map_folder(file, "") == tmp_path / "truth"
    assert map_folder(file, str(tmp_path)) == tmp_path
    with pytest.raises(InputError, match="no folder"):
        map_folder(file, str(tmp_path / "none"))


def entry(**changes):
    return TRUTH | {"annotations": [ENTRY | changes]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "line 1"),
        ({"annotations": 3}, "no list 'annotations'"),
        ({"annotations": []}, "no list 'categories'"),
        (TRUTH | {"categories": CATEGORIES + CATEGORIES[:1]}, "category 2 has the id 7"),
        (TRUTH | {"categories": [{"id": 7}]}, "'isthing' None"),
        (TRUTH | {"annotations": [ENTRY, ENTRY]}, "annotation 1 is a second one"),
        (entry(segments_info=None), "segments_info"),
        (entry(file_name=3), "file_name 3"),
        (entry(segments_info=[5]), "segment 0 is 5"),
        (entry(segments_info=[{"id": 0, "category_id": 7}]), "the id 0"),
        (entry(segments_info=[{"id": 1, "category_id": 7}] * 2), "segment 1 has the id 1"),
        (entry(segments_info=[{"id": 1, "category_id": 8}]), "category_id 8"),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(tmp_path, data, words):
    path = written(tmp_path, data)
    with pytest.raises(FormatError, match=words) as caught:
        read_panoptic_json(path)
    assert str(path) in str(caught.value)


def test_results_have_images_of_the_truth(tmp_path):
    truth = read_panoptic_json(written(tmp_path, TRUTH))
    results = written(tmp_path, {"annotations": [ENTRY | {"image_id": "b"}]}, "results.json")
    with pytest.raises(FormatError, match="'b', which the truth does not have"):
        read_panoptic_json(results, truth)
    assert read_panoptic_json(written(tmp_path, {"annotations": [ENTRY]}, "results.json"), truth).things == {26}


def test_ids_of_picture_and_entry_are_the_same(tmp_path):
    segments = Segments({300: 7, 70000: 26})
    check_segments(tmp_path, [0, 300, 70000], segments, unlisted_is_void=False)
    check_segments(tmp_path, [5, 300, 70000], segments, unlisted_is_void=True)
    with pytest.raises(FormatError, match=r"the ids \[5\]"):
        check_segments(tmp_path, [5, 300, 70000], segments, unlisted_is_void=False)
    with pytest.raises(FormatError, match=r"no pixel of the ids \[70000\]"):
        check_segments(tmp_path, [300], segments, unlisted_is_void=True)
