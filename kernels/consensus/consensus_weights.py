"""Weights of the edges between similar cells, from their distances, for some frames."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import exponential, load16, minimum, store16

_cuda = CudaSource(__file__)


@cpu_kernel
def _weight_rows(first_row, end_row, distances, frames, scale, weights):
    """A row is one of `frames`. Distances and weights: (frames, slots, 2 cells), both neighbours of a cell beside each
    other: 16 numbers in a vector are those of 8 cells."""
    slots, numbers = distances.shape[1:]
    whole = numbers - numbers % 16
    least, sums = np.empty(numbers + 16, np.float32), np.empty(numbers + 16, np.float32)
    last_distances, last_weights = np.empty(16, np.float32), np.empty(16, np.float32)
    shorter = np.float32(1) / scale[0]
    for row in range(first_row, end_row):
        frame = frames[row]
        least[:] = np.float32(3e38)
        sums[:] = 0
        for s in range(slots):
            near = distances[frame, s]
            for i in range(0, whole, 16):
                store16(least, i, minimum(load16(near, i), load16(least, i)))
            for i in range(whole, numbers):
                least[i] = min(near[i], least[i])
        for i in range(0, numbers, 2):
            # The second neighbour is never nearer than the first.
            least[i + 1] = least[i]
        for s in range(slots):
            near, own = distances[frame, s], weights[row, s]
            for i in range(0, whole, 16):
                weight = exponential((load16(least, i) - load16(near, i)) * shorter)
                store16(own, i, weight)
                store16(sums, i, load16(sums, i) + weight)
            last_distances[:] = np.inf
            last_distances[: numbers - whole] = near[whole:]
            weight = exponential((load16(least, whole) - load16(last_distances, 0)) * shorter)
            store16(last_weights, 0, weight)
            own[whole:] = last_weights[: numbers - whole]
            store16(sums, whole, load16(sums, whole) + weight)
        for i in range(0, numbers, 2):
            total = sums[i] + sums[i + 1]
            sums[i] = sums[i + 1] = np.float32(1) / total if total > 0 else np.float32(0)
        for s in range(slots):
            own = weights[row, s]
            for i in range(numbers):
                own[i] *= sums[i]


def _consensus_weights_cpu(distances, frames, scale):
    slots, cells = distances.shape[1:3]
    weights = np.empty((len(frames), *distances.shape[1:]), np.float32)
    flat = distances.reshape(-1, slots, 2 * cells), frames, scale, weights.reshape(-1, slots, 2 * cells)
    run_bands(_weight_rows, len(frames), *flat, least=2)
    return weights


def _consensus_weights_cuda(distances, frames, scale):
    slots, cells = distances.shape[1:3]
    weights = array_module(distances).empty((len(frames), *distances.shape[1:]), np.float32)
    _cuda.launch_linear(
        "consensus_weights",
        len(frames) * cells,
        distances,
        frames,
        scale,
        weights,
        np.int32(len(frames)),
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
    return distances, np.int32([5, 0, 1, 4]), np.float32([0.8])


# expf of the CUDA library and `exponential` differ in the last digits.
consensus_weights = Kernel(
    "consensus_weights", cpu=_consensus_weights_cpu, cuda=_consensus_weights_cuda, sample=_sample, atol=1e-6
)
