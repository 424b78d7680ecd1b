"""Confusion matrix of two label maps: how many pixels of each true class were given each class."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

CHUNK = 32  # pixels of a row that one CUDA thread walks; equal neighbours then cost one atomic


@cpu_kernel
def _count_confusion(result, truth, counts):
    """result, truth: (height, width) int32; counts: (n + 1, m + 1) int32, zero."""
    height, width = truth.shape
    # Unsigned, so that a negative label is a large one, and no index is tested for counting from the end.
    rows, columns = np.uint32(counts.shape[0] - 1), np.uint32(counts.shape[1] - 1)
    for y in range(height):
        true_row, result_row = truth[y], result[y]
        x = 0
        while x < width:
            true_label, result_label = true_row[x], result_row[x]
            begin = x
            x += 1
            while x < width and true_row[x] == true_label and result_row[x] == result_label:
                x += 1
            row, column = min(np.uint32(true_label), rows), min(np.uint32(result_label), columns)
            counts[row, column] += x - begin


def _confusion_counts_cpu(result, truth, classes):
    counts = np.zeros((int(classes) + 1, int(classes) + 1), np.int32)
    _count_confusion(result, truth, counts)
    return counts


def _confusion_counts_cuda(result, truth, classes):
    counts = array_module(truth).zeros((int(classes) + 1, int(classes) + 1), np.int32)
    height, width = truth.shape
    _cuda.launch_image(
        "confusion_counts",
        (height, -(-width // CHUNK)),
        result,
        truth,
        counts,
        np.int32(height),
        np.int32(width),
        np.int32(classes),
        block=(4, 64),
    )
    return counts


def _sample(rng, size_hw):
    coarse = rng.integers(-1, 23, (2, size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    result, truth = np.ascontiguousarray(coarse.repeat(5, 1).repeat(7, 2)[:, : size_hw[0], : size_hw[1]])
    return result, truth, np.int32(19)


confusion_counts = Kernel("confusion_counts", cpu=_confusion_counts_cpu, cuda=_confusion_counts_cuda, sample=_sample)
