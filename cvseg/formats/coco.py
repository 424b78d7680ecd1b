"""COCO instance files: truth and results of images, and of videos as YouTube-VIS stores them.

Rules of the format, checked when a file is read: boxes are [left, top, width, height], 0-based, in pixels, half-open;
masks are polygons or run-length masks, see `cvseg.formats.coco_rle`; there is no ignore label, "iscrowd" marks a region
of many objects; image, video, category and annotation ids are unique, and what refers to one finds it. A result without
a mask (and, when masks are not asked for, without a box) is an error. In videos there is one mask, or null, for each
frame. What is damaged is named by its place in the list.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvseg.errors import FormatError, nearest_name
from cvseg.formats.coco_rle import segmentation_runs
from cvseg.masks.run_length import Runs, run_area

Id = int | str

MOST_PIXELS = 2**31 - 1  # of an image: kernels count pixels with 32 bits


@dataclass(frozen=True)
class CocoImage:
    """One image, or one video.

    Attributes
    ----------
    id : as in the file
    name : file name; of a video the folder of its first frame, else its id
    size_hw : height and width
    frames : file names of a video, in order; empty for an image
    """

    id: Id
    name: str
    size_hw: tuple[int, int]
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class CocoInstance:
    """One true object or one result, in an image or a video.

    Attributes
    ----------
    place : where it stands in its file, as "annotation 3 (id 17)"
    image_id, class_id : as in the file
    masks : runs of the mask in each frame, None where it is not there; one element for an image, empty when only boxes
        were asked for
    box_xywh : left, top, width, height in pixels; None in videos, and where the file has none
    area : pixels, in a video the mean over the frames where it is; as the file says, else counted from the masks
    crowd : stands for many objects
    score : confidence of a result; NaN for the truth
    """

    place: str
    image_id: Id
    class_id: int
    masks: tuple[Runs | None, ...]
    box_xywh: tuple[float, float, float, float] | None
    area: float
    crowd: bool
    score: float


@dataclass(frozen=True)
class CocoTruth:
    """A truth file.

    Attributes
    ----------
    path : the file
    video : True for videos
    images : by id, in the order of rising ids
    classes : id to name, in the order of rising ids
    instances : in the order of the file
    """

    path: Path
    video: bool
    images: Mapping[Id, CocoImage]
    classes: Mapping[int, str]
    instances: Sequence[CocoInstance]


def read_coco_truth(path: str | Path, *, boxes_only: bool = False) -> CocoTruth:
    """Read images or videos, classes and true objects.

    Parameters
    ----------
    path : JSON file with "images" or "videos", "categories", "annotations"
    boxes_only : do not read masks; every object then needs a box

    Raises
    ------
    FormatError
        naming the file and the entry.
    """
    path = Path(path)
    data = read_json(path)
    video = isinstance(data, Mapping) and "videos" in data and "images" not in data
    kind = "videos" if video else "images"
    lists = {name: _list_of_tables(path, data, name) for name in (kind, "categories", "annotations")}
    images: dict[Id, CocoImage] = {}
    for place, table in enumerate(lists[kind]):
        image = _image(_Entry(path, f"{kind[:-1]} {place}", table), video)
        if image.id in images:
            raise FormatError(
                f"{path}: {kind[:-1]} {place} has the id {image.id} of an earlier one; expected each once."
            )
        images[image.id] = image
    classes: dict[int, str] = {}
    for place, table in enumerate(lists["categories"]):
        class_id = _Entry(path, f"category {place}", table).whole("id")
        if class_id in classes:
            raise FormatError(f"{path}: category {place} has the id {class_id} of an earlier one; expected each once.")
        classes[class_id] = str(table.get("name", class_id))
    seen: dict[Any, str] = {}
    instances = []
    for place, table in enumerate(lists["annotations"]):
        entry = _Entry(path, f"annotation {place}", table)
        if "id" in table:
            entry = _Entry(path, f"annotation {place} (id {table['id']})", table)
            if (before := seen.setdefault(str(table["id"]), entry.place)) != entry.place:
                raise FormatError(f"{path}: {entry.place} has the id of {before}; expected each id once.")
        instances.append(_instance(entry, images, classes, video, boxes_only, scored=False))
    return CocoTruth(path, video, _by_id(images), dict(sorted(classes.items())), instances)


def read_coco_results(path: str | Path, truth: CocoTruth, *, boxes_only: bool = False) -> list[CocoInstance]:
    """Read a list of scored results for the images or videos of `truth`.

    Parameters
    ----------
    path : JSON file with a list of tables: "image_id" or "video_id", "category_id", "score", and "segmentation",
        "segmentations" or "bbox"
    truth : what the results are for
    boxes_only : do not read masks; every result then needs a box

    Returns
    -------
    list of CocoInstance : in the order of the file. The area is that of the mask; of the box when only boxes are read

    Raises
    ------
    FormatError
        naming the file and the entry: also for an image or a class that the truth does not have.
    """
    path = Path(path)
    data = read_json(path)
    if isinstance(data, Mapping) and isinstance(data.get("annotations"), list):
        data = data["annotations"]
    if not isinstance(data, list):
        raise FormatError(f"{path} holds {_kind(data)}; expected a list of results, one table each.")
    found = []
    for place, table in enumerate(data):
        if not isinstance(table, Mapping):
            raise FormatError(f"{path}: result {place} is {_kind(table)}; expected a table.")
        entry = _Entry(path, f"result {place}", table)
        found.append(_instance(entry, truth.images, truth.classes, truth.video, boxes_only, scored=True))
    return found


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    FormatError
        with line and column of what is wrong.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a JSON file. Check the path.") from None
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror}); expected a JSON file.") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not text (byte {error.start}); expected a JSON file.") from None
    except json.JSONDecodeError as error:
        raise FormatError(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}; expected JSON. Is the file complete?"
        ) from None
    except RecursionError:
        raise FormatError(f"{path} is nested too deeply; expected a COCO file.") from None
    except ValueError:  # Python refuses whole numbers of thousands of digits
        raise FormatError(f"{path} holds a number of thousands of digits; expected a COCO file.") from None


@dataclass(frozen=True)
class _Entry:
    """One table of a file; what is wrong with it is named by file and place."""

    path: Path
    place: str
    table: Mapping[str, Any]

    def error(self, text: str) -> FormatError:
        return FormatError(f"{self.path}: {self.place} {text}")

    def whole(self, key: str) -> int:
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"has {key!r} {_shown(value)}; expected a whole number.")
        return value

    def name(self, key: str) -> Id:
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise self.error(f"has {key!r} {_shown(value)}; expected a whole number or a text.")
        return value

    def number(self, key: str) -> float:
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.error(f"has {key!r} {_shown(value)}; expected a number.")
        return float(value)


def _image(entry: _Entry, video: bool) -> CocoImage:
    key, height, width = entry.name("id"), entry.whole("height"), entry.whole("width")
    if height < 1 or width < 1 or height * width > MOST_PIXELS:
        raise entry.error(f"is {width}x{height} pixels; expected at least 1x1, and at most {MOST_PIXELS} pixels.")
    if not video:
        return CocoImage(key, str(entry.table.get("file_name", key)), (height, width))
    names = entry.table.get("file_names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise entry.error(f"has 'file_names' {_shown(names)}; expected a list of the names of its frames.")
    folder = Path(names[0]).parent.as_posix()
    return CocoImage(key, str(key) if folder == "." else folder, (height, width), tuple(names))


def _instance(
    entry: _Entry,
    images: Mapping[Id, CocoImage],
    classes: Mapping[int, str],
    video: bool,
    boxes_only: bool,
    *,
    scored: bool,
) -> CocoInstance:
    key = "video_id" if video else "image_id"
    image_id, class_id = entry.name(key), entry.whole("category_id")
    if image_id not in images:
        raise entry.error(f"is for {key} {image_id!r}, which the truth does not have. Do both files belong together?")
    if class_id not in classes:
        known = nearest_name(str(class_id), (str(c) for c in classes))
        raise entry.error(f"has category_id {class_id}, which the truth does not have; {known}")
    image = images[image_id]
    masks = () if boxes_only else _masks(entry, image, video)
    box = None if video else _box(entry, needed=boxes_only)
    if boxes_only and video:
        raise entry.error("belongs to a video; expected images: tubes are measured by their masks. Ask for masks.")
    if scored:
        # Not what a file says: the reference program takes the area of a box for a mask that also has one.
        area = _mean_area(masks) if not boxes_only or box is None else box[2] * box[3]
    else:
        area = _stated_area(entry, masks, box, video)
    crowd = entry.table.get("iscrowd", 0)
    if crowd not in (0, 1):
        raise entry.error(f"has 'iscrowd' {_shown(crowd)}; expected 0 or 1.")
    score = entry.number("score") if scored else math.nan
    return CocoInstance(entry.place, image_id, class_id, masks, box, area, bool(crowd), score)


def _masks(entry: _Entry, image: CocoImage, video: bool) -> tuple[Runs | None, ...]:
    key = "segmentations" if video else "segmentation"
    given = entry.table.get(key)
    if given is None:
        raise entry.error(f"has no {key!r}; expected a mask. Measure boxes instead, or write masks.")
    if not video:
        given = [given]
    elif not isinstance(given, list) or len(given) != len(image.frames):
        count = f"{len(given)} masks" if isinstance(given, list) else _kind(given)
        raise entry.error(f"has {count} under {key!r}; expected {len(image.frames)}, one (or null) a frame.")
    masks: list[Runs | None] = []
    for frame, segmentation in enumerate(given):
        try:
            # Some writers mark an absent frame with an empty list.
            absent = video and (segmentation is None or segmentation == [])
            masks.append(None if absent else segmentation_runs(segmentation, image.size_hw))
        except FormatError as error:
            where = f" in frame {frame}" if video else ""
            raise entry.error(f"has a wrong mask{where}: {error}") from None
    return tuple(masks)


def _box(entry: _Entry, *, needed: bool) -> tuple[float, float, float, float] | None:
    box = entry.table.get("bbox")
    if box is None and not needed:
        return None
    numbers = isinstance(box, list) and all(
        isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in box
    )
    if not isinstance(box, list) or len(box) != 4 or not numbers or min(box[2:]) < 0:
        if not needed:
            return None  # nothing is measured by it
        raise entry.error(f"has 'bbox' {_shown(box)}; expected [left, top, width, height] in pixels.")
    left, top, width, height = (float(value) for value in box)
    return left, top, width, height


def _stated_area(
    entry: _Entry, masks: tuple[Runs | None, ...], box: tuple[float, float, float, float] | None, video: bool
) -> float:
    if not video:
        if "area" in entry.table:
            return entry.number("area")
        return box[2] * box[3] if not masks and box else _mean_area(masks)
    areas = entry.table.get("areas")
    if areas is None:
        return _mean_area(masks)
    if not isinstance(areas, list) or not all(isinstance(a, (int, float, type(None))) for a in areas):
        raise entry.error(f"has 'areas' {_shown(areas)}; expected one number (or null) a frame.")
    present = [float(a) for a in areas if a]
    return float(np.mean(present)) if present else 0.0


def _mean_area(masks: Sequence[Runs | None]) -> float:
    areas = [area for runs in masks if runs is not None and (area := run_area(runs))]
    return float(np.mean(areas)) if areas else 0.0


def _list_of_tables(path: Path, data: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(data, Mapping):
        raise FormatError(f"{path} holds {_kind(data)}; expected a table with 'images' or 'videos'. Is it the truth?")
    found = data.get(name)
    if not isinstance(found, list):
        raise FormatError(f"{path} has {_kind(found)} under {name!r}; expected a list. Is it a COCO truth file?")
    for place, entry in enumerate(found):
        if not isinstance(entry, Mapping):
            raise FormatError(f"{path}: entry {place} of {name!r} is {_kind(entry)}; expected a table.")
    return found


def _by_id(images: dict[Id, CocoImage]) -> dict[Id, CocoImage]:
    return dict(sorted(images.items(), key=lambda item: (isinstance(item[0], str), item[0])))


def _kind(value: Any) -> str:
    names: dict[type, str] = {
        dict: "a table",
        list: "a list",
        str: "a text",
        bool: "true or false",
        type(None): "nothing",
    }
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
