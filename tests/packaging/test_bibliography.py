"""Every work that is cited stands in the bibliography, once, with what is needed to find it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ENTRIES = ENTRY.findall((ROOT / "docs" / "bibliography.bib").read_text(encoding="utf-8"))
KEYS = [key for _, key, _ in ENTRIES]


def citations():
    """Keys written as ``[Key2014]_``, and the files that cite them."""
    found = {}
    for folder in ("cvseg", "kernels", "benchmarks", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".cu", ".cuh", ".md"):
                for key in re.findall(r"\[([A-Za-z]+\d{4}[a-z]?)\]_", path.read_text(encoding="utf-8")):
                    found.setdefault(key, []).append(str(path.relative_to(ROOT)))
    return found


def test_every_cited_work_is_in_the_bibliography():
    cited = citations()
    assert len(cited) > 10, "the search for citations finds too few"
    missing = {key: files for key, files in cited.items() if key not in KEYS}
    assert not missing


def test_no_key_stands_twice():
    assert sorted(KEYS) == sorted(set(KEYS))


@pytest.mark.parametrize(("kind", "key", "body"), ENTRIES, ids=KEYS)
def test_an_entry_can_be_found_and_its_key_tells_author_and_year(kind, key, body):
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},$", body, re.MULTILINE))
    where = {"article": "journal", "inproceedings": "booktitle", "misc": "note"}[kind]
    assert {"author", "title", "year", where} <= set(fields)
    assert key.endswith(fields["year"])
    assert key.startswith(fields["author"].split(",")[0].replace("-", ""))
