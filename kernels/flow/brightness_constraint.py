"""What constant brightness demands of the flow at every pixel: ``Ix u + Iy v + It = 0``, all three divided by a norm.

Ix and Iy are derivatives, five points wide, of the mean of image0 and the warped image1 (see `variational_images`); It
is the difference of the two, less what the flow at which image1 was warped explains. The norm is
``sqrt(floor^2 + Ix^2 + Iy^2)``: where there is much structure, what is left is the distance from the line of possible
flows, in pixels. Where the flow leaves image1 all three are 0: nothing is demanded.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _constraint_rows(first_row, end_row, images, flow_uv, constraint, floor2):
    """images: (2, height + 4, width + 4); flow_uv: (2, height, width); constraint: (3, height, width), all float32."""
    _, height, width = flow_uv.shape
    zero, one, eight, twelfth = np.float32(0), np.float32(1), np.float32(8), np.float32(1 / 12)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    scale = np.empty(width, np.float32)
    for y in range(first_row, end_row):
        mean, change = images[0, y + 2], images[1, y + 2, 2:]
        up2, up, down, down2 = images[0, y, 2:], images[0, y + 1, 2:], images[0, y + 3, 2:], images[0, y + 4, 2:]
        u, v = flow_uv[0, y], flow_uv[1, y]
        along_x, along_y, in_time = constraint[0, y], constraint[1, y], constraint[2, y]
        here = np.float32(y)
        # Three loops over a row, each short enough for the compiler to make vectors of.
        for x in range(width):
            along_x[x] = twelfth * (eight * (mean[x + 3] - mean[x + 1]) - (mean[x + 4] - mean[x]))
            along_y[x] = twelfth * (eight * (down[x] - up[x]) - (down2[x] - up2[x]))
        for x in range(width):
            to_x, to_y = np.float32(np.int32(x)) + u[x], here + v[x]
            seen = one if (to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y) else zero
            scale[x] = seen / np.sqrt(fma(along_y[x], along_y[x], fma(along_x[x], along_x[x], floor2)))
        for x in range(width):
            ix, iy = along_x[x], along_y[x]
            in_time[x] = scale[x] * fma(-iy, v[x], fma(-ix, u[x], change[x]))
            along_x[x], along_y[x] = scale[x] * ix, scale[x] * iy


def _brightness_constraint_cpu(images, flow_uv, floor):
    constraint = recycled_empty((3, *flow_uv.shape[1:]))
    run_bands(_constraint_rows, flow_uv.shape[1], images, flow_uv, constraint, np.float32(floor * floor))
    return constraint


def _brightness_constraint_cuda(images, flow_uv, floor):
    _, height, width = flow_uv.shape
    constraint = array_module(flow_uv).empty((3, height, width), np.float32)
    numbers = np.int32(height), np.int32(width), np.float32(floor * floor)
    _cuda.launch_image("brightness_constraint", (height, width), images, flow_uv, constraint, *numbers)
    return constraint


def _sample(rng, size_hw):
    height, width = size_hw
    images = rng.random((2, height + 4, width + 4), dtype=np.float32) * np.float32(255)
    return images, rng.normal(0, 2, (2, height, width)).astype(np.float32), np.float32(10)


brightness_constraint = Kernel(
    "brightness_constraint", cpu=_brightness_constraint_cpu, cuda=_brightness_constraint_cuda, sample=_sample
)
