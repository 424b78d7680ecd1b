"""What the variational refinement needs to know of two images around a flow: its linearised data terms.

Brightness and gradient constancy, each divided by the gradients it multiplies (so that strong edges do not outweigh
weak ones). With ``mean = (image0 + warped1) / 2`` and ``change = warped1 - image0`` in grey levels (0 to 255)::

    terms[0:3] = (Ix, Iy, Iz) / sqrt(Ix^2 + Iy^2 + zeta^2)
    terms[3:9] = g11 g12 g22 g13 g23 g33,  g = sum of r r^T / (r1^2 + r2^2 + zeta^2)
                 over the rows r = (Ixx, Ixy, Ixz) and (Ixy, Iyy, Iyz)
    terms[9] = 1 / (1 + (Ix^2 + Iy^2) / 15^2), how much smoothness counts: motion changes at edges

The data terms are zero where the flow leaves image1: there the smoothness alone decides.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, load16, select, splat16, square_root, store16

ZETA2 = np.float32(0.01)  # squared grey levels per pixel: gradients below 0.1 do not count as structure
EDGE = np.float32(1 / 15**2)  # at a gradient of 15 grey levels per pixel smoothness counts half

_cuda = CudaSource(__file__, {"MARGIN": str(MARGIN), "ZETA2": f"{ZETA2!s}f", "EDGE": f"{EDGE!s}f"})


@cpu_kernel(forceinline=True)
def _warp_row(y, image0, padded1, flow, height, width, offsets, fractions, mean, change, to):
    """One row of mean and change, at `to`, with two repeated pixels at both ends."""
    zero, half, one, levels = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    pitch = width + 2 * MARGIN
    row = y * width
    u, v = flow[row : row + width], flow[(height + y) * width : (height + y + 1) * width]
    here = np.float32(y)
    # Where to read first, then reading: the first loop runs on whole vectors.
    for x in range(width):
        at_x = min(max(zero, np.float32(np.int32(x)) + u[x]), last_x)
        at_y = min(max(zero, here + v[x]), last_y)
        x0, y0 = np.int32(at_x), np.int32(at_y)
        offsets[x] = (y0 + np.int32(MARGIN)) * np.int32(pitch) + (x0 + np.int32(MARGIN))
        fractions[0, x] = at_x - np.float32(x0)
        fractions[1, x] = at_y - np.float32(y0)
    below = np.uint32(pitch)
    for x in range(width):
        i = np.uint32(offsets[x])
        fx, fy = fractions[0, x], fractions[1, x]
        rx = one - fx
        top = fma(fx, padded1[i + np.uint32(1)], rx * padded1[i])
        bottom = fma(fx, padded1[i + below + np.uint32(1)], rx * padded1[i + below])
        there, before = levels * fma(fy, bottom, (one - fy) * top), levels * image0[row + x]
        mean[to + x] = (before + there) * half
        change[to + x] = there - before
    for x in range(1, 3):
        mean[to - x], mean[to + width - 1 + x] = mean[to], mean[to + width - 1]
        change[to - x], change[to + width - 1 + x] = change[to], change[to + width - 1]


@cpu_kernel
def _terms_rows(first_row, end_row, image0, padded1, flow, terms, height, width, pitch):
    """image0, padded1, flow (2 planes), terms (10 planes of height x pitch): flat float32."""
    half, quarter, one, zero = np.float32(0.5), np.float32(0.25), splat16(np.float32(1)), splat16(np.float32(0))
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    length, plane = width + 64, height * pitch
    mean, change = np.zeros(8 * length, np.float32), np.zeros(8 * length, np.float32)  # rings of 8 rows
    offsets, fractions = np.empty(width, np.int32), np.empty((2, width), np.float32)
    numbers = np.empty(width + 16, np.float32)
    for x in range(width + 16):
        numbers[x] = np.float32(x)
    own_flow = np.zeros(2 * length, np.float32)  # the row's flow, padded to whole vectors
    for step in range(first_row - 2, end_row + 2):
        y = min(max(step, 0), height - 1)
        _warp_row(y, image0, padded1, flow, height, width, offsets, fractions, mean, change, (step & 7) * length + 16)
        y = step - 2
        if y < first_row:
            continue
        far_above, above = ((y - 2) & 7) * length + 16, ((y - 1) & 7) * length + 16
        row, below, far_below = (y & 7) * length + 16, ((y + 1) & 7) * length + 16, ((y + 2) & 7) * length + 16
        for x in range(width):
            own_flow[x] = flow[y * width + x]
            own_flow[length + x] = flow[(height + y) * width + x]
        for start in range(0, width, 16):
            x = min(start, pitch - 16)
            to_x, to_y = load16(numbers, x) + load16(own_flow, x), np.float32(y) + load16(own_flow, length + x)
            inside = select((to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y), one, zero)
            ix = (load16(mean, row + x + 1) - load16(mean, row + x - 1)) * half
            iy = (load16(mean, below + x) - load16(mean, above + x)) * half
            iz = load16(change, row + x)
            twice = load16(mean, row + x) + load16(mean, row + x)
            ixx = (load16(mean, row + x + 2) - twice + load16(mean, row + x - 2)) * quarter
            iyy = (load16(mean, far_below + x) - twice + load16(mean, far_above + x)) * quarter
            across_below = load16(mean, below + x + 1) - load16(mean, below + x - 1)
            ixy = (across_below - (load16(mean, above + x + 1) - load16(mean, above + x - 1))) * quarter
            ixz = (load16(change, row + x + 1) - load16(change, row + x - 1)) * half
            iyz = (load16(change, below + x) - load16(change, above + x)) * half
            brightness = inside / square_root(fma(iy, iy, fma(ix, ix, splat16(ZETA2))))
            first = inside / fma(ixy, ixy, fma(ixx, ixx, splat16(ZETA2)))
            second = inside / fma(iyy, iyy, fma(ixy, ixy, splat16(ZETA2)))
            to = y * pitch + x
            store16(terms, to, brightness * ix)
            store16(terms, plane + to, brightness * iy)
            store16(terms, 2 * plane + to, brightness * iz)
            store16(terms, 3 * plane + to, fma(second * ixy, ixy, first * ixx * ixx))
            store16(terms, 4 * plane + to, fma(second * ixy, iyy, first * ixx * ixy))
            store16(terms, 5 * plane + to, fma(second * iyy, iyy, first * ixy * ixy))
            store16(terms, 6 * plane + to, fma(second * ixy, iyz, first * ixx * ixz))
            store16(terms, 7 * plane + to, fma(second * iyy, iyz, first * ixy * ixz))
            store16(terms, 8 * plane + to, fma(second * iyz, iyz, first * ixz * ixz))
            store16(terms, 9 * plane + to, one / fma(EDGE, fma(iy, iy, ix * ix), one))


def _variational_terms_cpu(image0, padded1, flow_uv):
    height, width = image0.shape
    pitch = max(width, 16)  # whole vectors need 16 columns
    terms = np.empty((10, height, pitch), np.float32)
    flat = (array.reshape(-1) for array in (image0, padded1, flow_uv, terms))
    run_bands(_terms_rows, height, *flat, height, width, pitch)
    return terms if pitch == width else np.ascontiguousarray(terms[:, :, :width])


def _variational_terms_cuda(image0, padded1, flow_uv):
    xp = array_module(image0)
    height, width = image0.shape
    mean, change = xp.empty_like(image0), xp.empty_like(image0)
    size = np.int32(height), np.int32(width)
    _cuda.launch_image("variational_terms_warp", (height, width), image0, padded1, flow_uv, mean, change, *size)
    terms = xp.empty((10, height, width), np.float32)
    _cuda.launch_image("variational_terms", (height, width), mean, change, flow_uv, terms, *size)
    return terms


def _sample(rng, size_hw):
    height, width = size_hw
    image0 = rng.random(size_hw, dtype=np.float32)
    padded1 = rng.random((height + 2 * MARGIN, width + 2 * MARGIN), dtype=np.float32)
    return image0, padded1, rng.normal(0, 2, (2, height, width)).astype(np.float32)


variational_terms = Kernel(
    "variational_terms", cpu=_variational_terms_cpu, cuda=_variational_terms_cuda, sample=_sample
)
