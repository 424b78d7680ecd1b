"""Weights of the edges between similar cells, from their distances."""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _weight_rows(first_row, end_row, distances, scale, weights):
    """A row is one frame."""
    slots, cells = distances.shape[1:3]
    sums, least = np.empty(cells, np.float32), np.empty(cells, np.float32)
    for frame in range(first_row, end_row):
        sums[:] = 0
        least[:] = np.float32(3e38)
        for s in range(slots):
            for cell in range(cells):
                # The second neighbour is never nearer than the first.
                least[cell] = min(least[cell], distances[frame, s, cell, 0])
        for s in range(slots):
            for cell in range(cells):
                for k in range(2):
                    weight = np.float32(math.exp((least[cell] - distances[frame, s, cell, k]) / scale[0]))
                    weights[frame, s, cell, k] = weight
                    sums[cell] += weight
        for cell in range(cells):
            sums[cell] = np.float32(1) / sums[cell] if sums[cell] > 0 else np.float32(0)
        for s in range(slots):
            for cell in range(cells):
                weights[frame, s, cell, 0] *= sums[cell]
                weights[frame, s, cell, 1] *= sums[cell]


def _consensus_weights_cpu(distances, scale):
    weights = np.empty_like(distances)
    run_bands(_weight_rows, distances.shape[0], distances, scale, weights, least=2)
    return weights


def _consensus_weights_cuda(distances, scale):
    weights = array_module(distances).empty_like(distances)
    frames, slots, cells = distances.shape[:3]
    _cuda.launch_linear(
        "consensus_weights",
        frames * cells,
        distances,
        scale,
        weights,
        np.int32(frames),
        np.int32(slots),
        np.int32(cells),
    )
    return weights


def _sample(rng, size_hw):
    cells = -(-size_hw[0] // 20) * -(-size_hw[1] // 20)
    distances = rng.exponential(1.0, (6, 5, cells, 2)).astype(np.float32)
    distances[0, 1:] = np.inf
    distances[5] = np.inf
    distances[4] += np.float32(1e4)  # unlike everything: only relative distances are left
    distances.sort(axis=3)
    return distances, np.float32([0.8])


# expf of the CUDA library and of the CPU differ in the last digits.
consensus_weights = Kernel(
    "consensus_weights", cpu=_consensus_weights_cpu, cuda=_consensus_weights_cuda, sample=_sample, atol=1e-6
)
