"""The affine motion that most samples of a layer follow: hypotheses, then iteratively reweighted least squares.

Runs on the host on both devices: some hundred samples a layer, which are read back anyway, are less work than a launch.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

CUTOFF = 4.685  # of Tukey's biweight, in robust standard deviations
CAP = 1.0  # squared pixels: what a sample that does not follow a hypothesis costs at most
LEAST_WINDOW = 4  # samples of a window from which a motion may be proposed


@cpu_kernel
def _weighted_affine(points_xy, flow_xy, weight, prior, ridge, model):
    """Weighted least squares; `ridge` draws the linear terms to those of `prior`. False without any weight."""
    total = 0.0
    mean_x = mean_y = mean_u = mean_v = 0.0
    for i in range(points_xy.shape[0]):
        w = weight[i]
        total += w
        mean_x += w * points_xy[i, 0]
        mean_y += w * points_xy[i, 1]
        mean_u += w * flow_xy[i, 0]
        mean_v += w * flow_xy[i, 1]
    if total <= 1e-9:
        return False
    mean_x, mean_y, mean_u, mean_v = mean_x / total, mean_y / total, mean_u / total, mean_v / total
    # Around the means the translation falls out, and two unknowns a row are left.
    xx = yy = ridge
    xy = 0.0
    xu, yu = ridge * prior[0, 1], ridge * prior[0, 2]
    xv, yv = ridge * prior[1, 1], ridge * prior[1, 2]
    for i in range(points_xy.shape[0]):
        w = weight[i]
        if w == 0.0:
            continue
        x, y = points_xy[i, 0] - mean_x, points_xy[i, 1] - mean_y
        u, v = flow_xy[i, 0] - mean_u, flow_xy[i, 1] - mean_v
        xx += w * x * x
        xy += w * x * y
        yy += w * y * y
        xu += w * x * u
        yu += w * y * u
        xv += w * x * v
        yv += w * y * v
    determinant = xx * yy - xy * xy
    model[0, 1], model[0, 2] = (yy * xu - xy * yu) / determinant, (xx * yu - xy * xu) / determinant
    model[1, 1], model[1, 2] = (yy * xv - xy * yv) / determinant, (xx * yv - xy * xv) / determinant
    model[0, 0] = mean_u - model[0, 1] * mean_x - model[0, 2] * mean_y
    model[1, 0] = mean_v - model[1, 1] * mean_x - model[1, 2] * mean_y
    return True


@cpu_kernel
def _residuals(points_xy, flow_xy, model, error):
    """Distances from the model, into `error`; returns the sum of their squares, each at most CAP."""
    cost = 0.0
    for i in range(points_xy.shape[0]):
        x, y = points_xy[i, 0], points_xy[i, 1]
        u = flow_xy[i, 0] - model[0, 0] - model[0, 1] * x - model[0, 2] * y
        v = flow_xy[i, 1] - model[1, 0] - model[1, 1] * x - model[1, 2] * y
        square = u * u + v * v
        error[i] = np.sqrt(square)
        cost += min(square, CAP)
    return cost


@cpu_kernel
def _propose(points_xy, flow_xy, weight, prior, model):
    """The prior's linear terms and the median translation of the samples with weight."""
    n = 0
    u = np.empty(points_xy.shape[0])
    v = np.empty(points_xy.shape[0])
    for i in range(points_xy.shape[0]):
        if weight[i] > 0.0:
            x, y = points_xy[i, 0], points_xy[i, 1]
            u[n] = flow_xy[i, 0] - prior[0, 1] * x - prior[0, 2] * y
            v[n] = flow_xy[i, 1] - prior[1, 1] * x - prior[1, 2] * y
            n += 1
    for row in range(2):
        for column in range(3):
            model[row, column] = prior[row, column]
    model[0, 0], model[1, 0] = np.median(u[:n]), np.median(v[:n])


@cpu_kernel
def affine_fit(points_xy, flow_xy, prior, start, windows, radius, ridge, least_noise, most_noise, rounds):
    """Fit; returns the model (2, 3) and its robust standard deviation in pixels.

    points_xy, flow_xy: (n, 2) float64, at least one sample.   prior: (2, 3) float64; u = m00 + m01 x + m02 y.
    start: (k, 2, 3) float64, models to begin with.   windows: further beginnings, from samples within `radius` of
    one; negative: from `start` alone, without even the median of all samples.
    """
    n = points_xy.shape[0]
    weight, error = np.ones(n), np.empty(n)
    best, model = np.empty((2, 3)), np.empty((2, 3))
    if windows < 0:
        best[:] = start[0]
    else:
        _propose(points_xy, flow_xy, weight, prior, best)
    least = _residuals(points_xy, flow_xy, best, error)
    for k in range(start.shape[0]):
        cost = _residuals(points_xy, flow_xy, start[k], error)
        if cost < least:
            least = cost
            best[:] = start[k]
    for k in range(windows):
        centre = (n - 1) * k // max(windows - 1, 1)
        near = 0
        for i in range(n):
            away = max(abs(points_xy[i, 0] - points_xy[centre, 0]), abs(points_xy[i, 1] - points_xy[centre, 1]))
            weight[i] = 1.0 if away < radius else 0.0
            near += away < radius
        if near < LEAST_WINDOW:
            continue
        _propose(points_xy, flow_xy, weight, prior, model)
        cost = _residuals(points_xy, flow_xy, model, error)
        if cost < least:
            least = cost
            best[:] = model
        if near >= 3 * LEAST_WINDOW and _weighted_affine(points_xy, flow_xy, weight, prior, ridge / 4, model):
            cost = _residuals(points_xy, flow_xy, model, error)
            if cost < least:
                least = cost
                best[:] = model
    _residuals(points_xy, flow_xy, best, error)
    noise = least_noise
    for _ in range(rounds):
        cutoff = CUTOFF * noise
        followers = 0
        for i in range(n):
            share = min(error[i] / cutoff, 1.0)
            weight[i] = (1.0 - share * share) ** 2
            followers += weight[i] > 0.0
        if followers < LEAST_WINDOW or not _weighted_affine(points_xy, flow_xy, weight, prior, ridge, best):
            break
        _residuals(points_xy, flow_xy, best, error)
        inside = error[error < CUTOFF * noise]
        if inside.size:
            # 1.177: the median length of a vector whose two parts have the standard deviation 1.
            noise = min(max(np.median(inside) / 1.177, least_noise), most_noise)
    return best, noise
