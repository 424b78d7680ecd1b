"""What a measurement was made on: machine, versions, commit; and the JSON file that measurements are gathered in."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from cvseg import __version__
from cvseg.arrays import cuda_available, cupy_module
from cvseg.kernels.bands import thread_count

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "scikit-image", "cupy-cuda12x", "cupy-cuda13x", "cupy", "pytest")
SIZES_HW = {"480p": (480, 854), "1080p": (1080, 1920), "2160p": (2160, 3840)}


def parse_size(text: str) -> tuple[str, tuple[int, int]]:
    """``"480p"`` or ``"61x47"`` (height x width) as a name and (height, width)."""
    if text in SIZES_HW:
        return text, SIZES_HW[text]
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit()):
        raise SystemExit(f"size is {text!r}; expected {', '.join(SIZES_HW)} or HEIGHTxWIDTH.")
    return text, (int(height), int(width))


def describe() -> dict[str, Any]:
    """Machine, versions and commit, ready for JSON."""
    versions = {"cvseg": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "measured_utc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": _git("status", "--porcelain", "--untracked-files=no").splitlines(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
            "kernel_threads": thread_count(),
            "gpu": _gpu() if cuda_available() else None,
        },
        "versions": versions,
    }


def _git(*words: str) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""  # an exported tree


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _gpu() -> dict[str, Any]:
    runtime = cupy_module().cuda.runtime
    properties = runtime.getDeviceProperties(cupy_module().cuda.Device().id)
    name = properties["name"]
    try:
        nvrtc = ".".join(map(str, cupy_module().cuda.nvrtc.getVersion()))
    except Exception as error:  # CuPy's search for the library fails in many ways; the first compilation will tell
        nvrtc = f"not found ({type(error).__name__})"
    return {
        "name": name.decode() if isinstance(name, bytes) else str(name),
        "compute_capability": cupy_module().cuda.Device().compute_capability,
        "memory_gb": round(properties["totalGlobalMem"] / 1e9, 1),
        "multiprocessors": properties["multiProcessorCount"],
        "l2_cache_mb": round(properties["l2CacheSize"] / 1e6, 1),
        "cuda_driver": runtime.driverGetVersion(),
        "cuda_runtime": runtime.runtimeGetVersion(),
        "nvrtc": nvrtc,
    }


def add_to_json(path: Path, sections: dict[str, Any]) -> None:
    """Put `sections` into the JSON file, beside what other programs have put there."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else describe()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".writing")
    beside.write_text(json.dumps({**known, **sections}, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)
