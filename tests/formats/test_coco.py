"""COCO files: what is read, and what is refused with file and place."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cvseg.errors import FormatError
from cvseg.formats.coco import read_coco_results, read_coco_truth
from cvseg.masks.run_length import run_area, runs_mask

IMAGE = {"id": 4, "file_name": "a/dog.jpg", "height": 6, "width": 8}
SQUARE = [[1, 1, 4, 1, 4, 4, 1, 4]]
OBJECT = {
    "id": 9,
    "image_id": 4,
    "category_id": 2,
    "segmentation": SQUARE,
    "bbox": [1, 1, 3, 3],
    "area": 9,
    "iscrowd": 0,
}
TRUTH = {"images": [IMAGE], "categories": [{"id": 2, "name": "dog"}], "annotations": [OBJECT]}
RESULT = {"image_id": 4, "category_id": 2, "score": 0.5, "segmentation": {"size": [6, 8], "counts": [7, 3, 38]}}

VIDEO = {"id": 1, "file_names": ["park/0.jpg", "park/5.jpg"], "height": 6, "width": 8, "length": 2}
TUBE = {"id": 1, "video_id": 1, "category_id": 2, "segmentations": [SQUARE, None], "areas": [9, None], "iscrowd": 0}
VIDEOS = {"videos": [VIDEO], "categories": [{"id": 2, "name": "dog"}], "annotations": [TUBE]}


def written(folder, data, name="truth.json"):
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_images_classes_and_objects_are_read(tmp_path):
    truth = read_coco_truth(written(tmp_path, TRUTH))
    assert (truth.video, truth.classes) == (False, {2: "dog"})
    assert (truth.images[4].name, truth.images[4].size_hw) == ("a/dog.jpg", (6, 8))
    (instance,) = truth.instances
    mask = np.zeros((6, 8), bool)
    mask[1:4, 1:4] = True
    assert (runs_mask(instance.masks[0], (6, 8)) == mask).all()
    assert (instance.box_xywh, instance.area, instance.crowd) == ((1, 1, 3, 3), 9, False)
    assert math.isnan(instance.score)


def test_results_have_the_area_of_what_is_compared(tmp_path):
    truth = read_coco_truth(written(tmp_path, TRUTH))
    results = written(tmp_path, [RESULT | {"bbox": [0, 0, 8, 6]}], "results.json")
    assert read_coco_results(results, truth)[0].area == 3
    assert read_coco_results(results, truth, boxes_only=True)[0].area == 48
    assert read_coco_results(results, truth)[0].score == 0.5


def test_videos_have_a_mask_or_none_for_each_frame(tmp_path):
    truth = read_coco_truth(written(tmp_path, VIDEOS))
    assert (truth.video, truth.images[1].name, truth.images[1].frames) == (True, "park", ("park/0.jpg", "park/5.jpg"))
    (instance,) = truth.instances
    assert (run_area(instance.masks[0]), instance.masks[1], instance.area) == (9, None, 9.0)
    result = {"video_id": 1, "category_id": 2, "score": 1, "segmentations": [[], RESULT["segmentation"]]}
    (found,) = read_coco_results(written(tmp_path, [result], "results.json"), truth)
    assert (found.masks[0], found.area) == (None, 3.0)


def test_areas_that_a_file_does_not_state_are_counted(tmp_path):
    plain = {key: value for key, value in OBJECT.items() if key not in ("area", "bbox")}
    assert read_coco_truth(written(tmp_path, TRUTH | {"annotations": [plain]})).instances[0].area == 9
    tube = {key: value for key, value in TUBE.items() if key != "areas"}
    assert read_coco_truth(written(tmp_path, VIDEOS | {"annotations": [tube]})).instances[0].area == 9


def test_ids_may_be_large_or_words_and_come_in_rising_order(tmp_path):
    images = [dict(IMAGE, id=i) for i in ("b", 70000, "a", 300)]
    truth = read_coco_truth(written(tmp_path, TRUTH | {"images": images, "annotations": []}))
    assert list(truth.images) == [300, 70000, "a", "b"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('{"images": [1, 2', "line 1, column 17"),
        ("[]", "expected a table"),
        ({"images": [IMAGE], "categories": []}, "'annotations'"),
        (TRUTH | {"images": [3]}, "entry 0 of 'images'"),
        (TRUTH | {"images": [IMAGE, IMAGE]}, "image 1 has the id 4"),
        (TRUTH | {"images": [IMAGE | {"height": 0}]}, "8x0"),
        (TRUTH | {"images": [IMAGE | {"height": 2**70}]}, "at most"),
        (TRUTH | {"images": [IMAGE | {"width": "8"}]}, "'width' '8'"),
        (TRUTH | {"categories": [{"id": 2}, {"id": 2}]}, "category 1"),
        (TRUTH | {"annotations": [OBJECT, OBJECT]}, "annotation 1 .id 9. has the id of annotation 0"),
        (TRUTH | {"annotations": [OBJECT | {"image_id": 5}]}, "image_id 5"),
        (TRUTH | {"annotations": [OBJECT | {"category_id": 3}]}, "category_id 3"),
        (TRUTH | {"annotations": [OBJECT | {"iscrowd": 2}]}, "iscrowd"),
        (TRUTH | {"annotations": [OBJECT | {"area": "big"}]}, "'area' 'big'"),
        (TRUTH | {"annotations": [OBJECT | {"segmentation": None}]}, "no 'segmentation'"),
        (TRUTH | {"annotations": [OBJECT | {"segmentation": {"counts": "1", "size": [6, 9]}}]}, "size"),
        (VIDEOS | {"videos": [VIDEO | {"file_names": []}]}, "file_names"),
        (VIDEOS | {"annotations": [TUBE | {"segmentations": [SQUARE]}]}, "1 masks under 'segmentations'; expected 2"),
        (VIDEOS | {"annotations": [TUBE | {"segmentations": [None, [[1, 2]]]}]}, "in frame 1"),
        (VIDEOS | {"annotations": [TUBE | {"areas": "9"}]}, "areas"),
    ],
)
def test_a_damaged_truth_is_refused_with_the_place(tmp_path, data, words):
    path = written(tmp_path, data)
    with pytest.raises(FormatError, match=words) as caught:
        read_coco_truth(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"images": []}, "list of results"),
        ([7], "result 0 is a number"),
        ([RESULT, RESULT | {"image_id": 5}], "result 1 is for image_id 5"),
        ([RESULT | {"category_id": 99}], "category_id 99"),
        ([{key: value for key, value in RESULT.items() if key != "score"}], "'score' missing"),
        ([RESULT | {"score": True}], "'score' True"),
        ([RESULT | {"segmentation": {"counts": [7, [3], 38]}}], "flat list"),
        ([RESULT | {"segmentation": {"counts": [7, 3, 38], "size": 48}}], "has size 48"),
        ([RESULT | {"segmentation": {"counts": "!!", "size": [6, 8]}}], "character 0"),
    ],
)
def test_damaged_results_are_refused_with_the_place(tmp_path, data, words):
    truth = read_coco_truth(written(tmp_path, TRUTH))
    path = written(tmp_path, data, "results.json")
    with pytest.raises(FormatError, match=words) as caught:
        read_coco_results(path, truth)
    assert str(path) in str(caught.value)


def test_boxes_are_asked_for_where_boxes_are_compared(tmp_path):
    truth = read_coco_truth(written(tmp_path, TRUTH), boxes_only=True)
    for box in (None, [1, 2, 3], [1, 2, -3, 4]):
        path = written(tmp_path, [RESULT | {"bbox": box}], "results.json")
        with pytest.raises(FormatError, match="bbox"):
            read_coco_results(path, truth, boxes_only=True)
    with pytest.raises(FormatError, match="belongs to a video"):
        read_coco_truth(written(tmp_path, VIDEOS), boxes_only=True)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_coco_truth(tmp_path / "nothing.json")
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\xff")
    with pytest.raises(FormatError, match="not text"):
        read_coco_truth(tmp_path / "picture.json")
