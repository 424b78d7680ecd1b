"""Panoptic maps: every pixel's class and object, as PNG with the classes in its ids or in a COCO panoptic file.

Rules of the format. Ids of a PNG: the value of a grey or indexed one (8 or 16 bit); of a colour one
red + 256 green + 65536 blue ("packed"), or class = red, instance = 256 green + blue ("step", as KITTI-STEP has it).
A packed id without a COCO file is class * label_divisor + instance; instance 0 of a thing is a crowd in the truth. With
a COCO file the meaning of an id stands there ("segments_info"), 0 is void, and "iscrowd" marks crowds; what the truth
does not list is void, what the result does not list is an error. There are no runs and no boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError, OptionError, nearest_name
from cvseg.evaluation.panoptic_segments import Segments
from cvseg.formats.coco import Id, read_json

ENCODINGS = ("packed", "step")
VOID_ID = 0  # of COCO's files


@dataclass(frozen=True)
class PanopticImage:
    """One image of a COCO panoptic file.

    Attributes
    ----------
    image_id : as in the file
    file_name : PNG of ids
    sequence : video it belongs to: "video_id" of its image, else the folder in `file_name`; "" for none
    segments : what the ids mean
    """

    image_id: Id
    file_name: str
    sequence: str
    segments: Segments


@dataclass(frozen=True)
class PanopticFile:
    """A COCO panoptic file.

    Attributes
    ----------
    path : the file
    classes : id to name; empty in a file of results
    things : class ids whose objects are counted
    images : by image id, in the order of the file
    """

    path: Path
    classes: Mapping[int, str]
    things: frozenset[int]
    images: Mapping[Id, PanopticImage]


def read_panoptic_png(path: str | Path, *, encoding: str = "packed", label_divisor: int = 1000) -> NDArray[np.int32]:
    """Ids of a PNG.

    Parameters
    ----------
    path : file
    encoding : "packed" or "step", see the head of this file
    label_divisor : "step" gives class * label_divisor + instance; has to be larger than every instance number

    Returns
    -------
    (H, W) int32

    Raises
    ------
    FormatError
        when the file is missing, damaged, has transparency, or an instance number reaches `label_divisor`.
    OptionError
        for an unknown encoding.
    """
    from PIL import Image

    if encoding not in ENCODINGS:
        raise OptionError(f"read_panoptic_png: encoding is {encoding!r}; {nearest_name(encoding, ENCODINGS)}")
    try:
        with Image.open(path) as picture:
            picture.load()
            mode, values = picture.mode, np.asarray(picture)
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a PNG of panoptic ids. Check the path.") from None
    except Exception as error:  # Pillow's decoders raise nearly every built-in on damaged data
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path} cannot be read as a panoptic map ({reason}); expected a PNG.") from None
    if mode == "RGB":
        red, green, blue = (values[..., k].astype(np.int32) for k in range(3))
        if encoding == "packed":
            return red + 256 * green + 65536 * blue
        instance = 256 * green + blue
        if int(instance.max()) >= label_divisor:
            raise FormatError(
                f"{path} holds the instance {int(instance.max())}; expected less than the label divisor "
                f"{label_divisor}. Use a larger one."
            )
        return red * np.int32(label_divisor) + instance
    if encoding == "step" or (mode not in ("P", "L", "1", "I") and not mode.startswith("I;16")):
        wanted = "an RGB PNG" if encoding == "step" else "a grey, indexed or RGB PNG"
        raise FormatError(f"{path} is a picture of the kind {mode}; expected {wanted} of ids.")
    return np.ascontiguousarray(values, np.int32)


def read_panoptic_json(path: str | Path, truth: PanopticFile | None = None) -> PanopticFile:
    """Read a COCO panoptic file.

    Parameters
    ----------
    path : JSON file with "annotations" and, in the truth, "categories"
    truth : given for results: their images and classes have to be among its

    Raises
    ------
    FormatError
        naming the file and the entry.
    """
    path = Path(path)
    data = read_json(path)
    if not isinstance(data, Mapping) or not isinstance(data.get("annotations"), list):
        raise FormatError(f"{path} has no list 'annotations'; expected a COCO panoptic file.")
    if truth is None:
        classes, things = _classes(path, data.get("categories"))
    else:
        classes, things = dict(truth.classes), truth.things
    videos = {
        entry["id"]: str(entry["video_id"])
        for entry in data.get("images") or []
        if isinstance(entry, Mapping) and "video_id" in entry and isinstance(entry.get("id"), (int, str))
    }
    images: dict[Id, PanopticImage] = {}
    for place, entry in enumerate(data["annotations"]):
        where = f"{path}: annotation {place}"
        image = _image(where, entry, classes, videos)
        if image.image_id in images:
            raise FormatError(f"{where} is a second one for image {image.image_id!r}; expected one an image.")
        if truth is not None and image.image_id not in truth.images:
            raise FormatError(f"{where} is for image {image.image_id!r}, which the truth does not have.")
        images[image.image_id] = image
    return PanopticFile(path, classes, things, images)


def check_segments(path: Path, ids: Sequence[int], segments: Segments, *, unlisted_is_void: bool) -> None:
    """Demand that the ids of a PNG and of its COCO entry are the same.

    Parameters
    ----------
    path : the PNG
    ids : ids in it
    segments : of its entry
    unlisted_is_void : allow ids that the entry does not list (of the truth: nobody said what they are)

    Raises
    ------
    FormatError
    """
    unlisted = [] if unlisted_is_void else sorted(set(ids) - set(segments.classes) - {VOID_ID})
    if unlisted:
        raise FormatError(f"{path} holds the ids {unlisted[:5]}, which its entry does not list under 'segments_info'.")
    unseen = sorted(set(segments.classes) - set(ids))
    if unseen:
        raise FormatError(f"{path} holds no pixel of the ids {unseen[:5]}, which its entry lists. Was it resized?")


def map_folder(file: PanopticFile, folder: str) -> Path:
    """Where the PNGs of a COCO panoptic file lie: `folder`, else beside it under its own name, else beside it.

    Raises
    ------
    InputError
        when `folder` is no folder.
    """
    if folder:
        if not Path(folder).is_dir():
            raise InputError(f"{folder} is no folder; expected that of the PNG files of {file.path}.")
        return Path(folder)
    named = file.path.with_suffix("")
    return named if named.is_dir() else file.path.parent


def _classes(path: Path, entries: Any) -> tuple[dict[int, str], frozenset[int]]:
    if not isinstance(entries, list) or not entries:
        raise FormatError(f"{path} has no list 'categories'; expected a COCO panoptic file of the truth.")
    classes: dict[int, str] = {}
    things = set()
    for place, entry in enumerate(entries):
        class_id = entry.get("id") if isinstance(entry, Mapping) else None
        if not isinstance(class_id, int) or isinstance(class_id, bool) or class_id in classes:
            raise FormatError(f"{path}: category {place} has the id {class_id!r}; expected a whole number, each once.")
        if entry.get("isthing") not in (0, 1):
            raise FormatError(f"{path}: category {place} has 'isthing' {entry.get('isthing')!r}; expected 0 or 1.")
        classes[class_id] = str(entry.get("name", class_id))
        if entry["isthing"]:
            things.add(class_id)
    return classes, frozenset(things)


def _image(where: str, entry: Any, classes: Mapping[int, str], videos: Mapping[Id, str]) -> PanopticImage:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("segments_info"), list):
        raise FormatError(f"{where} has no list 'segments_info'; expected a COCO panoptic file.")
    image_id, file_name = entry.get("image_id"), entry.get("file_name")
    if not isinstance(image_id, (int, str)) or isinstance(image_id, bool) or not isinstance(file_name, str):
        raise FormatError(f"{where} has image_id {image_id!r} and file_name {file_name!r}; expected an id and a name.")
    known: dict[int, int] = {}
    crowd = set()
    for place, segment in enumerate(entry["segments_info"]):
        if not isinstance(segment, Mapping):
            raise FormatError(f"{where}, segment {place} is {segment!r}; expected a table.")
        segment_id, class_id = segment.get("id"), segment.get("category_id")
        if not isinstance(segment_id, int) or isinstance(segment_id, bool) or segment_id in known or segment_id < 1:
            raise FormatError(
                f"{where}, segment {place} has the id {segment_id!r}; expected numbers from 1, each once."
            )
        if not isinstance(class_id, int) or class_id not in classes:
            raise FormatError(
                f"{where}, segment {place} has category_id {class_id!r}; "
                f"{nearest_name(str(class_id), (str(c) for c in classes))}"
            )
        known[segment_id] = class_id
        if segment.get("iscrowd", 0):
            crowd.add(segment_id)
    folder = Path(file_name).parent.as_posix()
    sequence = videos.get(image_id, "" if folder == "." else folder)
    return PanopticImage(image_id, file_name, sequence, Segments(known, frozenset(crowd)))
