"""What the variational refinement looks at: image0, and image1 read where the flow points, in grey levels (0 to 255).

``images[0] = (image0 + warped1) / 2`` carries the structure, ``images[1] = warped1 - image0`` what is left to explain.
Both have two repeated pixels all around, so that their derivatives need no test for the edge.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__, {"MARGIN": str(MARGIN)})


@cpu_kernel
def image_rows(
    first_row, end_row, image0, first0, pitch0, padded1, first1, pitch1, flow, images, height, width, flow_pitch
):
    """Flat float32: image0, its pixel (0, 0) at `first0`; image1 with its margin, from `first1`; flow: planes u, v of
    height x flow_pitch; images: two planes of (height + 4) x (flow_pitch + 4).
    """
    plane, image_pitch = height * flow_pitch, flow_pitch + 4
    zero, half, one, levels = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    pitch, corner = np.int32(pitch1), np.int32(first1 + MARGIN * pitch1 + MARGIN)
    below, right = np.uint32(pitch1), np.uint32(1)
    offsets = np.empty(width, np.int32)
    fractions_x, fractions_y = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(first_row, end_row):
        u, v = flow[y * flow_pitch :], flow[plane + y * flow_pitch :]
        source = image0[first0 + y * pitch0 :]
        mean = images[(y + 2) * image_pitch + 2 :]
        change = images[(height + 4 + y + 2) * image_pitch + 2 :]
        here = np.float32(y)
        # Where to read first, reading after: the first loop runs on whole vectors.
        for x in range(width):
            at_x = min(max(zero, np.float32(np.int32(x)) + u[x]), last_x)
            at_y = min(max(zero, here + v[x]), last_y)
            x0, y0 = np.int32(at_x), np.int32(at_y)
            offsets[x] = corner + y0 * pitch + x0
            fractions_x[x], fractions_y[x] = at_x - np.float32(x0), at_y - np.float32(y0)
        for x in range(width):
            i, fx, fy = np.uint32(offsets[x]), fractions_x[x], fractions_y[x]
            rx = one - fx
            top = fma(fx, padded1[i + right], rx * padded1[i])
            bottom = fma(fx, padded1[i + below + right], rx * padded1[i + below])
            there, before = levels * fma(fy, bottom, (one - fy) * top), levels * source[x]
            mean[x] = (before + there) * half
            change[x] = there - before
        for number in range(2):
            first_pixel = (number * (height + 4) + y + 2) * image_pitch
            row = images[first_pixel : first_pixel + width + 4]
            row[0], row[1], row[width + 2], row[width + 3] = row[2], row[2], row[width + 1], row[width + 1]
            # Copied by loops: a slice would make Numba compile the text of an error for unequal shapes (2 s).
            if y == 0:
                above2, above1 = images[first_pixel - 2 * image_pitch :], images[first_pixel - image_pitch :]
                for x in range(width + 4):
                    above2[x] = above1[x] = row[x]
            if y == height - 1:
                below1, below2 = images[first_pixel + image_pitch :], images[first_pixel + 2 * image_pitch :]
                for x in range(width + 4):
                    below1[x] = below2[x] = row[x]


def _variational_images_cpu(image0, padded1, flow_uv):
    height, width = image0.shape
    images = recycled_empty((2, height + 4, width + 4))
    sources = image0.reshape(-1), 0, width, padded1.reshape(-1), 0, padded1.shape[1]
    run_bands(image_rows, height, *sources, flow_uv.reshape(-1), images.reshape(-1), height, width, width)
    return images


def _variational_images_cuda(image0, padded1, flow_uv):
    height, width = image0.shape
    images = array_module(image0).empty((2, height + 4, width + 4), np.float32)
    size = np.int32(height), np.int32(width)
    _cuda.launch_image("variational_images", images.shape[1:], image0, padded1, flow_uv, images, *size)
    return images


def _sample(rng, size_hw):
    height, width = size_hw
    image0 = rng.random(size_hw, dtype=np.float32)
    padded1 = rng.random((height + 2 * MARGIN, width + 2 * MARGIN), dtype=np.float32)
    return image0, padded1, rng.normal(0, 2, (2, height, width)).astype(np.float32)


variational_images = Kernel(
    "variational_images", cpu=_variational_images_cpu, cuda=_variational_images_cuda, sample=_sample
)
