"""One-kernel programs for the tests of the runner itself."""

from __future__ import annotations

import numpy as np

from . import stand_in


def compiled(body: str, parameters: str, before: str = ""):
    """A kernel named `probe`; `i` is the thread's number in the grid, `t` its number in a one-dimensional block."""
    code = f"""{before}
    extern "C" __global__ void probe({parameters}) {{
      const int t = threadIdx.x; const int i = blockIdx.x * blockDim.x + t;
      {body}
    }}"""
    return stand_in.RawModule(code=code, options=("--std=c++17", "--fmad=false")).get_function("probe")


def run(body, *arguments, parameters, grid=(1,), block=(64,), shared_mem=0, before=""):
    compiled(body, parameters, before)(grid, block, arguments, shared_mem=shared_mem)


def ints(count, value=0):
    return stand_in.full(count, value, np.int32)
