"""One round of votes over the graph of similar and touching cells, for some frames."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _step_rows(
    first_row, end_row, votes, seeds, edges, weights, links, frames, next_votes, cells_x, link_share, restart
):
    """A row is one of `frames`."""
    slots, cells = edges.shape[1:3]
    flat = votes.reshape(votes.size)
    one = np.float32(1)
    similar = np.empty(cells, np.float32)
    for row in range(first_row, end_row):
        frame = frames[row]
        similar[:] = 0
        for s in range(slots):
            for cell in range(cells):
                similar[cell] += weights[row, s, cell, 0] * flat[np.uint32(edges[frame, s, cell, 0])]
                similar[cell] += weights[row, s, cell, 1] * flat[np.uint32(edges[frame, s, cell, 1])]
        own = votes[frame]
        for cell in range(cells):
            cx = cell % cells_x
            beside = np.float32(0)
            if cx > 0:
                beside += links[frame, 0, cell] * own[cell - 1]
            if cx < cells_x - 1:
                beside += links[frame, 1, cell] * own[cell + 1]
            if cell >= cells_x:
                beside += links[frame, 2, cell] * own[cell - cells_x]
            if cell < cells - cells_x:
                beside += links[frame, 3, cell] * own[cell + cells_x]
            mean = similar[cell] * (one - link_share) + beside * link_share
            next_votes[row, cell] = mean * (one - restart) + seeds[frame, cell] * restart


def _consensus_step_cpu(votes, seeds, edges, weights, links, frames, cells_x, link_share, restart):
    next_votes = np.empty((len(frames), votes.shape[1]), np.float32)
    run_bands(
        _step_rows,
        len(frames),
        votes,
        seeds,
        edges,
        weights,
        links,
        frames,
        next_votes,
        int(cells_x),
        link_share,
        restart,
        least=2,
    )
    return next_votes


def _consensus_step_cuda(votes, seeds, edges, weights, links, frames, cells_x, link_share, restart):
    slots, cells = edges.shape[1:3]
    next_votes = array_module(votes).empty((len(frames), cells), np.float32)
    _cuda.launch_linear(
        "consensus_step",
        len(frames) * cells,
        votes,
        seeds,
        edges,
        weights,
        links,
        frames,
        next_votes,
        np.int32(len(frames)),
        np.int32(slots),
        np.int32(cells // int(cells_x)),
        cells_x,
        link_share,
        restart,
    )
    return next_votes


def _sample(rng, size_hw):
    cells_y, cells_x = -(-size_hw[0] // 20), -(-size_hw[1] // 20)
    cells, frames, slots = cells_y * cells_x, 6, 5
    votes, seeds = rng.random((2, frames, cells), dtype=np.float32)
    edges = rng.integers(0, frames * cells, (frames, slots, cells, 2)).astype(np.int32)
    places = np.int32([5, 0, 2, 3])
    weights = rng.random((len(places), slots, cells, 2), dtype=np.float32) / np.float32(slots)
    links = rng.random((frames, 4, cells), dtype=np.float32) / np.float32(2)
    return votes, seeds, edges, weights, links, places, np.int32(cells_x), np.float32(0.09), np.float32(0.1)


consensus_step = Kernel("consensus_step", cpu=_consensus_step_cpu, cuda=_consensus_step_cuda, sample=_sample, atol=1e-6)
