"""`CudaSource`: headers, signatures, compile errors, and launches that refuse what would corrupt memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.errors import (
    DeviceMismatchError,
    DtypeError,
    KernelCompileError,
    KernelResourceError,
    RangeError,
    ShapeError,
)
from cvseg.kernels.cuda import NUMPY_TYPES, CudaSource, parse_signatures, paste_headers

SCALE = """// values(i) *= factor.   One thread per value.
extern "C" __global__ void scale(float* __restrict__ values, const float factor, const int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) values[i] *= factor;
}
"""


@pytest.fixture
def source(tmp_path):
    """``source(text, **defines)``: a CudaSource of a file with this text."""

    def make(text=SCALE, name="scale", **defines):
        (tmp_path / f"{name}.cu").write_text(text, encoding="utf-8")
        return CudaSource(str(tmp_path / f"{name}.py"), defines)

    return make


# ---- launches ----


def test_launch_linear_covers_every_element_and_no_more(source, cuda_device):
    for count in (1, 255, 256, 257, 1000):
        values = cuda_device.array(np.ones(1000, np.float32))
        source().launch_linear("scale", count, values, np.float32(3), np.int32(count))
        assert_array_equal(values.get(), np.where(np.arange(1000) < count, 3, 1))


def test_launch_image_runs_x_along_the_row(source, cuda_device):
    text = """extern "C" __global__ void place(int* out, const int height, const int width) {
      const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
      if (x < width && y < height) out[y * width + x] = 1000 * y + x;
    }"""
    out = cuda_device.array(np.zeros((19, 70), np.int32))
    source(text, "place").launch_image("place", (19, 70), out, np.int32(19), np.int32(70))
    assert_array_equal(out.get(), 1000 * np.arange(19)[:, None] + np.arange(70))


def test_shared_bytes_reach_the_kernel(source, cuda_device):
    text = """extern "C" __global__ void turn(int* out) {
      extern __shared__ int box[];
      box[threadIdx.x] = threadIdx.x;
      __syncthreads();
      out[threadIdx.x] = box[blockDim.x - 1 - threadIdx.x];
    }"""
    out = cuda_device.array(np.zeros(96, np.int32))
    source(text, "turn").launch_blocks("turn", (1,), (96,), out, shared_bytes=4 * 96)
    assert_array_equal(out.get(), np.arange(96)[::-1])


def test_a_kernel_without_arrays_runs_on_the_current_device(source, cuda_device):
    source('extern "C" __global__ void idle(const int n) {}', "idle").launch_linear("idle", 5, np.int32(5))


@pytest.mark.parametrize("size_hw", [(0, 5), (5, 0)])
def test_an_empty_image_launches_nothing(source, size_hw):
    source("no compiler sees this", "scale").launch_image("scale", size_hw)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda v: (v, 2.0, np.int32(4)), TypeError, r"scale: factor is a bare float; pass numpy.float32\(2.0\)"),
        (lambda v: (v, np.float32(2), 4), TypeError, r"scale: count is a bare int; pass numpy.int32\(4\)"),
        (lambda v: (v, np.float64(2), np.int32(4)), DtypeError, "factor is float64; the kernel declares float32"),
        (lambda v: (v, np.float32(2), np.int64(4)), DtypeError, "count is int64; the kernel declares int32"),
        (lambda v: (v.astype(np.float64), np.float32(2), np.int32(4)), DtypeError, "values is float64"),
        (lambda v: (v[::2], np.float32(2), np.int32(4)), ShapeError, "values is not C-contiguous"),
        (
            lambda v: (v.get(), np.float32(2), np.int32(4)),
            DeviceMismatchError,
            "values is a ndarray; expected an array",
        ),
        (lambda v: (np.float32(1), np.float32(2), np.int32(4)), DeviceMismatchError, "values is a float32"),
        (lambda v: (v, np.float32(2)), TypeError, "scale: 2 arguments; the kernel declares 3"),
    ],
)
def test_a_launch_refuses(source, cuda_device, arguments, error, message):
    values = cuda_device.array(np.ones(8, np.float32))
    with pytest.raises(error, match=message):
        source().launch_linear("scale", 4, *arguments(values))
    assert_array_equal(values.get(), 1)


def test_arrays_beyond_32_bit_indices_are_refused(source, emulated_cuda, monkeypatch):
    values = emulated_cuda.zeros(8, np.float32)
    monkeypatch.setattr(type(values), "size", 2**31)
    with pytest.raises(RangeError, match="values has 2147483648 elements"):
        source().launch_linear("scale", 4, values, np.float32(2), np.int32(4))


@pytest.mark.parametrize(
    ("grid", "block", "message"),
    [((1,), (1025,), "1025 threads"), ((1, 65536), (1,), r"grid \(1, 65536\) exceeds"), ((2**31,), (1,), "exceeds")],
)
def test_launches_larger_than_cuda_allows_are_refused(source, cuda_device, grid, block, message):
    values = cuda_device.array(np.ones(8, np.float32))
    with pytest.raises(KernelResourceError, match=message):
        source().launch_blocks("scale", grid, block, values, np.float32(2), np.int32(4))


def test_an_unknown_function_is_named(source, cuda_device):
    with pytest.raises(KernelCompileError, match=r"scale\.cu has no extern \"C\" __global__ function 'scales'"):
        source().launch_linear("scales", 4)


# ---- compiling ----


def test_a_compile_error_names_the_file_and_the_line(source, cuda_device):
    broken = SCALE.replace("*= factor", "*= factr")
    with pytest.raises(KernelCompileError, match=r"(?s)scale\.cu does not compile.*scale\.cu[:(]4\b.*factr"):
        source(broken).launch_linear("scale", 1, cuda_device.array(np.ones(1, np.float32)), np.float32(1), np.int32(1))


def test_an_error_behind_a_header_keeps_its_line(source, tmp_path, cuda_device):
    (tmp_path / "tools.cuh").write_text("// one\n// two\n// three\n", encoding="utf-8")
    broken = '#include "tools.cuh"\n' + SCALE.replace("*= factor", "*= factr")
    with pytest.raises(KernelCompileError, match=r"scale\.cu[:(]5\b"):
        source(broken).launch_linear("scale", 1, cuda_device.array(np.ones(1, np.float32)), np.float32(1), np.int32(1))


def test_a_source_is_compiled_once_however_many_threads_ask(source, emulated_cuda, monkeypatch):
    compiled = []
    original = emulated_cuda.RawModule
    monkeypatch.setattr(emulated_cuda, "RawModule", lambda **words: compiled.append(1) or original(**words))
    scale, values = source(), [emulated_cuda.ones(4, np.float32) for _ in range(6)]

    def launch(array):
        scale.launch_linear("scale", 4, array, np.float32(2), np.int32(4))

    threads = [threading.Thread(target=launch, args=(array,)) for array in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == 1
    assert all((array.get() == 2).all() for array in values)


def test_defines_give_types_and_constants(source, cuda_device):
    text = 'extern "C" __global__ void fill(T* out) { out[threadIdx.x] = VALUE; }'
    filler = source(text, "fill", T="unsigned char", VALUE="77")
    out = cuda_device.array(np.zeros(5, np.uint8))
    filler.launch_linear("fill", 5, out, block=5)
    assert_array_equal(out.get(), 77)
    with pytest.raises(DtypeError, match="out is int8; the kernel declares uint8"):
        filler.launch_linear("fill", 5, out.view(np.int8), block=5)


# ---- headers ----


def test_headers_are_pasted_nested_and_once(tmp_path, cuda_device):
    (tmp_path / "inner.cuh").write_text("__device__ int one() { return 1; }\n", encoding="utf-8")
    (tmp_path / "outer.cuh").write_text(
        '#include "inner.cuh"\n__device__ int two() { return 2 * one(); }\n', encoding="utf-8"
    )
    (tmp_path / "use.cu").write_text(
        '#include "outer.cuh"\nextern "C" __global__ void use(int* out) { out[0] = two() + one(); }\n', encoding="utf-8"
    )
    text = paste_headers(tmp_path / "use.cu")
    assert "#include" not in text
    assert text.count("int one()") == 1
    out = cuda_device.array(np.zeros(1, np.int32))
    CudaSource(str(tmp_path / "use.py")).launch_linear("use", 1, out, block=1)
    assert out.get()[0] == 3


def test_the_shared_header_is_found_from_any_folder(tmp_path):
    (tmp_path / "use.cu").write_text('#include "common.cuh"\n', encoding="utf-8")
    assert "clamp_float" in paste_headers(tmp_path / "use.cu")


def test_a_missing_header_is_named(tmp_path):
    (tmp_path / "use.cu").write_text('#include "absent.cuh"\n', encoding="utf-8")
    with pytest.raises(KernelCompileError, match=r"use\.cu includes 'absent\.cuh', which is neither beside it"):
        paste_headers(tmp_path / "use.cu")


def test_headers_that_include_each_other_end(tmp_path):
    (tmp_path / "a.cuh").write_text('#include "b.cuh"\nint a;\n', encoding="utf-8")
    (tmp_path / "b.cuh").write_text('#include "a.cuh"\nint b;\n', encoding="utf-8")
    (tmp_path / "use.cu").write_text('#include "a.cuh"\n', encoding="utf-8")
    text = paste_headers(tmp_path / "use.cu")
    assert (text.count("int a;"), text.count("int b;")) == (1, 1)


def test_a_header_that_two_headers_include_is_pasted_once(tmp_path):
    (tmp_path / "base.cuh").write_text("int base;\n", encoding="utf-8")
    for name in ("left", "right"):
        (tmp_path / f"{name}.cuh").write_text(f'#include "base.cuh"\nint {name};\n', encoding="utf-8")
    (tmp_path / "use.cu").write_text('#include "left.cuh"\n#include "right.cuh"\nint use;\n', encoding="utf-8")
    text = paste_headers(tmp_path / "use.cu")
    assert [text.count(f"int {name};") for name in ("base", "left", "right", "use")] == [1, 1, 1, 1]


# ---- signatures ----


def test_signatures_are_read_from_the_source():
    text = """
    // extern "C" __global__ void in_a_comment(float* a) {}
    __device__ int not_a_kernel(int a);
    extern "C" __global__ void __launch_bounds__(256) first(
        const float* __restrict__ image,  // (height, width)
        unsigned char *mask, const unsigned long long* keys, const int height, const bool on) {}
    extern "C" __global__ void second() {}
    """
    first = parse_signatures(text, {})["first"]
    assert [(p.name, p.dtype, p.is_array, p.is_const) for p in first] == [
        ("image", np.float32, True, True),
        ("mask", np.uint8, True, False),
        ("keys", np.uint64, True, True),
        ("height", np.int32, False, True),
        ("on", np.bool_, False, True),
    ]
    assert parse_signatures(text, {})["second"] == ()
    assert set(parse_signatures(text, {})) == {"first", "second"}


def test_a_type_without_a_numpy_dtype_is_refused():
    with pytest.raises(KernelCompileError, match=r"odd: parameter 'const float4\* a' has a type that no NumPy dtype"):
        parse_signatures('extern "C" __global__ void odd(const float4* a) {}', {})


def test_numpy_types_have_the_sizes_of_cuda(emulated_cuda):
    names = list(NUMPY_TYPES)
    body = " ".join(f"out[{i}] = sizeof({name});" for i, name in enumerate(names))
    out = emulated_cuda.zeros(len(names), np.int32)
    code = f'extern "C" __global__ void sizes(int* out) {{ {body} }}'
    emulated_cuda.RawModule(code=code).get_function("sizes")((1,), (1,), (out,))
    assert out.get().tolist() == [np.dtype(NUMPY_TYPES[name]).itemsize for name in names]
