"""Which labels surround each hole: the smallest and the largest label that touches it.

owners(k) = min, max over the neighbours of hole k + 1 of their labels; LARGEST, 0 without any
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)

LARGEST = 2**31 - 1


@cpu_kernel
def _note(owners, hole, label):
    if label != 0:
        owners[hole - 1, 0] = min(owners[hole - 1, 0], label)
        owners[hole - 1, 1] = max(owners[hole - 1, 1], label)


@cpu_kernel
def _look_around(labels, holes, connectivity, owners):
    """labels, holes: (height, width) int32, never both other than 0; owners: (n, 2) int32."""
    height, width = labels.shape
    corner = 1 if connectivity == 8 else 0
    for y in range(height):
        row = holes[y]
        x = next_labelled(row, 0)
        while x < width:
            hole = row[x]
            first = x
            while x < width and row[x] == hole:
                x += 1
            # One run of a hole: what lies at its ends, above and below.
            if first > 0:
                _note(owners, hole, labels[y, first - 1])
            if x < width:
                _note(owners, hole, labels[y, x])
            for other in range(max(y - 1, 0), min(y + 2, height), 1):
                if other == y:
                    continue
                seen = 0
                for k in range(max(first - corner, 0), min(x + corner, width)):
                    label = labels[other, k]
                    if label != seen:
                        seen = label
                        _note(owners, hole, label)
            if x < width and row[x] == 0:
                x = next_labelled(row, x)


def _hole_owners_cpu(labels, holes, count, connectivity):
    owners = np.empty((int(count), 2), np.int32)
    owners[:, 0], owners[:, 1] = LARGEST, 0
    _look_around(labels, holes, int(connectivity), owners)
    return owners


def _hole_owners_cuda(labels, holes, count, connectivity):
    owners = array_module(labels).empty((int(count), 2), np.int32)
    height, width = labels.shape
    _cuda.launch_linear("hole_owners_start", int(count), owners, np.int32(count))
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("hole_owners", (height, width), labels, holes, owners, *sizes, np.int32(connectivity))
    return owners


def _sample(rng, size_hw):
    from cvseg.kernels.labeling.label_components import label_components

    labels = rng.integers(0, 4, size_hw, dtype=np.int32)
    holes, count = label_components.cpu((labels == 0).astype(np.uint8), np.int32(4))
    return labels, holes, np.int32(count[0]), np.int32(4)


hole_owners = Kernel("hole_owners", cpu=_hole_owners_cpu, cuda=_hole_owners_cuda, sample=_sample, atol=0)
