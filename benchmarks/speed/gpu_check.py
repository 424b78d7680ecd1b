"""The flow, parity on a real GPU, then all timings, into one JSON file. Started by benchmarks/gpu_check.sh.

What matters most comes first, and every part is written when it is done: a machine that is taken away leaves a report.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from benchmarks.speed import flow_gpu, kernels, stages
from benchmarks.speed.machine import ROOT, add_to_json, describe
from cvseg.errors import CvsegError

# Tests that take a device; none of them needs a package beside NumPy, SciPy, scikit-image, Numba, CuPy and pytest.
TESTS = (
    *("tests/kernels", "tests/test_arrays.py", "tests/test_checks.py", "tests/appearance", "tests/background"),
    *("tests/color", "tests/flow", "tests/motion", "tests/regions"),
)


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when everything passed and was timed."""
    parser = argparse.ArgumentParser(prog="benchmarks/gpu_check.sh", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["480p", "1080p"], help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "quality"])
    parser.add_argument("--kernels", nargs="+", help="names from the catalogue; all without this")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--tests", nargs="+", default=[test for test in TESTS if (ROOT / test).exists()])
    parser.add_argument("--output", type=Path, help="the JSON file; benchmarks/results/<gpu>-<date>.json without this")
    options = parser.parse_args(arguments)
    try:
        machine = describe()
        if machine["machine"]["gpu"] is None:
            from cvseg.arrays import cupy_module

            cupy_module()
    except CvsegError as error:
        print(error, file=sys.stderr)
        return 2
    output = options.output or default_output(machine["machine"]["gpu"]["name"])
    output.unlink(missing_ok=True)
    common = ["--sizes", *options.sizes, "--json", str(output)]
    presets = ["--presets", *options.presets]
    failures = flow_gpu.main([*common, *presets, "--repeats", str(options.repeats)])
    parity = run_parity(options.tests)
    add_to_json(output, {"parity": parity})
    print(f"parity: {parity['passed']} passed, {parity['failed']} failed, {parity['skipped']} skipped")
    common = ["--device", "cuda", *common]
    chosen = ["--kernels", *options.kernels] if options.kernels else []
    failures += kernels.main([*common, *chosen, "--repeats", str(options.repeats)])
    failures += stages.main([*common, *presets, "--repeats", str(max(3, options.repeats // 3))])
    print(f"written: {output}")
    return int(failures > 0 or parity["failed"] > 0 or parity["passed"] == 0)


def default_output(gpu_name: str) -> Path:
    word = re.sub(r"[^a-z0-9]+", "-", gpu_name.lower()).strip("-")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return ROOT / "benchmarks" / "results" / f"{word}-{today}.json"


def run_parity(tests: list[str]) -> dict[str, Any]:
    """Run the GPU tests in a process of their own; a broken launch must not reach the timings."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *tests, "-m", "gpu", "--require-gpu", f"--junitxml={report}"]
        # Other versions of the packages than ours may warn; here that is no failure.
        command += ["-W", "default", "-p", "no:cacheprovider"]
        if importlib.util.find_spec("xdist") is not None:  # most of the time goes into compiling the CPU halves
            command += ["-n", str(min(8, os.cpu_count() or 1))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        status = subprocess.run(command, cwd=ROOT, env=environment).returncode
        cases = list(ElementTree.parse(report).iter("testcase")) if report.is_file() else []
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return {
        "command": " ".join(["pytest", *tests, "-m", "gpu", "--require-gpu"]),
        "exit_status": status,
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": len(failed) if cases else int(status != 0),
        "skipped": len(skipped),
        "failures": [
            {"test": f"{case.get('classname')}::{case.get('name')}", "says": _reason(case)} for case in failed
        ],
    }


def _reason(case: ElementTree.Element) -> str:
    found = case.find("failure")
    found = case.find("error") if found is None else found
    return (found.get("message") or "")[:400] if found is not None else ""


if __name__ == "__main__":
    raise SystemExit(main())
