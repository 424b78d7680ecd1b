"""`cvseg doctor`: what this machine offers, what is wrong, and the command that repairs it. Never crashes."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import click

import cvseg
from cvseg.cli.requirements import Found, find_all

PIP = f"{sys.executable} -m pip"


@dataclass
class Findings:
    """What was found: facts as (name, text) per section, and problems with the command that repairs each."""

    sections: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def fact(self, section: str, name: str, text: str) -> None:
        self.sections.setdefault(section, []).append((name, text))

    def problem(self, sentence: str, repair: str) -> None:
        self.problems.append((sentence, repair))

    def to_mapping(self) -> dict[str, Any]:
        return {
            "healthy": not self.problems,
            **{section: dict(facts) for section, facts in self.sections.items()},
            "problems": [{"problem": sentence, "repair": repair} for sentence, repair in self.problems],
        }


def examine() -> Findings:
    """Run every check; one that fails unexpectedly becomes a problem itself."""
    findings = Findings()
    for check in (check_machine, check_packages, check_opencv, check_threads, check_kernel_cache, check_gpu):
        try:
            check(findings)
        except Exception as error:
            findings.problem(
                f"{check.__name__} failed: {type(error).__name__}: {error}",
                f"{PIP} install --force-reinstall {_cvseg_with()}",
            )
    return findings


def check_machine(findings: Findings) -> None:
    """Python, operating system, cores and memory."""
    findings.fact("machine", "cvseg", f"{cvseg.__version__} in {Path(cvseg.__file__).parent}")
    findings.fact("machine", "python", f"{platform.python_version()} ({sys.executable})")
    if sys.maxsize < 2**32:
        findings.problem("Python is a 32-bit build; Numba and the decoder need 64 bits.", "Install a 64-bit Python.")
    findings.fact("machine", "system", platform.platform())
    findings.fact("machine", "processor", _processor_name())
    findings.fact("machine", "cores", f"{_usable_cores()} usable of {os.cpu_count()}")
    memory = _memory_gib()
    if memory:
        findings.fact("machine", "memory", f"{memory[1]:.1f} GiB free of {memory[0]:.1f} GiB")


def check_packages(findings: Findings) -> None:
    """Every requirement of setup.py: the core must be there, an extra must fit where it is there."""
    found = find_all()
    if not found:
        findings.problem("cvseg is neither installed nor run from a checkout.", f"{PIP} install {_cvseg_with()}")
    for item in found:
        name, extra = item.requirement.name, item.requirement.extra
        wanted = item.requirement.versions or "any version"
        section = f"extra {extra}" if extra else "packages"
        if item.version is None:
            findings.fact(section, name, f"not installed (wanted: {wanted})")
        else:
            findings.fact(section, name, f"{item.version} ({wanted}{'' if item.fits else ', DOES NOT FIT'})")
    for item in _needing_repair(found):
        quoted = f"'{item.requirement.name}{item.requirement.versions}'"
        state = "is not installed" if item.version is None else f"{item.version} does not fit"
        findings.problem(
            f"{item.requirement.name} {state}; cvseg needs {item.requirement.versions or 'it'}.",
            f"{PIP} install {quoted}",
        )


def _needing_repair(found: list[Found]) -> list[Found]:
    """A missing core package is a problem; a missing extra is a choice, and so is one that is there in part.

    A version that does not fit is a problem in the core and in an extra that was installed: setuptools, say, is in
    every environment and concerns nobody who has not asked for the tests.
    """
    repairs: dict[str, Found] = {}
    in_part = {item.requirement.extra for item in found if item.version is None and item.requirement.extra}
    for item in found:
        missing = item.version is None and not item.requirement.extra
        misfit = item.version is not None and not item.fits and item.requirement.extra not in in_part
        # cuda12 and cuda13 ask for different versions of packages of one name: check_gpu looks at those.
        if missing or (misfit and not item.requirement.extra.startswith("cuda")):
            repairs.setdefault(item.requirement.name, item)
    return list(repairs.values())


def check_opencv(findings: Findings) -> None:
    """OpenCV's four distributions share one folder: two of them, or one removed after another, leave it broken."""
    variants = sorted(
        name
        for name in {str(d.metadata["Name"]).lower().replace("_", "-") for d in metadata.distributions()}
        if name
        in ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
    )
    folder = _cv2_folder()
    if not variants and folder is None:
        findings.fact("opencv", "variant", "none (optional; only comparisons use it)")
        return
    findings.fact("opencv", "variant", ", ".join(variants) or "none, but a cv2 folder is left over")
    keep = next((name for name in variants if "contrib" in name), "opencv-contrib-python-headless")
    remove = f"{PIP} uninstall -y {' '.join(variants)}" if variants else ""
    clear = f"rm -rf {folder}" if folder is not None else ""
    repair = " && ".join(part for part in (remove, clear, f"{PIP} install {keep}") if part)
    if len(variants) > 1:
        findings.problem(f"{len(variants)} variants of OpenCV share one cv2 folder: {', '.join(variants)}.", repair)
    elif folder is not None and not _cv2_works(findings):
        findings.problem(
            f"cv2 in {folder} is empty or broken, as after removing one of two variants.",
            repair if variants else f"{clear}   # then, if you want OpenCV: {PIP} install {keep}",
        )


def _cv2_folder() -> Path | None:
    for entry in sys.path:
        folder = Path(entry or ".") / "cv2"
        if folder.is_dir():
            return folder
    return None


def _cv2_works(findings: Findings) -> bool:
    # In a process of its own: a mixture of two builds can end the interpreter.
    code = "import cv2; print(cv2.__version__, hasattr(cv2, 'GaussianBlur'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or not done.stdout.strip().endswith("True"):
        return False
    findings.fact("opencv", "cv2", done.stdout.split()[0])
    return True


def check_threads(findings: Findings) -> None:
    """How many threads the CPU kernels use, and whether the variable that says so can be read."""
    from cvseg.errors import OptionError
    from cvseg.kernels.bands import thread_count

    try:
        findings.fact("kernels", "threads", f"{thread_count()} (set CVSEG_NUM_THREADS to change)")
    except OptionError as error:
        findings.problem(str(error), "unset CVSEG_NUM_THREADS")


def check_kernel_cache(findings: Findings) -> None:
    """Whether compiled CPU kernels survive this process."""
    try:
        from cvseg.kernels.cpu import cache_folder

        folder = cache_folder()
    except ImportError as error:
        findings.fact("kernels", "cache", f"unknown: {error}")
        return
    compiled = list(folder.rglob("*.nbc"))
    size = sum(path.stat().st_size for path in compiled) / 1e6
    state = f"{len(compiled)} functions, {size:.1f} MB" if compiled else "empty; 'cvseg warmup' fills it"
    findings.fact("kernels", "cache", f"{folder} ({state})")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~")) / ".cache")
    if not folder.is_relative_to(home) and folder.is_relative_to(tempfile.gettempdir()):
        findings.problem(
            f"The cache folder {home} cannot be written, so kernels compile again after each restart of the machine.",
            f"mkdir -p {home} && chmod u+rwx {home}   # or set XDG_CACHE_HOME to a folder you own",
        )
    free = shutil.disk_usage(folder).free
    if free < 50e6:
        findings.problem(f"The disk of {folder} has {free / 1e6:.0f} MB left; compiled kernels need 50 MB.", "df -h")


def check_gpu(findings: Findings) -> None:
    """NVIDIA driver, CUDA and CuPy. No GPU is no problem; a GPU that cannot be used is one."""
    driver = _nvidia_smi()
    for line in driver or ["none found (cvseg runs on the CPU)"]:
        findings.fact("gpu", f"gpu {len(findings.sections.get('gpu', []))}", line)
    wheels = {name: v for name in ("cupy", "cupy-cuda12x", "cupy-cuda13x") if (v := _version(name)) is not None}
    findings.fact("gpu", "cupy", ", ".join(f"{name} {v}" for name, v in wheels.items()) or "not installed")
    if len(wheels) > 1:
        findings.problem(
            f"{len(wheels)} CuPy packages share one folder: {', '.join(wheels)}.",
            f"{PIP} uninstall -y {' '.join(wheels)} && {PIP} install {_cvseg_with(_cuda_extra())}",
        )
        return
    if not wheels:
        if driver:
            findings.problem(
                "There is an NVIDIA GPU, and CuPy is missing.", f"{PIP} install {_cvseg_with(_cuda_extra())}"
            )
        return
    # In a process of its own: a wrong driver can end the interpreter.
    done = subprocess.run([sys.executable, "-c", _ASK_CUPY], capture_output=True, text=True, timeout=120, check=False)
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        findings.problem(
            f"CuPy does not start: {reason}", f"{PIP} install --force-reinstall {_cvseg_with(_cuda_extra())}"
        )
        return
    for name, text in answer["facts"].items():
        findings.fact("gpu", name, str(text))
    if answer["error"] and driver:
        findings.problem(
            f"CuPy is installed and cannot use the GPU: {answer['error']}",
            f"{PIP} uninstall -y {' '.join(wheels)} && {PIP} install {_cvseg_with(_cuda_extra())}",
        )


_ASK_CUPY = """
import json
facts, error = {}, ""
try:
    import cupy
    facts["cuda runtime"] = cupy.cuda.runtime.runtimeGetVersion()
    facts["cuda driver"] = cupy.cuda.runtime.driverGetVersion()
    for i in range(cupy.cuda.runtime.getDeviceCount()):
        facts[f"compute capability {i}"] = cupy.cuda.Device(i).compute_capability
    module = cupy.RawModule(code='extern "C" __global__ void one(int* a) { a[0] = 1; }')
    answer = cupy.zeros(1, dtype=cupy.int32)
    module.get_function("one")((1,), (1,), (answer,))
    facts["test kernel"] = "compiled and ran" if int(answer[0]) == 1 else "ran and gave a wrong result"
    error = "" if int(answer[0]) == 1 else "a test kernel gave a wrong result"
except Exception as problem:
    error = f"{type(problem).__name__}: {problem}".splitlines()[0]
print(json.dumps({"facts": facts, "error": error}))
"""


def _nvidia_smi() -> list[str]:
    """One line per GPU: name, memory, driver."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _cuda_extra() -> str:
    """The extra that fits the driver: its newest CUDA is in the header that nvidia-smi prints."""
    try:
        text = subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "cuda12"
    _, _, rest = text.partition("CUDA Version:")
    return "cuda13" if rest.strip()[:2].isdigit() and int(rest.strip()[:2]) >= 13 else "cuda12"


def _cvseg_with(extra: str = "") -> str:
    """What to hand to `pip install`: the checkout where this is one, else the package."""
    extras = f"[{extra}]" if extra else ""
    root = Path(cvseg.__file__).resolve().parents[1]
    return f"-e '{root}{extras}'" if (root / "setup.py").is_file() else f"'cvseg{extras}'"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gib() -> tuple[float, float] | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) / 2**20 for line in lines if len(line.split()) > 1}
        return sizes["MemTotal"], sizes["MemAvailable"]
    except (OSError, KeyError, ValueError):
        return None


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(as_json: bool) -> None:
    """Check this installation: Python, memory, packages, OpenCV variants, kernel cache, GPU.

    Exit code 0 when nothing needs repair, else 1 with the repairing command for each problem.
    """
    findings = examine()
    if as_json:
        click.echo(json.dumps(findings.to_mapping(), indent=2))
    else:
        for section, facts in findings.sections.items():
            if section.startswith("extra ") and all(text.startswith("not installed") for _, text in facts):
                click.echo(
                    f"\n{section}: not installed   ({PIP} install {_cvseg_with(section.removeprefix('extra '))})"
                )
                continue
            click.echo(f"\n{section}")
            for name, text in facts:
                click.echo(f"  {name:<24} {text}")
        click.echo("")
        for sentence, repair in findings.problems:
            click.echo(f"PROBLEM  {sentence}\n  repair:  {repair}")
        click.echo("Healthy." if not findings.problems else f"{len(findings.problems)} problem(s).")
    raise SystemExit(1 if findings.problems else 0)
