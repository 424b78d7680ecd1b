"""What the accuracy benchmarks share: timing a segmentation, scoring masks, and noting where and with what it ran."""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "scipy", "numba", "scikit-image", "av", "pillow")

Segment = Callable[..., Iterable[Any]]


def timed(results: Iterable[Any], clock: list[float]) -> Iterator[Any]:
    """Pass `results` on; the seconds spent in making them, without those of the caller, are added to `clock[0]`."""
    iterator = iter(results)
    while True:
        began = time.perf_counter()
        try:
            result = next(iterator)
        except StopIteration:
            clock[0] += time.perf_counter() - began
            return
        clock[0] += time.perf_counter() - began
        yield result


def warm_up(segment: Segment, source: Any, **settings: Any) -> None:
    """Compile what two frames need, so that no sequence pays for it."""
    results = iter(segment(source, **settings))
    for _ in itertools.islice(results, 2):
        pass
    if hasattr(results, "close"):
        results.close()


def environment() -> dict[str, Any]:
    """Machine, versions and commit of this run."""
    import cvseg

    versions = {"python": platform.python_version(), "cvseg": cvseg.__version__}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": cores},
        "versions": versions,
        "commit": _git("rev-parse", "HEAD") or "unknown",
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def rounded(values: Any) -> Any:
    """Nested dicts and lists with every float at six digits, ready for JSON."""
    if isinstance(values, dict):
        return {key: rounded(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [rounded(value) for value in values]
    if isinstance(values, (float, np.floating)):
        return None if np.isnan(values) else round(float(values), 6)
    return values


def write_record(path: Path | None, record: Any) -> None:
    """What `--json` asks for: the record as a file, its folder made; None writes nothing."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def print_row(words: Iterable[Any], widths: Iterable[int]) -> None:
    """One line of a table: text to the left, numbers to the right with three digits."""
    cells = []
    for word, width in zip(words, widths, strict=True):
        if isinstance(word, float):
            text = "-" if np.isnan(word) else f"{word:.3f}"
            cells.append(text.rjust(width))
        else:
            cells.append(str(word).ljust(width) if isinstance(word, str) else str(word).rjust(width))
    print("  ".join(cells), flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
