"""What the sources import is what setup.py declares: a package that only the tests install would break users."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from cvseg.cli.requirements import requirements

ROOT = Path(__file__).resolve().parents[2]
# The module a distribution provides, where the two names differ.
MODULES = {
    "scikit-image": "skimage",
    "pillow": "PIL",
    "opencv-contrib-python": "cv2",
    "scikit-learn": "sklearn",
    "cupy-cuda12x": "cupy",
    "cupy-cuda13x": "cupy",
}
# From the standard library of 3.11 on; code that names them falls back on 3.10.
NEWER_STANDARD = {"tomllib"}
# Numba pins its own llvmlite exactly: declaring it again could only contradict it.
BROUGHT_BY_NUMBA = {"llvmlite"}


def imported_modules(path):
    """Top-level names that a file imports anywhere, in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def source_files():
    return [path for folder in ("cvseg", "kernels") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_every_import_is_declared_in_setup_py():
    declared = {MODULES.get(r.name, r.name).replace("-", "_") for r in requirements() if r.extra != "test"}
    allowed = declared | set(sys.stdlib_module_names) | NEWER_STANDARD | BROUGHT_BY_NUMBA | {"cvseg"}
    strange = {(str(p.relative_to(ROOT)), name) for p in source_files() for name in imported_modules(p)}
    assert not {(path, name) for path, name in strange if name not in allowed}


def test_cupy_is_imported_in_two_files_only():
    users = {str(path.relative_to(ROOT)) for path in source_files() if "cupy" in set(imported_modules(path))}
    assert users <= {"cvseg/arrays.py", "kernels/cuda.py"}


def test_kernels_know_neither_videos_nor_tracks_nor_the_command_line():
    forbidden = ("cvseg.video", "cvseg.tracking", "cvseg.pipeline", "cvseg.cli", "cvseg.records", "cvseg.report")
    for path in sorted((ROOT / "kernels").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in forbidden if f"import {name}" in text or f"from {name}" in text], path


@pytest.mark.parametrize("extra", ["cuda12", "cuda13", "opencv", "ml", "plot", "web", "cluster", "docs", "test"])
def test_every_promised_extra_names_packages(extra):
    assert [r.name for r in requirements() if r.extra == extra]


def test_no_pip_name_of_the_gpu_packages_is_in_the_core():
    assert not [r.name for r in requirements() if not r.extra and ("cupy" in r.name or "cuda" in r.name)]
