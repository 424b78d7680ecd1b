"""Mistakes in kernels and launches that the CUDA-on-CPU runner must report."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu import stand_in
from cuda_on_cpu.probe import compiled, ints, run
from cuda_on_cpu.raw_module import LaunchError, reverse_thread_order

# ---- mistakes in kernels ----


@pytest.mark.parametrize("name", ["INFINITY", "NAN", "M_PI", "FLT_MAX", "INT_MAX"])
def test_constants_of_the_standard_headers_are_as_unknown_as_to_nvrtc(name):
    with pytest.raises(stand_in.CompileException, match=f"{name}. was not declared"):
        compiled(f"out[0] = {name};", "float* out")


def test_a_missing_barrier_changes_the_result_with_the_order_of_threads():
    body = "__shared__ int box[64]; box[t] = t; out[t] = box[(t + 1) % 64];"
    forward, backward = ints(64), ints(64)
    run(body, forward, parameters="int* out")
    with reverse_thread_order():
        run(body, backward, parameters="int* out")
    assert (forward.get() != backward.get()).any()


def test_unwritten_memory_is_poisoned():
    assert np.isnan(stand_in.empty(3, np.float32).get()).all()
    assert np.isnan(stand_in.empty_like(stand_in.zeros(3)).get()).all()
    assert (stand_in.empty(3, np.uint8).get() == 0xAB).all()
    shared = stand_in.zeros(2, np.float32)
    run(
        "__shared__ float box[8]; out[blockIdx.x] = box[t]; box[t] = 1;",
        shared,
        parameters="float* out",
        grid=(2,),
        block=(1,),
    )
    assert (shared.get() > 1e38).all()


@pytest.mark.parametrize("place", [-1, -1000, 64, 500])
@pytest.mark.parametrize("dtype", ["float", "int"])
def test_a_write_outside_an_array_names_the_kernel(place, dtype):
    values = stand_in.zeros(64, np.float32 if dtype == "float" else np.int32)
    with pytest.raises(LaunchError, match=r"probe: wrote outside an array of shape \(64,\).*bytes (before|behind) it"):
        run("if (t == 0) values[place] = 1;", values, np.int32(place), parameters=f"{dtype}* values, const int place")


def test_a_write_behind_dynamic_shared_memory_is_reported():
    with pytest.raises(LaunchError, match=r"probe: block .* behind the 16 bytes of dynamic shared memory"):
        run("extern __shared__ int box[]; box[t] = 1;", parameters="", block=(5,), shared_mem=16)


def test_a_wild_pointer_ends_the_launch_and_not_the_process():
    probe = compiled("values[(long long)t << 40] = 1;", "int* values")
    with pytest.raises(LaunchError, match=r"probe: thread \(1, 0, 0\) of block \(0, 0, 0\) touches memory outside"):
        probe((1,), (2,), (ints(4),))
    probe((1,), (1,), (ints(4),))  # and the next launch works


@pytest.mark.parametrize("frame", [64, 4096])
def test_a_stack_overflow_is_reported_whatever_the_size_of_a_frame(frame):
    before = f"""__device__ int deep(const int n) {{
      volatile int room[{frame}]; room[n & 7] = n;
      return n ? deep(n - 1) + room[n & 7] : 0;
    }}"""
    with pytest.raises(LaunchError, match="overflows its stack"):
        run("out[t] = deep(1 << 20);", ints(1), parameters="int* out", block=(1,), before=before)


def test_an_integer_division_by_zero_is_reported():
    with pytest.raises(LaunchError, match="divides an integer by zero"):
        run("out[t] = 7 / out[t];", ints(1), parameters="int* out", block=(1,))


def test_an_endless_loop_is_reported(monkeypatch):
    monkeypatch.setattr("cuda_on_cpu.raw_module.SECONDS_PER_LAUNCH", 1)
    with pytest.raises(LaunchError, match="does not end"):
        run("while (atomicAdd(&out[0], 0) == 0) {}", ints(1), parameters="int* out", block=(1,))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_deadlock_is_reported_with_its_line(reverse):
    body = """#line 90 "probe.cu"
    if (t < 16) __syncthreads();
    else __ballot_sync(0xffffffffu, 1);
    """
    probe = compiled(body, "int* out")
    message = (
        r"probe: deadlock in block \(0, 0, 0\): 16 threads wait at a block barrier.*16 wait .*__ballot_sync, line 91"
    )
    with pytest.raises(LaunchError, match=message):
        if reverse:
            with reverse_thread_order():
                probe((1,), (32,), (ints(1),))
        else:
            probe((1,), (32,), (ints(1),))


def test_different_barriers_in_one_block_are_reported():
    body = """if (t < 16) {
      __syncthreads();
    } else {
      __syncthreads();
    }"""
    with pytest.raises(LaunchError, match="wait at different barriers, lines"):
        run(body, parameters="", block=(32,))


def test_different_intrinsics_in_one_warp_are_reported():
    body = "if (t < 16) out[t] = __shfl_sync(0xffffffffu, t, 0); else out[t] = __any_sync(0xffffffffu, t);"
    with pytest.raises(LaunchError, match=r"lanes of one warp meet at __shfl_sync .* and at __any_sync"):
        run(body, ints(32), parameters="int* out", block=(32,))


def test_a_lane_outside_its_own_mask_is_reported():
    with pytest.raises(LaunchError, match="lane 16 calls __ballot_sync with mask 0x0000ffff"):
        run("out[t] = __ballot_sync(0x0000ffffu, 1);", ints(32), parameters="int* out", block=(32,))


def test_a_shuffle_from_a_lane_that_is_gone_gives_rubbish():
    out = stand_in.zeros(32, np.float32)
    run("if (t == 5) return; out[t] = __shfl_sync(0xffffffffu, 1.0f, 5);", out, parameters="float* out", block=(32,))
    assert np.isnan(np.delete(out.get(), 5)).all()


# ---- mistakes in launches ----


@pytest.mark.parametrize(("grid", "block"), [((0,), (32,)), ((1,), (1025,)), ((1, 70000), (1,)), ((1,), (0,))])
def test_impossible_launch_shapes_are_refused(grid, block):
    with pytest.raises(LaunchError, match="CUDA_ERROR_INVALID_VALUE: probe"):
        run("", parameters="", grid=grid, block=block)


def test_arguments_that_do_not_fit_are_refused():
    probe = compiled("out[0] = n;", "int* out, const int n")
    with pytest.raises(LaunchError, match="1 arguments for 2 parameters"):
        probe((1,), (1,), (ints(1),))
    with pytest.raises(LaunchError, match="does not fit"):
        probe((1,), (1,), (ints(1), np.float64(1)))
    with pytest.raises(TypeError, match="argument 1 is a int"):
        probe((1,), (1,), (ints(1), 1))
    with pytest.raises(LaunchError, match="asks for 50000 bytes"):
        probe((1,), (1,), (ints(1), np.int32(1)), shared_mem=50000)
