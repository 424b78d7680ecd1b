"""Both halves of every kernel compute the same: the CUDA half (emulated, or on a GPU) against the CPU half."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

from cvseg.errors import InputError
from cvseg.kernels import KERNELS

# A single pixel, single lines, less than a warp, no multiple of any block, whole blocks.
SIZES_HW = [(1, 1), (1, 37), (29, 1), (7, 5), (61, 47), (64, 96)]
# Enough rows for five bands of the least height.
MANY_ROWS_HW = (257, 33)

every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)


def sample(kernel: Any, size_hw: tuple[int, int]) -> tuple[Any, ...]:
    """Arguments of the kernel; a size that it does not take skips the test. The seed is the same in every run."""
    rng = np.random.default_rng([zlib.crc32(kernel.name.encode()), *size_hw])
    try:
        return kernel.sample(rng, size_hw)
    except InputError as error:
        assert size_hw not in ((61, 47), MANY_ROWS_HW), f"{kernel.name} must take every ordinary size: {error}"
        pytest.skip(f"{kernel.name} does not take {size_hw}: {error}")


def copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in arguments)


def as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


def assert_agree(kernel: Any, results: Any, expected: Any) -> None:
    for i, (result, wanted) in enumerate(zip(as_tuple(results), as_tuple(expected), strict=True)):
        name = f"{kernel.name}, result {i}"
        result, wanted = np.asarray(result), np.asarray(wanted)
        assert result.shape == wanted.shape, name
        assert result.dtype == wanted.dtype, name
        if kernel.atol == 0 or wanted.dtype.kind != "f":
            differs = (result != wanted) & ~((result != result) & (wanted != wanted))
        else:
            with np.errstate(invalid="ignore"):
                near = np.abs(result - wanted) <= kernel.atol
            differs = ~(near | (result == wanted) | (np.isnan(result) & np.isnan(wanted)))
        share = float(differs.mean()) if differs.size else 0.0
        if share > kernel.mismatch:
            place = tuple(map(int, np.unravel_index(int(np.argmax(differs)), differs.shape))) if differs.ndim else ()
            pytest.fail(
                f"{name}: {share:.2%} of {differs.size} elements differ by more than {kernel.atol} (allowed: "
                f"{kernel.mismatch:.2%}), the first at {place}: CUDA {result[place]}, CPU {wanted[place]}"
            )


@every_kernel
@pytest.mark.parametrize("size_hw", SIZES_HW, ids=lambda size: "x".join(map(str, size)))
def test_cuda_matches_cpu(kernel, size_hw, cuda_runner):
    arguments = sample(kernel, size_hw)
    expected = kernel.cpu(*copies(arguments))
    assert_agree(kernel, cuda_runner(kernel, *copies(arguments)), expected)


@every_kernel
def test_cpu_half_changes_no_argument_that_it_does_not_return(kernel):
    arguments = sample(kernel, (61, 47))
    given = copies(arguments)
    results = as_tuple(kernel.cpu(*given))
    for i, (before, after) in enumerate(zip(arguments, given, strict=True)):
        if isinstance(before, np.ndarray) and not any(np.may_share_memory(after, result) for result in results):
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f"), f"argument {i}"


@every_kernel
def test_cpu_result_has_the_same_bits_on_any_number_of_threads(kernel, use_threads):
    arguments = sample(kernel, MANY_ROWS_HW)
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(as_tuple(kernel.cpu(*copies(arguments))))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert np.asarray(one).tobytes() == np.asarray(two).tobytes()


@every_kernel
def test_sample_depends_on_nothing_but_its_generator(kernel):
    first, second = sample(kernel, (61, 47)), sample(kernel, (61, 47))
    for one, two in zip(first, second, strict=True):
        assert isinstance(one, (np.ndarray, np.generic)), f"{kernel.name}: sample gives a bare {type(one).__name__}"
        assert np.asarray(one).tobytes() == np.asarray(two).tobytes()
