"""meta.json of YouTube-VOS."""

from __future__ import annotations

import json

import pytest

from cvseg.errors import FormatError
from cvseg.formats.youtube_vos import read_meta

META = {
    "videos": {
        "b2": {"objects": {"10": {"category": "cat", "frames": ["00010", "00005"]}, "2": {}}},
        "a1": {"objects": {}},
    }
}


def test_objects_are_sorted_by_their_number_and_frames_by_name(tmp_path):
    path = tmp_path / "meta.json"
    path.write_text(json.dumps(META))
    meta = read_meta(path)
    assert list(meta) == ["a1", "b2"]
    assert list(meta["b2"]) == [2, 10]
    assert (meta["b2"][10].category, meta["b2"][10].frames) == ("cat", ("00005", "00010"))
    assert (meta["b2"][2].category, meta["b2"][2].frames) == ("", ())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "no table 'videos'"),
        ('{"videos": {"a": {}}}', "video a has no table 'objects'"),
        ('{"videos": {"a": {"objects": {"x": {}}}}}', "the object 'x' is no id"),
        ('{"videos": {"a": {"objects": {"0": {}}}}}', "the object '0' is no id"),
        ('{"videos": {"a": {"objects": {"1": {"frames": [3]}}}}}', "object 1: expected a category"),
        ('{"videos": {"a": {"objects": {"1": 5}}}}', "object 1: expected a category"),
        ('{"videos":\n {', "line 2"),
    ],
)
def test_damaged_content_is_named(tmp_path, content, words):
    (tmp_path / "meta.json").write_text(content)
    with pytest.raises(FormatError, match=words):
        read_meta(tmp_path / "meta.json")


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_meta(tmp_path / "meta.json")
    (tmp_path / "meta.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="cannot be read as text"):
        read_meta(tmp_path / "meta.json")
