"""How long `cvseg evaluate` takes for a thousand frames of 854x480, files included, and how much memory.

python -m benchmarks.speed.protocols [--frames 1000] [--protocols flow davis]

The files are drawn: three disks that differ a little between result and truth, flow that is off by noise. Twenty
frames are written to a temporary folder and linked under many names. Each protocol runs in a process of its own, start
and compiled kernels included; "cpu s" is what it used on all threads, "growth MB" what the memory grew by in the second
half of the frames.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.speed.evaluation import Material, drawn_material

ROOT = Path(__file__).resolve().parents[2]
SIZE_HW = 480, 854
DRAWN = 20
# Name to protocol and its options.
PROTOCOLS: dict[str, tuple[str, dict[str, object]]] = {
    "flow": ("flow", {}),
    "change": ("change", {}),
    "davis": ("davis", {"stability": False}),
    "davis with T": ("davis", {}),
}


def resident_mb() -> float:
    """Memory of this process now; the largest so far where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


def write_frames(folder: Path, frames: int, size_hw: tuple[int, int], *, flow: bool) -> None:
    """Results and truth of one sequence: `DRAWN` pairs of files, each linked under many names."""
    from cvseg.formats import write_flow
    from cvseg.formats.davis import write_mask

    material = drawn_material(min(DRAWN, frames), size_hw)
    rng = np.random.default_rng(0)
    for kind, masks in (("results", material.result), ("truth", material.truth)):
        drawn, sequence = folder / "drawn" / kind, folder / kind / "sequence"
        drawn.mkdir(parents=True)
        sequence.mkdir(parents=True)
        for k, mask in enumerate(masks):
            if flow:
                values = _drawn_flow(material, k, size_hw)
                if kind == "results":
                    values = values + rng.normal(0, 1, values.shape).astype(np.float32)
                write_flow(drawn / f"{k}.flo", values)
            else:
                write_mask(drawn / f"{k}.png", mask * np.uint8(255))
        ending = ".flo" if flow else ".png"
        for k in range(frames):
            (sequence / f"{k + 1:05d}{ending}").symlink_to(drawn / f"{k % len(masks)}{ending}")


def _drawn_flow(material: Material, k: int, size_hw: tuple[int, int]) -> np.ndarray:
    """Each disk with a motion of its own on a background that turns: up to 60 pixels a frame."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float32)
    flow = np.stack([(y - size_hw[0] / 2) / 60, (size_hw[1] / 2 - x) / 60], axis=-1)
    return flow + np.float32([[0, 0], [9, 2], [-30, 5], [60, -8]])[material.truth_labels[k]]


def run_protocol(name: str, folder: Path) -> dict[str, float]:
    """Evaluate the files in `folder`, in this process."""
    from cvseg.evaluation.protocols import change, davis, flow

    protocols = {
        "flow": (flow.evaluate, flow.FlowProtocolOptions),
        "change": (change.evaluate, change.ChangeProtocolOptions),
        "davis": (davis.evaluate, davis.DavisProtocolOptions),
    }
    protocol, values = PROTOCOLS[name]
    evaluate, options = protocols[protocol]
    halves = []

    def progress(done: int, total: int) -> None:
        if done in ((total + 1) // 2, total):
            halves.append(resident_mb())

    began = time.perf_counter()
    evaluate(folder / "results", folder / "truth", options(**values), progress)
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "growth_mb": halves[-1] - halves[0],
    }


def main(argv: Sequence[str] | None = None, size_hw: tuple[int, int] = SIZE_HW) -> dict[str, dict[str, float]]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--protocols", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS), metavar="PROTOCOL")
    options = parser.parse_args(argv)
    print(f"{options.frames} frames of {size_hw[1]}x{size_hw[0]}, drawn")
    print(f"{'protocol':<14} {'wall s':>7} {'cpu s':>7} {'peak MB':>8} {'growth MB':>10}")
    found = {}
    for name in options.protocols:
        with tempfile.TemporaryDirectory() as folder:
            write_frames(Path(folder), options.frames, size_hw, flow=PROTOCOLS[name][0] == "flow")
            code = "import json, pathlib, sys; from benchmarks.speed.protocols import run_protocol; "
            code += "print(json.dumps(run_protocol(sys.argv[1], pathlib.Path(sys.argv[2]))))"
            command = [sys.executable, "-c", code, name, folder]
            output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        one = found[name] = json.loads(output.splitlines()[-1])
        print(
            f"{name:<14} {one['wall_s']:7.1f} {one['cpu_s']:7.1f} {one['peak_mb']:8.0f} {one['growth_mb']:10.1f}",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()
