"""How well the samples of each motion layer follow each layer's motion, which layers touch, and what follows none.

Runs on the host on both devices: the samples have been read back for the fits.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

MOST = 9.0  # squared distance, in units of noise, that a sample counts at most


@cpu_kernel
def _square(models, k, x, y, back_u, back_v, fore_u, fore_v):
    """Squared distance from a layer's motion, in the direction of time that agrees with it better."""
    u = back_u - models[k, 0] - models[k, 1] * x - models[k, 2] * y
    v = back_v - models[k, 3] - models[k, 4] * x - models[k, 5] * y
    s = fore_u - models[k, 6] - models[k, 7] * x - models[k, 8] * y
    t = fore_v - models[k, 9] - models[k, 10] * x - models[k, 11] * y
    return min(u * u + v * v, s * s + t * t)


@cpu_kernel
def layer_tables(labels, backward_xy, forward_xy, models, scales, limits, step):
    """One pass over the samples.

    labels: (h, w) int32, 0 outside, layers 1..n.   backward_xy, forward_xy: (h, w, 2) float32.
    models: (n + 1, 12) float64, backward and forward.   scales, limits: (n + 1) float64, pixels.
    step: pixels from sample to sample.

    Returns sums (n + 1, n + 1): of layer i's samples, the squared distances from the motion of layer j in units of
    scales[i], each at most MOST; counts (n + 1); centre_sums (n + 1, 2), pixels; touching (n + 1, n + 1), pairs of
    neighbouring samples; odd (h, w) bool: farther than limits[i] from their own motion.
    """
    height, width = labels.shape
    n = models.shape[0]
    sums, touching = np.zeros((n, n)), np.zeros((n, n), np.int64)
    counts, centre_sums = np.zeros(n, np.int64), np.zeros((n, 2))
    odd = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            own = labels[y, x]
            if own <= 0:
                continue
            if x + 1 < width and labels[y, x + 1] > 0 and labels[y, x + 1] != own:
                touching[own, labels[y, x + 1]] += 1
                touching[labels[y, x + 1], own] += 1
            if y + 1 < height and labels[y + 1, x] > 0 and labels[y + 1, x] != own:
                touching[own, labels[y + 1, x]] += 1
                touching[labels[y + 1, x], own] += 1
            px, py = float(step * x), float(step * y)
            counts[own] += 1
            centre_sums[own, 0] += px
            centre_sums[own, 1] += py
            back_u, back_v = float(backward_xy[y, x, 0]), float(backward_xy[y, x, 1])
            fore_u, fore_v = float(forward_xy[y, x, 0]), float(forward_xy[y, x, 1])
            unit = 1.0 / (scales[own] * scales[own])
            for k in range(1, n):
                square = _square(models, k, px, py, back_u, back_v, fore_u, fore_v)
                sums[own, k] += min(square * unit, MOST)
                if k == own:
                    odd[y, x] = square > limits[own] * limits[own]
    return sums, counts, centre_sums, touching, odd
