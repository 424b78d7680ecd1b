"""What every test may ask for: devices, the kernel runner, threads, real videos. See docs/developing/testing.md."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cuda_on_cpu import stand_in
from cuda_on_cpu.graphs import abandon_captures
from cuda_on_cpu.raw_module import reverse_thread_order

from cvseg.arrays import cupy_module, to_host
from cvseg.errors import DeviceUnavailableError
from cvseg.kernels import bands
from cvseg.kernels.kernel import Kernel

ROOT = Path(__file__).resolve().parent.parent
EMULATED = pytest.param("emulated", id="cuda-on-cpu")
# Programs that made the reference files, with packages that the tests do without.
collect_ignore_glob = ["reference/*"]
REAL_GPU = pytest.param("gpu", id="gpu", marks=pytest.mark.gpu)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-gpu", action="store_true", help="fail, instead of skip, tests that find no GPU")


class TestDevice:
    """A place for arrays. `name` is what users write (``"cpu"`` or ``"cuda"``)."""

    __test__ = False

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind

    def array(self, values: Any, dtype: Any = None) -> Any:
        """`values` as an array on this device."""
        host = np.ascontiguousarray(np.asarray(values, dtype)).reshape(np.shape(values))
        return host if self.name == "cpu" else cupy_module().asarray(host)

    def arrays(self, *values: Any) -> tuple[Any, ...]:
        """NumPy arrays among `values` on this device; everything else as it is."""
        return tuple(self.array(value) if isinstance(value, np.ndarray) else value for value in values)


@pytest.fixture
def emulated_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``import cupy`` gives the emulated CuPy."""
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    yield stand_in
    abandon_captures()


def _real_gpu(request: pytest.FixtureRequest) -> None:
    try:
        cupy_module()
    except DeviceUnavailableError as error:
        if request.config.getoption("--require-gpu"):
            pytest.fail(f"--require-gpu: {error}")
        pytest.skip(str(error))


def _make_device(kind: str, request: pytest.FixtureRequest) -> TestDevice:
    if kind == "gpu":
        _real_gpu(request)
    elif kind == "emulated":
        request.getfixturevalue("emulated_cuda")
    return TestDevice("cpu" if kind == "cpu" else "cuda", kind)


@pytest.fixture(params=["cpu", EMULATED, REAL_GPU])
def device(request: pytest.FixtureRequest) -> TestDevice:
    """Each device in turn: a test that takes it runs on the CPU, on emulated CUDA, and on a GPU if there is one."""
    return _make_device(request.param, request)


@pytest.fixture(params=[EMULATED, REAL_GPU])
def cuda_device(request: pytest.FixtureRequest) -> TestDevice:
    """As `device`, without the CPU."""
    return _make_device(request.param, request)


@pytest.fixture
def cuda_runner(cuda_device: TestDevice) -> Callable[..., Any]:
    """``cuda_runner(kernel, *arguments)``: the CUDA half on host arguments; its results on the host.

    Everything runs twice and must give the same bits: on the emulator with threads in ascending and then in descending
    order, where a missing barrier shows as a difference; on a GPU the order differs by itself.
    """

    def run(kernel: Kernel, *arguments: Any) -> Any:
        results = _run_on_copies(kernel, cuda_device, arguments)
        with reverse_thread_order():
            _assert_same_bits(kernel.name, results, _run_on_copies(kernel, cuda_device, arguments))
        return results

    return run


def _run_on_copies(kernel: Kernel, device: TestDevice, arguments: tuple[Any, ...]) -> Any:
    placed = device.arrays(*arguments)
    results = kernel.cuda(*placed)
    returned = results if isinstance(results, tuple) else (results,)
    for i, (before, after) in enumerate(zip(arguments, placed, strict=True)):
        if isinstance(before, np.ndarray) and not any(_share(after, result) for result in returned):
            assert np.array_equal(before, to_host(after), equal_nan=before.dtype.kind == "f"), (
                f"{kernel.name}: the CUDA half changes argument {i} and does not return it"
            )
    host = tuple(to_host(result) if hasattr(result, "dtype") else result for result in returned)
    return host if isinstance(results, tuple) else host[0]


def _share(one: Any, other: Any) -> bool:
    if not (hasattr(one, "data") and hasattr(other, "data") and hasattr(other.data, "ptr")):
        return False
    first, second = one.data.ptr, other.data.ptr
    return first < second + other.nbytes and second < first + one.nbytes


def _assert_same_bits(name: str, forward: Any, backward: Any) -> None:
    as_tuples = [value if isinstance(value, tuple) else (value,) for value in (forward, backward)]
    for i, (one, other) in enumerate(zip(*as_tuples, strict=True)):
        same = np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
        assert same, f"{name}: result {i} depends on the order of threads (a missing barrier, or a race)"


@pytest.fixture
def use_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """``use_threads(n)``: CPU kernels run on n threads until the test ends."""

    def forget() -> None:
        if bands._pool.cache_info().currsize:
            bands._pool(os.getpid()).shutdown()
        bands._pool.cache_clear()
        bands.thread_count.cache_clear()

    def use(count: int) -> None:
        forget()
        monkeypatch.setenv("CVSEG_NUM_THREADS", str(count))

    yield use
    forget()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real videos: ``CVSEG_DATA``, else ``../shared/data``. Skips where it is absent."""
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real videos: {folder} does not exist; set CVSEG_DATA to the folder that holds them")
    return folder


@pytest.fixture(autouse=True)
def no_logged_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A logged error is a failure. A test that expects one looks at it and calls ``caplog.clear()``."""
    yield
    for when in ("setup", "call"):
        errors = [record for record in caplog.get_records(when) if record.levelno >= logging.ERROR]
        assert not errors, f"logged as an error: {errors[0].getMessage()}"
