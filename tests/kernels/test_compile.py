"""Every `.cu` compiles for every GPU that is supported, without a warning; every kernel has both halves."""

from __future__ import annotations

import importlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cuda_on_cpu import nvrtc

from cvseg.kernels import KERNELS
from cvseg.kernels.cuda import KERNEL_FOLDER, CudaSource

# Turing, Ampere, Orin, Hopper, Blackwell (server, desktop).
ARCHITECTURES = ("sm_75", "sm_80", "sm_87", "sm_90", "sm_100", "sm_120")
CU_FILES = sorted(KERNEL_FOLDER.rglob("*.cu"))

every_cu_file = pytest.mark.parametrize("path", CU_FILES, ids=lambda path: path.stem)


def twin(path: Path):
    """The Python module beside a `.cu` file."""
    folders = path.relative_to(KERNEL_FOLDER).with_suffix("").parts
    return importlib.import_module(".".join(("cvseg.kernels", *folders)))


def sources(path: Path) -> list[CudaSource]:
    """How the Python half loads the file; several times when it gives several sets of defines."""
    return [value for value in vars(twin(path)).values() if isinstance(value, CudaSource) and value.path == path]


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is absent; pip install nvidia-cuda-nvrtc")
@every_cu_file
def test_compiles_without_a_warning_for_every_gpu(path):
    jobs = [(source, architecture) for source in sources(path) for architecture in ARCHITECTURES]
    assert jobs, f"{path.name}: its Python half makes no CudaSource(__file__)"

    def run(job):
        source, architecture = job
        return nvrtc.compile_for(source.text, path.name, source.options, architecture)

    with ThreadPoolExecutor(2) as pool:
        for (_, architecture), (succeeded, log, code_bytes) in zip(jobs, pool.map(run, jobs), strict=True):
            assert succeeded, f"{architecture}: {log}"
            assert log == "", f"{architecture}: {log}"
            assert code_bytes > 0


# Threads of the largest block that each launches, and how many blocks shall fit on a multiprocessor of Hopper.
FLOW_BLOCKS = {
    "variational_solve": (1024, 1),
    "patch_search": (128, 10),
    "patch_densify": (256, 5),
    "variational_images": (256, 8),
    "flow_upsample": (256, 8),
    "forward_backward": (256, 8),
}


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is absent; pip install nvidia-cuda-nvrtc")
@pytest.mark.parametrize("name", FLOW_BLOCKS)
def test_kernels_of_the_flow_spill_nothing_and_leave_room_for_others(name):
    threads, blocks = FLOW_BLOCKS[name]
    path = KERNEL_FOLDER / "flow" / f"{name}.cu"
    (source,) = sources(path)
    _, log, _ = nvrtc.compile_for(source.text, path.name, (*source.options, "--ptxas-options=-v"), "sm_90")
    assert "Used" in log
    assert re.findall(r"(\d+) bytes (?:stack frame|spill stores|spill loads)", log) == ["0", "0", "0"]
    (registers,) = map(int, re.findall(r"Used (\d+) registers", log))
    per_warp = -(-registers * 32 // 256) * 256  # given out in units of 256
    assert per_warp * (threads // 32) * blocks <= 65536, f"{registers} registers"


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is absent; pip install nvidia-cuda-nvrtc")
@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("values[0] = undefined_name;", "bad.cu(3): error"),
        ("const int never_used = 1;", "bad.cu(3): warning"),
        ("__shared__ float much[20000]; much[threadIdx.x] = *values; __syncthreads(); *values = much[5];", "shared"),
    ],
    ids=["error", "warning", "too much shared memory"],
)
def test_the_compile_test_would_see(body, complaint):
    source = f'#line 1 "bad.cu"\n// first line\nextern "C" __global__ void bad(float* values) {{\n{body}\n}}'
    _, log, _ = nvrtc.compile_for(source, "bad.cu", ("--std=c++17",), "sm_80")
    assert complaint in log


def test_every_cu_file_is_the_half_of_a_kernel_and_the_reverse():
    assert {path.stem for path in CU_FILES} == set(KERNELS)


@every_cu_file
def test_every_global_function_carries_the_name_of_its_file(path):
    for source in sources(path):
        names = list(source.signatures)
        assert len(names) == len(re.findall(r"\b__global__\b", source.text)), 'a __global__ without extern "C"'
        assert all(name == path.stem or name.startswith(path.stem + "_") for name in names), names


@every_cu_file
def test_first_line_says_what_the_kernel_computes(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("// ") and len(first) > 20


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
def test_both_halves_are_written_in_the_module_named_after_the_kernel(kernel):
    assert kernel.cuda.__module__.endswith("." + kernel.name)
    assert KERNELS[kernel.name] is kernel
