"""Variational refinement: the flow that fits the images and is smooth except where it pays not to be.

The energy, around the flow at which image1 was warped (see variational_images), with w = (u, v) - that flow::

    delta psi(Iz + Ix wu + Iy wv)        brightness constancy
    + gamma psi(grad Iz + Hessian w)     gradient constancy, which survives changes of light
    + alpha edge psi(grad u, grad v)     smoothness; edge = 1 / (1 + |grad I|^2 / 15^2), for motion changes at edges

with psi(x) = sqrt(x^2 + 0.001^2), and each data term divided by the gradients it multiplies, so that strong edges do
not outweigh weak ones. Where the flow leaves image1 there are no data terms.

Each fixed-point step freezes the robust weights at the current flow. That leaves a linear system with five unknowns per
row, relaxed by sweeps of red-black successive over-relaxation::

    (a11 + sum s) u + a12 v = c1 + sum s u_neighbour
    a12 u + (a22 + sum s) v = c2 + sum s v_neighbour

On the CPU all of a step is one pass over the rows: see `variational_rows`. On a GPU a block keeps a tile in shared
memory for up to four sweeps.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.variational_rows import EDGE, EPSILON2, ZETA2, refine_rows, refine_scratch, refined_pitch
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

# A block of the GPU relaxes a tile. More sweeps per launch spoil more of it, fewer compute the system more often.
TILE, MOST_SWEEPS = 64, 4

_NUMBERS = {"EPSILON2": EPSILON2, "ZETA2": ZETA2, "EDGE": EDGE}
_cuda = CudaSource(__file__, {"TILE": str(TILE), **{name: f"{value!s}f" for name, value in _NUMBERS.items()}})


_NO_IMAGE = np.empty(0, np.float32)


@cpu_kernel
def _solve_band(
    first_row, end_row, images, none, base, flow, relaxed, again, height, width, sweeps, alpha, delta, gamma, omega
):
    scratch = np.empty(refine_scratch(width, sweeps), np.float32)
    numbers = height, width, sweeps, alpha, delta, gamma, omega
    refine_rows(first_row, end_row, images, none, 0, 0, none, 0, 0, base, flow, relaxed, again, *numbers, scratch)


def _variational_solve_cpu(images, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    height, width = base_uv.shape[1:]
    pitch = int(refined_pitch(width))
    base, before, after = (recycled_empty((2, height, pitch)) for _ in range(3))
    base[:, :, :width] = base_uv
    flow, relaxed = base, before
    for step in range(int(fixed_points)):
        planes = (planes.reshape(-1) for planes in (base, flow, relaxed))
        numbers = step > 0, height, width, int(sweeps), alpha, delta, gamma, omega
        run_bands(_solve_band, height, images.reshape(-1), _NO_IMAGE, *planes, *numbers, least=64)
        flow, relaxed = relaxed, after if relaxed is before else before
    return np.ascontiguousarray(flow[:, :, :width])


def _variational_solve_cuda(images, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    height, width = base_uv.shape[1:]
    launches = -(-int(sweeps) // MOST_SWEEPS)
    spare = [array_module(base_uv).empty_like(base_uv) for _ in range(3 if launches > 1 else 2)]
    frozen = base_uv
    for _ in range(int(fixed_points)):
        start = frozen
        for number in range(launches):
            count = int(sweeps) * (number + 1) // launches - int(sweeps) * number // launches
            relaxed = next(one for one in spare if one is not frozen and one is not start)
            inner = TILE - 4 * count
            _cuda.launch_blocks(
                "variational_solve",
                (-(-width // inner), -(-height // inner)),
                (TILE // 2, TILE // 2),
                images,
                base_uv,
                frozen,
                start,
                relaxed,
                np.int32(height),
                np.int32(width),
                np.int32(count),
                alpha,
                delta,
                gamma,
                omega,
            )
            start = relaxed
        frozen = start
    return frozen


def _sample(rng, size_hw):
    height, width = size_hw
    image0, image1 = rng.random((2, height, width), dtype=np.float32) * np.float32(255)
    images = np.stack([(image0 + image1) * np.float32(0.5), image1 - image0])
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)), mode="edge")
    flow_uv = rng.normal(0, 2, (2, height, width)).astype(np.float32)
    numbers = (np.float32(20), np.float32(5), np.float32(10), np.float32(1.6))
    return images, flow_uv, np.int32(2), np.int32(3), *numbers


variational_solve = Kernel(
    "variational_solve", cpu=_variational_solve_cpu, cuda=_variational_solve_cuda, sample=_sample
)
