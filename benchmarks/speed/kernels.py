"""Times of every kernel at several sizes, against a copy of as many bytes: ``python -m benchmarks.speed.kernels``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import SIZES_HW, add_to_json, describe, parse_size
from benchmarks.speed.timing import time_call
from cvseg.arrays import array_module, choose_device, cupy_module, to_device, to_host
from cvseg.errors import InputError
from cvseg.kernels import KERNELS
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel


def main(arguments: list[str] | None = None) -> int:
    """Returns the number of kernels that failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.kernels", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES_HW), help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--kernels", nargs="+", default=list(KERNELS), help="names from the catalogue")
    parser.add_argument("--repeats", type=int, default=40, help="timed runs of each kernel at each size")
    parser.add_argument("--json", type=Path, help="add the results to this file")
    options = parser.parse_args(arguments)
    device = choose_device(options.device)
    sizes = [parse_size(text) for text in options.sizes]
    kernels = [KERNELS[name] for name in options.kernels]

    sections: dict[str, Any] = {"kernel_device": device}
    if device == "cuda":
        sections["compile"] = compile_times(kernels)
        sections["transfers"] = [transfer_times(name, size_hw, options.repeats) for name, size_hw in sizes]
    sections["copy"] = [copy_time(nbytes, device, options.repeats) for nbytes in (1 << 20, 1 << 24, 1 << 28)]
    print(
        f"copies on {device}: "
        + ", ".join(f"{c['bytes'] >> 20} MiB {c['gb_per_s']:.1f} GB/s" for c in sections["copy"])
    )
    print(f"{'kernel':26} {'size':>6} {'median ms':>10} {'p10':>9} {'p90':>9} {'GB/s':>8} {'x copy':>7}")
    rows = sections["kernels"] = []
    for kernel in kernels:
        for name, size_hw in sizes:
            row = {"kernel": kernel.name, "size": name, "height": size_hw[0], "width": size_hw[1]}
            try:
                row.update(kernel_time(kernel, size_hw, device, options.repeats))
            except InputError as error:
                row["skipped"] = str(error)
            except Exception as error:  # the others still count; the sum of failures is the exit status
                row["error"] = f"{type(error).__name__}: {error}"
            rows.append(row)
            print(table_line(row), flush=True)
    if options.json:
        add_to_json(options.json, sections)
    return sum("error" in row for row in rows)


def kernel_time(kernel: Kernel, size_hw: tuple[int, int], device: str, repeats: int) -> dict[str, Any]:
    """Time one kernel on its sample; bytes are those of array arguments and results."""
    rng = np.random.default_rng([zlib.crc32(kernel.name.encode()), *size_hw])
    host = kernel.sample(rng, size_hw)
    placed = tuple(to_device(value.copy(), device) if isinstance(value, np.ndarray) else value for value in host)
    start = time.perf_counter()
    results = kernel(*placed)
    first_ms = 1e3 * (time.perf_counter() - start)
    results = results if isinstance(results, tuple) else (results,)
    # Arguments that the kernel updates start from the same values in every run.
    originals = {
        i: to_device(host[i].copy(), device)
        for i, one in enumerate(placed)
        if any(shares_memory(one, result) for result in results)
    }

    def restore() -> None:
        for i, original in originals.items():
            placed[i][...] = original

    new = [one for one in results if hasattr(one, "nbytes") and not any(shares_memory(one, other) for other in placed)]
    nbytes = sum(value.nbytes for value in (*placed, *new) if getattr(value, "ndim", 0))
    times = time_call(lambda: kernel(*placed), device, repeats=repeats, before=restore if originals else None)
    copy = copy_time(nbytes, device, max(5, repeats // 2))
    return {
        **times,
        "first_call_ms": first_ms,
        "bytes": nbytes,
        "gb_per_s": nbytes / times["median_ms"] / 1e6,
        "copy_ms": copy["median_ms"],
        "times_copy": times["median_ms"] / copy["median_ms"],
    }


def shares_memory(one: Any, other: Any) -> bool:
    """Whether two arrays on one device overlap."""
    if not (getattr(one, "ndim", 0) and getattr(other, "ndim", 0)):
        return False
    if isinstance(one, np.ndarray):
        return np.may_share_memory(one, other)
    first, second = one.data.ptr, other.data.ptr
    return first < second + other.nbytes and second < first + one.nbytes


def copy_time(nbytes: int, device: str, repeats: int) -> dict[str, Any]:
    """Time of a copy that reads and writes `nbytes` together: the floor for any kernel that touches as many."""
    source = to_device(np.ones(max(1, nbytes // 2), np.uint8), device)  # zeros would be pages that do not exist yet
    xp = array_module(source)
    target = xp.empty_like(source)
    times = time_call(lambda: xp.copyto(target, source), device, repeats=repeats)
    return {"bytes": nbytes, **times, "gb_per_s": nbytes / max(times["median_ms"], 1e-6) / 1e6}


def compile_times(kernels: list[Kernel]) -> list[dict[str, Any]]:
    """Time to compile each `.cu` file, past every cache."""
    rows = []
    before = os.environ.get("CUPY_CACHE_DIR")
    for kernel in kernels:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["CUPY_CACHE_DIR"] = folder
            source = next(v for v in vars(sys.modules[kernel.cuda.__module__]).values() if isinstance(v, CudaSource))
            fresh = CudaSource(str(source.path), source.defines)
            start = time.perf_counter()
            fresh._compile(cupy_module())
            rows.append({"kernel": kernel.name, "compile_ms": 1e3 * (time.perf_counter() - start)})
    if before is None:
        os.environ.pop("CUPY_CACHE_DIR", None)
    else:
        os.environ["CUPY_CACHE_DIR"] = before
    print(f"compiled {len(rows)} files in {sum(row['compile_ms'] for row in rows) / 1e3:.1f} s")
    return rows


def transfer_times(name: str, size_hw: tuple[int, int], repeats: int) -> dict[str, Any]:
    """Upload of an RGB frame and download of a label map, by the wall clock."""
    from benchmarks.speed.timing import time_wall

    frame = np.zeros((*size_hw, 3), np.uint8)
    labels = to_device(np.zeros(size_hw, np.int32), "cuda")
    upload = time_wall(lambda: to_device(frame, "cuda"), "cuda", repeats=repeats)
    download = time_wall(lambda: to_host(labels), "cuda", repeats=repeats)
    print(f"{name}: upload of a frame {upload['median_ms']:.3f} ms, download of labels {download['median_ms']:.3f} ms")
    return {
        "size": name,
        "upload_bytes": frame.nbytes,
        "upload": upload,
        "download_bytes": labels.nbytes,
        "download": download,
    }


def table_line(row: dict[str, Any]) -> str:
    head = f"{row['kernel']:26} {row['size']:>6}"
    for key in ("skipped", "error"):
        if key in row:
            return f"{head} {key}: {row[key]}"
    return (
        f"{head} {row['median_ms']:10.4f} {row['p10_ms']:9.4f} {row['p90_ms']:9.4f} {row['gb_per_s']:8.1f} "
        f"{row['times_copy']:7.1f}"
    )


if __name__ == "__main__":
    machine = describe()["machine"]
    print(f"{machine['cpu']}, {machine['kernel_threads']} threads; GPU: {(machine['gpu'] or {}).get('name', 'none')}")
    raise SystemExit(min(1, main()))
