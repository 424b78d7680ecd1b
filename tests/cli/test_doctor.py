"""`cvseg doctor` names every problem with the command that repairs it, and crashes on none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cvseg.cli import doctor
from cvseg.cli.__main__ import cli
from cvseg.cli.doctor import Findings, check_gpu, check_kernel_cache, check_opencv, check_packages, check_threads
from cvseg.cli.requirements import Found, Requirement, find_all, parse_requirement, requirements, version_fits


def problems_of(check):
    findings = Findings()
    check(findings)
    return findings.problems


def found(version, versions=">=2.0", extra="", name="numpy"):
    return Found(Requirement(name, versions, extra), version)


def test_this_environment_is_healthy_and_the_exit_code_says_so():
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("Healthy.")


def test_json_holds_the_same_facts():
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    facts = json.loads(done.output)
    assert facts["healthy"] is True
    assert facts["problems"] == []
    assert {"machine", "packages", "kernels", "gpu"} <= set(facts)
    assert set(facts["packages"]) >= {"numpy", "numba", "av"}


def test_a_missing_core_package_is_a_problem_with_its_install_command(monkeypatch):
    monkeypatch.setattr(doctor, "find_all", lambda: [found(None)])
    ((sentence, repair),) = problems_of(check_packages)
    assert "numpy is not installed" in sentence
    assert repair.endswith("-m pip install 'numpy>=2.0'")


def test_a_version_that_does_not_fit_is_a_problem_also_in_an_extra(monkeypatch):
    monkeypatch.setattr(doctor, "find_all", lambda: [found("1.26.4"), found("4.5", ">=4.10,<6", "opencv", "opencv-x")])
    sentences = [sentence for sentence, _ in problems_of(check_packages)]
    assert len(sentences) == 2
    assert "numpy 1.26.4 does not fit" in sentences[0]
    assert "opencv-x 4.5 does not fit" in sentences[1]


def test_a_version_concerns_nobody_who_has_not_installed_the_extra(monkeypatch):
    old = found("65.5", ">=70.1", extra="test", name="setuptools")
    monkeypatch.setattr(doctor, "find_all", lambda: [found("2.1"), old, found(None, extra="test", name="pytest")])
    findings = doctor.Findings()
    doctor.check_packages(findings)
    assert findings.problems == []


def test_a_missing_extra_is_no_problem(monkeypatch):
    monkeypatch.setattr(doctor, "find_all", lambda: [found("2.1"), found(None, extra="web", name="fastapi")])
    assert problems_of(check_packages) == []


def test_problems_end_with_exit_code_one(monkeypatch):
    monkeypatch.setattr(doctor, "find_all", lambda: [found(None)])
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 1
    assert "PROBLEM  numpy is not installed" in done.output
    assert "repair:" in done.output


def test_a_check_that_fails_itself_becomes_a_problem(monkeypatch):
    def broken():
        raise RuntimeError("metadata is damaged")

    monkeypatch.setattr(doctor, "find_all", broken)
    sentences = [sentence for sentence, _ in doctor.examine().problems]
    assert sentences == ["check_packages failed: RuntimeError: metadata is damaged"]


def distributions(*names):
    return lambda: [type("Distribution", (), {"metadata": {"Name": name}})() for name in names]


def test_two_variants_of_opencv_are_a_problem_and_both_are_removed(monkeypatch, tmp_path):
    (tmp_path / "cv2").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(doctor.metadata, "distributions", distributions("opencv-python", "opencv_contrib_python"))
    ((sentence, repair),) = problems_of(check_opencv)
    assert "2 variants of OpenCV" in sentence
    assert "uninstall -y opencv-contrib-python opencv-python" in repair
    assert f"rm -rf {tmp_path / 'cv2'}" in repair
    assert repair.endswith("install opencv-contrib-python")


def test_an_empty_cv2_folder_is_found(monkeypatch, tmp_path):
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(doctor.metadata, "distributions", distributions())
    ((sentence, repair),) = problems_of(check_opencv)
    assert "empty or broken" in sentence
    assert repair.startswith(f"rm -rf {tmp_path / 'cv2'}")


def test_no_opencv_at_all_is_no_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(doctor.metadata, "distributions", distributions("numpy"))
    assert problems_of(check_opencv) == []


def test_a_thread_count_that_is_no_number_is_a_problem(monkeypatch):
    from cvseg.kernels import bands

    monkeypatch.setenv("CVSEG_NUM_THREADS", "two")
    monkeypatch.setattr(bands, "thread_count", bands.thread_count.__wrapped__)
    ((sentence, repair),) = problems_of(check_threads)
    assert "'two'" in sentence
    assert repair == "unset CVSEG_NUM_THREADS"


def test_a_cache_folder_that_cannot_be_written_is_a_problem(monkeypatch, tmp_path):
    from cvseg.kernels import cpu

    home = tmp_path / "file"
    home.write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr(cpu, "cache_folder", cpu.cache_folder.__wrapped__)
    ((sentence, repair),) = problems_of(check_kernel_cache)
    assert str(home) in sentence
    assert "XDG_CACHE_HOME" in repair


def gpu(monkeypatch, *, driver, packages, answer=None):
    """A machine with these GPUs and CuPy packages, whose CuPy answers with `answer` (stdout, stderr)."""
    monkeypatch.setattr(doctor, "_nvidia_smi", lambda: driver)
    monkeypatch.setattr(doctor, "_version", packages.get)
    monkeypatch.setattr(doctor, "_cuda_extra", lambda: "cuda13")
    if answer is not None:
        done = subprocess.CompletedProcess([], 0, *answer)
        monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: done)
    return problems_of(check_gpu)


def test_a_machine_without_a_gpu_needs_no_cupy(monkeypatch):
    assert gpu(monkeypatch, driver=[], packages={}) == []


def test_a_gpu_without_cupy_is_a_problem(monkeypatch):
    ((sentence, repair),) = gpu(monkeypatch, driver=["NVIDIA X, 8 GiB, 580"], packages={})
    assert "CuPy is missing" in sentence
    assert "[cuda13]" in repair


def test_two_cupy_packages_are_a_problem(monkeypatch):
    packages = {"cupy-cuda12x": "13.3", "cupy-cuda13x": "14.2"}
    ((sentence, repair),) = gpu(monkeypatch, driver=[], packages=packages)
    assert "2 CuPy packages" in sentence
    assert "uninstall -y cupy-cuda12x cupy-cuda13x" in repair


@pytest.mark.parametrize(
    ("stdout", "stderr", "expected"),
    [
        ("", "Illegal instruction", "CuPy does not start: Illegal instruction"),
        ("", "", "CuPy does not start: no output"),
        ('{"facts": {}, "error": "the driver is too old"}', "", "cannot use the GPU: the driver is too old"),
    ],
)
def test_cupy_that_fails_in_any_way_is_a_problem_and_no_crash(monkeypatch, stdout, stderr, expected):
    driver, packages = ["NVIDIA X, 8 GiB, 580"], {"cupy-cuda13x": "14.2"}
    ((sentence, _),) = gpu(monkeypatch, driver=driver, packages=packages, answer=(stdout, stderr))
    assert expected in sentence


def test_cupy_that_works_is_no_problem(monkeypatch):
    answer = ('{"facts": {"test kernel": "compiled and ran"}, "error": ""}', "")
    assert gpu(monkeypatch, driver=["NVIDIA X"], packages={"cupy-cuda13x": "14.2"}, answer=answer) == []


@pytest.mark.parametrize(
    ("version", "clauses", "fits"),
    [
        ("2.0", ">=2.0", True),
        ("2.0.0rc1", ">=2.0", True),
        ("1.99", ">=2", False),
        ("8.3.0", ">=8.1,!=8.3.0", False),
        ("8.3", ">=8.1,!=8.3.0", False),
        ("0.17.6", ">=0.17,<0.18", True),
        ("0.18", ">=0.17,<0.18", False),
        ("13.5.37+local", ">=13,<14", True),
        ("3", "", True),
    ],
)
def test_versions_are_compared_by_number(version, clauses, fits):
    assert version_fits(version, clauses) is fits


def test_requirement_lines_are_read_as_setup_and_as_metadata_write_them():
    assert parse_requirement("numpy>=2.0") == Requirement("numpy", ">=2.0", "")
    assert parse_requirement('pytest<9,>=8.2; extra == "test"') == Requirement("pytest", "<9,>=8.2", "test")
    assert parse_requirement("nvidia-cuda-nvrtc", "cuda12") == Requirement("nvidia-cuda-nvrtc", "", "cuda12")


def test_the_core_of_setup_py_is_found_and_installed():
    core = [item for item in find_all() if not item.requirement.extra]
    assert {item.requirement.name for item in core} >= {"numpy", "scipy", "numba", "av", "click", "tqdm", "pillow"}
    assert all(item.fits for item in core)
    assert {requirement.extra for requirement in requirements()} >= {"cuda12", "cuda13", "opencv", "test"}
