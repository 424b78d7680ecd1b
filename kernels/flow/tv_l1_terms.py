"""What TV-L1 asks of every pixel: which flow and which change of light would explain the change of brightness.

image1 is read where the flow points (cubic, so that no interpolation blurs what is compared), both images in grey
levels, 0 to 255. With the gradient g of their mean, the change of brightness I, and k = 1 / sqrt(|g|^2 + 5^2), which
makes of brightness about a distance in pixels, whatever the contrast::

    terms[0], terms[1], terms[2] = k g_x, k g_y, k light        terms[3] = k (I - g (u, v))
    terms[4] = 1 / (1 + |g|^2 / edge^2)       smoothness: motion changes where the image does
    terms[5] = 1 / (terms[0]^2 + terms[1]^2 + terms[2]^2)

so that ``terms[0] u + terms[1] v + terms[2] w + terms[3]`` is what is left unexplained, w being what the light adds, in
`light` grey levels. Terms 0 to 3 are 0 where the flow leaves image1. The gradient is (1, -8, 0, 8, -1) / 12, with edge
pixels repeated.

On the CPU the warped rows stay in a ring of eight.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, hsum, inverse_root, load4, load16, select, splat16, store16
from cvseg.kernels.recycled import recycled_empty

TINY = np.float32(1e-9)  # keeps terms[5] finite where nothing is asked
CONTRAST2 = np.float32(25)  # of squared grey levels per pixel

_NUMBERS = {"TINY": TINY, "CONTRAST2": CONTRAST2}
_cuda = CudaSource(__file__, {"MARGIN": str(MARGIN)} | {name: f"{value!s}f" for name, value in _NUMBERS.items()})

SPARE = 16  # numbers before and after a row in its buffer


@cpu_kernel
def _image_row(y, image0, padded1, flow_uv, offsets, across, down, mean, change):
    """mean, change: buffers of one row, the row at `SPARE`, two repeated pixels at both ends."""
    height, width = image0.shape
    zero, half, one, two = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
    more, most, levels = np.float32(1.5), np.float32(2.5), np.float32(255)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    pitch, margin, here = np.int32(width + 2 * MARGIN), np.int32(MARGIN - 1), np.float32(y)
    u, v, source = flow_uv[0, y], flow_uv[1, y], image0[y]
    # Where to read first, reading after: the first loop runs on whole vectors.
    for x in range(width):
        at_x = min(max(zero, np.float32(np.int32(x)) + u[x]), last_x)
        at_y = min(max(zero, here + v[x]), last_y)
        x0, y0 = np.int32(at_x), np.int32(at_y)
        offsets[x] = (y0 + margin) * pitch + (x0 + margin)
        f = at_x - np.float32(x0)
        across[4 * x] = f * (f * (one - half * f) - half)
        across[4 * x + 1] = f * f * (more * f - most) + one
        across[4 * x + 2] = f * (f * (two - more * f) + half)
        across[4 * x + 3] = f * f * (half * f - half)
        f = at_y - np.float32(y0)
        down[4 * x] = f * (f * (one - half * f) - half)
        down[4 * x + 1] = f * f * (more * f - most) + one
        down[4 * x + 2] = f * (f * (two - more * f) + half)
        down[4 * x + 3] = f * f * (half * f - half)
    for x in range(width):
        i, k = offsets[x], 4 * x
        columns = down[k] * load4(padded1, i)
        columns = fma(down[k + 1], load4(padded1, i + pitch), columns)
        columns = fma(down[k + 2], load4(padded1, i + pitch + pitch), columns)
        columns = fma(down[k + 3], load4(padded1, i + pitch + pitch + pitch), columns)
        mean[SPARE + x] = hsum(columns * load4(across, k))
    for x in range(width):
        there, before = levels * mean[SPARE + x], levels * source[x]
        mean[SPARE + x] = (before + there) * half
        change[SPARE + x] = there - before
    first, last = SPARE, SPARE + width - 1
    mean[first - 1] = mean[first - 2] = mean[first]
    mean[last + 1] = mean[last + 2] = mean[last]


@cpu_kernel
def _term_rows(first_row, end_row, image0, padded1, flow_uv, terms, light, edge):
    """image0: (height, width); padded1: flat; flow_uv: (2, height, width); terms: (6, height, width)."""
    height, width = image0.shape
    zero, one = splat16(np.float32(0)), splat16(np.float32(1))
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    near, far = np.float32(8 / 12), np.float32(1 / 12)
    length = (width + 15) // 16 * 16 + 2 * SPARE
    means, changes = np.zeros(8 * length, np.float32), np.zeros(8 * length, np.float32)
    offsets, across, down = np.empty(width, np.int32), np.empty(4 * width, np.float32), np.empty(4 * width, np.float32)
    numbers, flow, out = (
        np.zeros(length, np.float32),
        np.zeros(2 * length, np.float32),
        np.zeros(6 * length, np.float32),
    )
    for x in range(width):
        numbers[x] = np.float32(np.int32(x))
    done = max(0, first_row - 2)
    for y in range(first_row, end_row):
        while done < min(y + 3, height):
            slot = (done & 7) * length
            _image_row(
                done,
                image0,
                padded1,
                flow_uv,
                offsets,
                across,
                down,
                means[slot : slot + length],
                changes[slot : slot + length],
            )
            done += 1
        for x in range(width):
            flow[x], flow[length + x] = flow_uv[0, y, x], flow_uv[1, y, x]
        row, change = (y & 7) * length + SPARE, (y & 7) * length + SPARE
        up, down1 = (max(y - 1, 0) & 7) * length + SPARE, (min(y + 1, height - 1) & 7) * length + SPARE
        up2, down2 = (max(y - 2, 0) & 7) * length + SPARE, (min(y + 2, height - 1) & 7) * length + SPARE
        here = np.float32(y)
        for x in range(0, width, 16):
            u, v = load16(flow, x), load16(flow, length + x)
            to_x, to_y = load16(numbers, x) + u, here + v
            inside = select((to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y), one, zero)
            i = row + x
            ix = near * (load16(means, i + 1) - load16(means, i - 1)) - far * (
                load16(means, i + 2) - load16(means, i - 2)
            )
            iy = near * (load16(means, down1 + x) - load16(means, up + x)) - far * (
                load16(means, down2 + x) - load16(means, up2 + x)
            )
            squares = fma(iy, iy, ix * ix)
            norm = inside * inverse_root(squares + CONTRAST2)
            a, b, c = norm * ix, norm * iy, norm * light
            store16(out, x, a)
            store16(out, length + x, b)
            store16(out, 2 * length + x, c)
            store16(out, 3 * length + x, norm * load16(changes, change + x) - fma(b, v, a * u))
            less = inverse_root(fma(splat16(edge), squares, one))
            store16(out, 4 * length + x, less * less)
            less = inverse_root(fma(c, c, fma(b, b, fma(a, a, splat16(TINY)))))
            store16(out, 5 * length + x, less * less)
        for number in range(6):
            target, source = terms[number, y], out[number * length :]
            for x in range(width):
                target[x] = source[x]


def _tv_l1_terms_cpu(image0, padded1, flow_uv, light, edge):
    height, width = image0.shape
    terms = recycled_empty((6, height, width))
    edge = np.float32(1) / (edge * edge)
    run_bands(_term_rows, height, image0, padded1.reshape(-1), flow_uv, terms, light, edge)
    return terms


def _tv_l1_terms_cuda(image0, padded1, flow_uv, light, edge):
    xp = array_module(image0)
    height, width = image0.shape
    images, terms = xp.empty((2, height, width), np.float32), xp.empty((6, height, width), np.float32)
    size = np.int32(height), np.int32(width)
    _cuda.launch_image("tv_l1_terms_images", (height, width), image0, padded1, flow_uv, images, *size)
    edge = np.float32(1) / (edge * edge)
    _cuda.launch_image("tv_l1_terms", (height, width), images, flow_uv, terms, *size, light, edge)
    return terms


def _sample(rng, size_hw):
    height, width = size_hw
    image0 = rng.random(size_hw, dtype=np.float32)
    padded1 = rng.random((height + 2 * MARGIN, width + 2 * MARGIN), dtype=np.float32)
    flow_uv = rng.normal(0, 2, (2, height, width)).astype(np.float32)
    return image0, padded1, flow_uv, np.float32(1.5), np.float32(25)


tv_l1_terms = Kernel("tv_l1_terms", cpu=_tv_l1_terms_cpu, cuda=_tv_l1_terms_cuda, sample=_sample)
