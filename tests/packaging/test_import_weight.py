"""`import cvseg`, `--help` and `--version` load nothing heavy. Asserted on modules: times depend on the machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "PIL",
    "av",
    "cupy",
    "cv2",
    "filterpy",
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "scipy",
    "skimage",
    "tqdm",
}


def modules_after(code: str) -> set[str]:
    """Top-level names in sys.modules of a fresh process after `code`."""
    report = "; import sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


def test_import_cvseg_brings_only_the_standard_library():
    plain, loaded = modules_after("pass"), modules_after("import cvseg")
    new = {name for name in loaded - plain if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert new == {"cvseg"}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_the_command_line_answers_without_loading_anything_heavy(flag):
    loaded = modules_after(f"import cvseg.cli.__main__ as m; m.cli([{flag!r}], standalone_mode=False)")
    assert "click" in loaded
    assert not loaded & HEAVY


def test_errors_records_and_the_kernel_package_do_not_load_numba_or_the_decoder():
    loaded = modules_after("import cvseg.errors, cvseg.options, cvseg.records, cvseg.kernels")
    assert "numpy" in loaded
    assert not loaded & (HEAVY - {"numpy"})


def test_every_public_name_is_found_at_first_use():
    import cvseg

    for name in cvseg.__all__:
        assert getattr(cvseg, name) is not None
    assert set(cvseg.__all__) <= set(dir(cvseg))


def test_an_unknown_public_name_is_an_attribute_error():
    import cvseg

    with pytest.raises(AttributeError, match="segmnt"):
        cvseg.segmnt  # noqa: B018
