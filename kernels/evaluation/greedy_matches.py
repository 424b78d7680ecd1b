"""Greedy matching of results to true objects, best score first, for several thresholds and choices of what counts."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

NEARLY_ONE = 1 - 1e-10  # a threshold of 1 is met by an overlap that rounding made smaller


@cpu_kernel
def _match_all(iou, ignored, crowd, thresholds, taken, matches):
    """iou: (d, g) float64; ignored: (a, g) uint8; crowd: (g,) uint8; thresholds: (t,) float64;
    taken: (a, t, g) uint8, zero; matches: (a, t, d) int32."""
    results, objects = iou.shape
    for a in range(ignored.shape[0]):
        for t in range(thresholds.shape[0]):
            for d in range(results):
                best = min(thresholds[t], NEARLY_ONE)
                match = -1
                # Objects that count come first; one that does not is taken only where none of them fits.
                for side in range(2):
                    for g in range(objects):
                        if ignored[a, g] != side or (taken[a, t, g] != 0 and crowd[g] == 0) or iou[d, g] < best:
                            continue
                        best = iou[d, g]
                        match = g
                    if match >= 0:
                        break
                matches[a, t, d] = match
                if match >= 0:
                    taken[a, t, match] = 1


def _greedy_matches_cpu(iou, ignored, crowd, thresholds):
    shape = ignored.shape[0], thresholds.shape[0]
    taken = np.zeros((*shape, iou.shape[1]), np.uint8)
    matches = np.empty((*shape, iou.shape[0]), np.int32)
    _match_all(iou, ignored, crowd, thresholds, taken, matches)
    return matches


def _greedy_matches_cuda(iou, ignored, crowd, thresholds):
    xp = array_module(iou)
    shape = ignored.shape[0], thresholds.shape[0]
    taken = xp.zeros((*shape, iou.shape[1]), np.uint8)
    matches = xp.empty((*shape, iou.shape[0]), np.int32)
    sizes = np.int32(shape[0]), np.int32(shape[1]), np.int32(iou.shape[0]), np.int32(iou.shape[1])
    _cuda.launch_linear(
        "greedy_matches", shape[0] * shape[1], iou, ignored, crowd, thresholds, taken, matches, *sizes, block=32
    )
    return matches


def _sample(rng, size_hw):
    results, objects = max(size_hw[0] // 8, 1), max(size_hw[1] // 16, 1)
    # Rounded, so that equal overlaps occur.
    iou = np.round(rng.random((results, objects)), 2)
    ignored = (rng.random((4, objects)) < 0.3).astype(np.uint8)
    crowd = (rng.random(objects) < 0.2).astype(np.uint8)
    return iou, ignored, crowd, np.linspace(0.5, 0.95, 10)


greedy_matches = Kernel("greedy_matches", cpu=_greedy_matches_cpu, cuda=_greedy_matches_cuda, sample=_sample)
