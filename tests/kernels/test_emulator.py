"""What kernels may rely on in the CUDA-on-CPU runner: each feature, on a program of a few lines."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cuda_on_cpu import stand_in
from cuda_on_cpu.probe import compiled, ints, run
from cuda_on_cpu.raw_module import reverse_thread_order
from numpy.testing import assert_array_equal


def test_each_thread_of_a_three_dimensional_grid_runs_once():
    out = ints(2 * 3 * 4 * 5 * 3 * 2)
    run(
        """const int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
        const int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
        atomicAdd(&out[block * 30 + thread], 1);""",
        out,
        parameters="int* out",
        grid=(2, 3, 4),
        block=(5, 3, 2),
    )
    assert_array_equal(out.get(), 1)


BLOCK_SUM = """
  __shared__ float parts[32];
  float sum = i < n ? values[i] : 0.0f;
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (t % 32 == 0) parts[t / 32] = sum;
  __syncthreads();
  if (t < 32) {
    sum = t < blockDim.x / 32 ? parts[t] : 0.0f;
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
    if (t == 0) sums[blockIdx.x] = sum;
  }"""


@pytest.mark.parametrize("threads", [32, 128, 256, 1024])
def test_block_sum_with_shuffles_and_shared_memory(threads):
    values = np.random.default_rng(0).integers(0, 9, 5000).astype(np.float32)
    blocks = -(-values.size // threads)
    sums = stand_in.empty(blocks, np.float32)
    arguments = (stand_in.asarray(values), sums, np.int32(values.size))
    run(
        BLOCK_SUM,
        *arguments,
        parameters="const float* values, float* sums, const int n",
        grid=(blocks,),
        block=(threads,),
    )
    expected = np.pad(values, (0, blocks * threads - values.size)).reshape(blocks, threads).sum(1)
    assert_array_equal(sums.get(), expected)


@pytest.mark.parametrize(
    ("call", "source"),
    [
        ("__shfl_sync(0xffffffffu, t, 3)", lambda lane: 3),
        ("__shfl_sync(0xffffffffu, t, 3, 8)", lambda lane: lane // 8 * 8 + 3),
        ("__shfl_up_sync(0xffffffffu, t, 2)", lambda lane: lane - 2 if lane >= 2 else lane),
        ("__shfl_up_sync(0xffffffffu, t, 2, 16)", lambda lane: lane - 2 if lane % 16 >= 2 else lane),
        ("__shfl_down_sync(0xffffffffu, t, 5)", lambda lane: lane + 5 if lane + 5 < 32 else lane),
        ("__shfl_down_sync(0xffffffffu, t, 5, 16)", lambda lane: lane + 5 if lane % 16 + 5 < 16 else lane),
        ("__shfl_xor_sync(0xffffffffu, t, 9)", lambda lane: lane ^ 9),
    ],
)
def test_shuffles_take_from_the_lane_that_cuda_defines(call, source):
    out = ints(32)
    run(f"out[t] = {call};", out, parameters="int* out", block=(32,))
    assert_array_equal(out.get(), [source(lane) for lane in range(32)])


def test_shuffles_move_eight_bytes_and_floats():
    out = stand_in.empty(32, np.float64)
    run("out[t] = __shfl_xor_sync(0xffffffffu, t + 0.25, 1);", out, parameters="double* out", block=(32,))
    assert_array_equal(out.get(), (np.arange(32) ^ 1) + 0.25)


def test_votes_and_matches():
    out = stand_in.empty((5, 32), np.uint32)
    run(
        """out[t] = __ballot_sync(0xffffffffu, t % 3 == 0);
        out[32 + t] = __any_sync(0xffffffffu, t == 31);
        out[64 + t] = __all_sync(0xffffffffu, t < 31);
        out[96 + t] = __match_any_sync(0xffffffffu, t / 8);
        __syncwarp();
        if (t < 16) out[128 + t] = __ballot_sync(0x0000ffffu, t > 3);
        else out[128 + t] = __ballot_sync(0xffff0000u, 1);""",
        out,
        parameters="unsigned int* out",
        block=(32,),
    )
    thirds = sum(1 << lane for lane in range(0, 32, 3))
    matches = [0xFF << (lane // 8 * 8) for lane in range(32)]
    expected = [[thirds] * 32, [1] * 32, [0] * 32, matches, [0xFFF0] * 16 + [0xFFFF0000] * 16]
    assert_array_equal(out.get(), np.array(expected, np.uint32))


def test_counting_barriers():
    out = ints((3, 50))
    run(
        """out[t] = __syncthreads_count(t < 7);
        out[50 + t] = __syncthreads_and(t < 49);
        out[100 + t] = __syncthreads_or(t == 49);""",
        out,
        parameters="int* out",
        block=(50,),
    )
    assert_array_equal(out.get(), np.repeat([[7], [0], [1]], 50, axis=1))


def test_threads_that_have_returned_count_as_arrived():
    out = ints(70, -1)
    run(
        """__shared__ int shared[70];
        if (t >= 41) return;
        shared[t] = t;
        __syncthreads();
        out[t] = shared[40 - t] + 100 * (__ballot_sync(0xffffffffu, true) != 0);""",
        out,
        parameters="int* out",
        block=(70,),
    )
    assert_array_equal(out.get(), np.r_[np.arange(40, -1, -1) + 100, np.full(29, -1)])


def test_barriers_in_a_loop_of_many_steps():
    """Prefix sum by doubling: wrong if one thread runs ahead by a single step."""
    values = np.random.default_rng(1).integers(0, 100, 200).astype(np.int32)
    data = stand_in.asarray(values)
    run(
        """__shared__ int sums[200];
        sums[t] = data[t];
        __syncthreads();
        for (int step = 1; step < 200; step *= 2) {
          const int other = t >= step ? sums[t - step] : 0;
          __syncthreads();
          sums[t] += other;
          __syncthreads();
        }
        data[t] = sums[t];""",
        data,
        parameters="int* data",
        block=(200,),
    )
    assert_array_equal(data.get(), values.cumsum())


def test_dynamic_shared_memory():
    out = ints(48)
    run(
        "extern __shared__ int buffer[]; buffer[t] = t; __syncthreads(); out[t] = buffer[47 - t];",
        out,
        parameters="int* out",
        block=(48,),
        shared_mem=48 * 4,
    )
    assert_array_equal(out.get(), np.arange(47, -1, -1))


def test_shared_memory_of_inline_functions_and_of_two_kernels_in_one_file():
    before = """
    __device__ __forceinline__ int rotated(const int value) {
      __shared__ int box[64];
      box[threadIdx.x] = value; __syncthreads();
      const int result = box[(threadIdx.x + 1) % 64]; __syncthreads();
      return result;
    }
    extern "C" __global__ void other(int* out) { out[threadIdx.x] = rotated(2 * threadIdx.x); }
    """
    out = ints(64)
    run("out[t] = rotated(rotated(t));", out, parameters="int* out", before=before)
    assert_array_equal(out.get(), (np.arange(64) + 2) % 64)


def test_integer_atomics_give_the_old_value():
    out, old = ints(9, 5), ints(9)
    run(
        """old[0] = atomicAdd(&out[0], 3); old[1] = atomicSub(&out[1], 3); old[2] = atomicMin(&out[2], 3);
        old[3] = atomicMax(&out[3], 9); old[4] = atomicExch(&out[4], 7); old[5] = atomicCAS(&out[5], 5, 8);
        old[6] = atomicCAS(&out[6], 4, 8); old[7] = atomicOr(&out[7], 10); old[8] = atomicAnd(&out[8], 6);""",
        out,
        old,
        parameters="int* out, int* old",
        block=(1,),
    )
    assert_array_equal(out.get(), [8, 2, 3, 9, 7, 8, 5, 15, 4])
    assert_array_equal(old.get(), 5)


def test_atomics_collect_from_all_blocks():
    out = stand_in.asarray(np.array([0, 2**31 - 1], np.int32))
    run("atomicAdd(&out[0], 1); atomicMin(&out[1], 7 * i + 3);", out, parameters="int* out", grid=(10,), block=(100,))
    assert_array_equal(out.get(), [1000, 3])


def test_bit_functions():
    out = ints(12)
    run(
        """out[0] = __popc(0xF0F0u); out[1] = __clz(1); out[2] = __clz(0); out[3] = __ffs(8); out[4] = __ffs(0);
        out[5] = (int)__brev(1u); out[6] = __float_as_int(1.0f); out[7] = (int)__int_as_float(0x40400000);
        out[8] = (int)__umulhi(1u << 31, 4u); out[9] = __float2int_rn(2.5f); out[10] = __float2int_rd(-0.5f);
        out[11] = __clzll(1);""",
        out,
        parameters="int* out",
        block=(1,),
    )
    assert_array_equal(out.get(), [8, 31, 32, 4, 0, -(2**31), 0x3F800000, 3, 2, 2, -1, 63])


def test_minimum_and_maximum_prefer_the_number_to_nan():
    values = stand_in.full(4, np.nan, np.float32)
    run(
        "v[0] = fminf(v[0], 2.0f); v[1] = fmaxf(3.0f, v[1]); v[2] = min(v[2], 4.0f); v[3] = max(5.0f, v[3]);",
        values,
        parameters="float* v",
        block=(1,),
    )
    assert_array_equal(values.get(), [2, 3, 4, 5])


def test_products_and_sums_are_not_fused():
    a, b = np.float32(1 + 2**-12), np.float32(-1 - 2**-11)
    out = stand_in.empty(2, np.float32)
    run("out[0] = a * a + b; out[1] = fmaf(a, a, b);", out, a, b, parameters="float* out, float a, float b", block=(1,))
    assert_array_equal(out.get(), np.float32([0, 2**-24]))


def test_vectors_have_the_alignment_of_the_card():
    out = ints(4)
    run(
        """float4 v = make_float4(1, 2, 3, 4); uchar3 c = make_uchar3(7, 8, 9);
        out[0] = alignof(float4); out[1] = sizeof(uchar3); out[2] = (int)(v.x + v.w); out[3] = c.z;""",
        out,
        parameters="int* out",
        block=(1,),
    )
    assert_array_equal(out.get(), [16, 3, 5, 9])


def test_defines_reach_the_compiler():
    module = stand_in.RawModule(
        code='extern "C" __global__ void probe(T* out) { out[0] = N; }', options=("-DT=short", "-DN=42")
    )
    out = stand_in.empty(1, np.int16)
    module.get_function("probe")((1,), (1,), (out,))
    assert out.item() == 42


def test_a_launch_takes_every_thread_in_either_order():
    orders = []
    for reverse in (False, True):
        out = ints(6)
        arguments, words = (out, ints(1)), {"parameters": "int* out, int* next", "grid": (2,), "block": (3,)}
        body = "out[i] = atomicAdd(next, 1);"
        if reverse:
            with reverse_thread_order():
                run(body, *arguments, **words)
        else:
            run(body, *arguments, **words)
        orders.append(out.get().tolist())
    assert orders == [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]]


def test_many_host_threads_may_launch():
    probe = compiled("out[i] = i * factor;", "int* out, const int factor")

    def launch(factor):
        out = ints(640)
        probe((10,), (64,), (out, np.int32(factor)))
        return (out.get() == np.arange(640) * factor).all()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(launch, range(40)))


def test_processes_that_build_the_same_source_do_not_disturb_each_other(tmp_path):
    script = (
        "from cuda_on_cpu import stand_in\n"
        "code = 'extern \"C\" __global__ void probe(int* out) { out[0] = 3; }'\n"
        "out = stand_in.zeros(1, 'int32')\n"
        "stand_in.RawModule(code=code).get_function('probe')((1,), (1,), (out,))\n"
        "print(out.item())"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": paths}
    children = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [child.communicate()[0].strip() for child in children] == ["3"] * 3
    assert len(list(tmp_path.rglob("*.so"))) == 1
    assert not list(tmp_path.rglob("*.building"))
