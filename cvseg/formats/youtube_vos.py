"""YouTube-VOS ``meta.json``: which objects a video has, of which category, and in which frames they are labelled.

    {"videos": {"003234408d": {"objects": {"1": {"category": "penguin", "frames": ["00000", "00005"]}}}}}

Object ids count from 1 and are the values of the indexed PNG masks in ``Annotations/003234408d/00000.png``; 0 is
background. Frame names are those of the files, not counts. Masks exist for every fifth frame. An object may appear
later than the first frame: its first labelled frame is the first of ``frames``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvseg.errors import FormatError

META = "meta.json"


@dataclass(frozen=True)
class LabelledObject:
    """One object of a video.

    Attributes
    ----------
    category : as "penguin"; "" where the file names none
    frames : names of the frames in which it is labelled, in order; empty where the file lists none
    """

    category: str
    frames: tuple[str, ...]


def read_meta(path: str | Path) -> dict[str, dict[int, LabelledObject]]:
    """Read ``meta.json`` of YouTube-VOS.

    Returns
    -------
    dict : video to (object id to LabelledObject), both sorted

    Raises
    ------
    FormatError
        naming the file and the place in it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected the meta.json of YouTube-VOS. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected the meta.json of YouTube-VOS.") from None
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}, line {error.lineno}: {error.msg}; expected JSON. Copy the file again.") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise FormatError(f"{path} is no meta.json of YouTube-VOS; its numbers or brackets are endless.") from None
    videos = _mapping(content, "videos", str(path), "the file")
    found = {}
    for video, entry in sorted(videos.items()):
        objects = _mapping(entry, "objects", str(path), f"video {video}")
        numbered = [_object(key, value, f"{path}, video {video}") for key, value in objects.items()]
        found[video] = dict(sorted(numbered, key=lambda pair: pair[0]))
    return found


def _mapping(value: Any, key: str, path: str, place: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise FormatError(f"{path}: {place} has no table '{key}'; expected the layout of YouTube-VOS's meta.json.")
    return found


def _object(key: str, value: Any, place: str) -> tuple[int, LabelledObject]:
    if not key.isdecimal() or int(key) < 1:
        raise FormatError(f"{place}: the object {key!r} is no id; expected a whole number from 1.")
    category = value.get("category", "") if isinstance(value, dict) else None
    frames = value.get("frames", []) if isinstance(value, dict) else None
    if not isinstance(category, str) or not isinstance(frames, list) or not all(isinstance(f, str) for f in frames):
        raise FormatError(f"{place}, object {key}: expected a category (text) and frames (a list of names of frames).")
    return int(key), LabelledObject(category=category, frames=tuple(sorted(frames)))
