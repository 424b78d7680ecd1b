"""The wheel as users get it: built from the sources, installed outside the checkout beside nothing but the declared
requirements, and run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("cvseg", "kernels", "setup.py", "pyproject.toml", "README.md", "LICENSE")


def run(*words, cwd, **options):
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=600, check=False, **options
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: setuptools would take a stale build/ folder of the checkout for sources."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    run(sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", out, copy, cwd=out)
    (path,) = out.glob("cvseg-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel and its requirements; the folder is a place outside the checkout."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home / "venv", with_pip=False, symlinks=True)
    python = home / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=home).strip())
    flags = ["--no-deps", "--quiet", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "--python", python, "install", *flags, wheel, cwd=home)
    link_requirements(wheel, site)
    return home


def link_requirements(wheel, site):
    """Links to what the wheel requires, and what that requires: nothing that only the tests have, no download."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    waiting = [line for line in re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE) if ";" not in line]
    assert len(waiting) >= 9
    seen = set()
    while waiting:
        name = re.match(r"[A-Za-z0-9._-]+", waiting.pop())[0].lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # required under a marker that is false here: another platform or Python
        waiting += [line for line in distribution.requires or [] if "extra ==" not in line]
        for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            link = site / top
            if not link.exists():
                link.symlink_to(Path(sysconfig.get_paths()["purelib"]) / top)


def test_the_wheel_is_pure_python_and_holds_every_kernel(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sources = [
        path.relative_to(ROOT) for path in (ROOT / "kernels").rglob("*") if path.suffix in (".cu", ".cuh", ".py")
    ]
    assert len(sources) > 5
    missing = {f"cvseg/{path.as_posix()}" for path in sources if "__pycache__" not in path.parts} - names
    assert not missing
    package = [
        p.relative_to(ROOT).as_posix() for p in (ROOT / "cvseg").rglob("*") if p.suffix in (".py", ".html", "py.typed")
    ]
    assert not {name for name in package if "__pycache__" not in name} - names


def test_the_wheel_holds_nothing_beside_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert all(top == "cvseg" or top.endswith(".dist-info") for top in tops), tops


def test_the_installed_package_finds_its_kernels_and_cuda_sources(installed):
    code = (
        "import cvseg, pathlib, sys; from cvseg.kernels import KERNELS\n"
        "import cvseg.kernels as k; home = pathlib.Path(cvseg.__file__).parent\n"
        "assert pathlib.Path(k.__file__).parent == home / 'kernels', k.__file__\n"
        "assert len(KERNELS) > 10 and list(home.rglob('*.cu'))\n"
        "import inspect\n"
        "for name, kernel in KERNELS.items():\n"
        "    half = pathlib.Path(inspect.getsourcefile(kernel.cpu)).with_suffix('.cu')\n"
        "    assert half.is_file(), half\n"
        "assert not {'pytest', 'cv2', 'hypothesis'} & set(sys.modules)\n"
        "print(home)"
    )
    home = Path(run(installed / "venv/bin/python", "-I", "-c", code, cwd=installed).strip())
    assert home.is_relative_to(installed)


def test_the_installed_command_prints_its_version(installed):
    assert re.fullmatch(r"cvseg \d+\.\d+\.\d+", run(installed / "venv/bin/cvseg", "--version", cwd=installed).strip())


def test_the_installed_command_runs_the_demo(installed):
    text = run(installed / "venv/bin/cvseg", "demo", "--frames", 8, "--size", "160x96", "-o", "out", cwd=installed)
    assert "J" in text
    masks = sorted(path.name for path in (installed / "out" / "masks").glob("*.png"))
    assert len(masks) == 8
    for name in ("tracks.txt", "overlay.mp4", "report.html", "summary.json"):
        assert (installed / "out" / name).stat().st_size > 0, name


def test_the_installed_doctor_finds_nothing_to_repair(installed):
    assert "Healthy." in run(installed / "venv/bin/cvseg", "doctor", cwd=installed)
