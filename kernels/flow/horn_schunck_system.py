"""The linear equation of Horn and Schunck at every pixel, around the flow at which image1 was warped.

``Ix u + Iy v + It = 0`` with the derivatives of `variational_images`: Ix and Iy of the mean of image0 and the warped
image1, five points wide; the difference of the two, less what the flow already explains, is ``It``. Where the flow
leaves image1 all three are 0: there only smoothness speaks.
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
def _system_rows(first_row, end_row, images, flow_uv, system, smoothness2):
    """images: (2, height + 4, width + 4); flow_uv: (2, height, width); system: (4, height, width), all float32."""
    _, height, width = flow_uv.shape
    zero, one, eight, twelfth = np.float32(0), np.float32(1), np.float32(8), np.float32(1 / 12)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for y in range(first_row, end_row):
        mean, change = images[0, y + 2], images[1, y + 2, 2:]
        up2, up, down, down2 = images[0, y, 2:], images[0, y + 1, 2:], images[0, y + 3, 2:], images[0, y + 4, 2:]
        u, v = flow_uv[0, y], flow_uv[1, y]
        along_x, along_y, in_time, inverse = system[0, y], system[1, y], system[2, y], system[3, y]
        to_y = np.float32(y)
        for x in range(width):
            to_x = np.float32(np.int32(x)) + u[x]
            seen = one if (to_x >= zero) & (to_x <= last_x) & (to_y + v[x] >= zero) & (to_y + v[x] <= last_y) else zero
            along_x[x] = seen * twelfth * (eight * (mean[x + 3] - mean[x + 1]) - (mean[x + 4] - mean[x]))
            along_y[x] = seen * twelfth * (eight * (down[x] - up[x]) - (down2[x] - up2[x]))
        for x in range(width):
            ix, iy = along_x[x], along_y[x]
            to_x = np.float32(np.int32(x)) + u[x]
            seen = one if (to_x >= zero) & (to_x <= last_x) & (to_y + v[x] >= zero) & (to_y + v[x] <= last_y) else zero
            in_time[x] = fma(-iy, v[x], fma(-ix, u[x], seen * change[x]))
            inverse[x] = one / fma(iy, iy, fma(ix, ix, smoothness2))


def _horn_schunck_system_cpu(images, flow_uv, smoothness2):
    system = recycled_empty((4, *flow_uv.shape[1:]))
    run_bands(_system_rows, flow_uv.shape[1], images, flow_uv, system, smoothness2)
    return system


def _horn_schunck_system_cuda(images, flow_uv, smoothness2):
    _, height, width = flow_uv.shape
    system = array_module(flow_uv).empty((4, height, width), np.float32)
    numbers = np.int32(height), np.int32(width), smoothness2
    _cuda.launch_image("horn_schunck_system", (height, width), images, flow_uv, system, *numbers)
    return system


def _sample(rng, size_hw):
    height, width = size_hw
    images = rng.random((2, height + 4, width + 4), dtype=np.float32) * np.float32(255)
    return images, rng.normal(0, 2, (2, height, width)).astype(np.float32), np.float32(100)


horn_schunck_system = Kernel(
    "horn_schunck_system", cpu=_horn_schunck_system_cpu, cuda=_horn_schunck_system_cuda, sample=_sample
)
