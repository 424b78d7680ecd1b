"""The one motion that most vectors of a grid follow, affine or projective, by iteratively reweighted least squares.

Runs on the host on both devices: a few thousand vectors, twelve rounds that wait for each other. In whole-array calls
the calls themselves took nine tenths of the time.
"""

from typing import NamedTuple

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

TUKEY = 4.685  # robust standard deviations beyond which a vector counts nothing
LEAST_PIVOT = 1e-12  # of the normal equations, relative to the largest: below, too few points follow one motion
LEAST_DEPTH = 0.1  # of a homography, relative to the frame's centre


class CameraFit(NamedTuple):
    """Coordinates count from the frame's centre, in halves of its longer side.

    matrix : (3, 3) float64
    error : (n, m) float64, distance of each vector from it; 0 where the vector is not finite
    scale : robust standard deviation of the vectors that follow it; NaN when none does
    inlier_share : share of the finite vectors that follow it
    displacement : mean length of the camera's own motion over the grid
    """

    matrix: np.ndarray
    error: np.ndarray
    scale: float
    inlier_share: float
    displacement: float


@cpu_kernel
def _residuals(matrix, x, y, u, v, error):
    projective = matrix[2, 0] != 0 or matrix[2, 1] != 0
    for i in range(x.size):
        to_x = matrix[0, 0] * x[i] + matrix[0, 1] * y[i] + matrix[0, 2]
        to_y = matrix[1, 0] * x[i] + matrix[1, 1] * y[i] + matrix[1, 2]
        if projective:
            depth = matrix[2, 0] * x[i] + matrix[2, 1] * y[i] + 1.0
            to_x, to_y = to_x / depth, to_y / depth
        away_x, away_y = u[i] - (to_x - x[i]), v[i] - (to_y - y[i])
        error[i] = np.sqrt(away_x * away_x + away_y * away_y)


@cpu_kernel
def _weigh(base, error, cutoff, weight):
    for i in range(error.size):
        share = error[i] / cutoff
        rest = max(0.0, 1.0 - share * share)
        weight[i] = base[i] * (rest * rest)


@cpu_kernel
def _median_where(values, chosen, scratch):
    """Median of the values that are chosen; NaN when none is."""
    count = 0
    for i in range(values.size):
        if chosen[i]:
            scratch[count] = values[i]
            count += 1
    return np.median(scratch[:count]) if count else np.nan


@cpu_kernel
def _affine_equations(x, y, u, v, weight, equations):
    """(3, 5): for x and y the same left side, and a column each on the right."""
    xx = xy = yy = sum_x = sum_y = total = 0.0
    x_to_x = y_to_x = to_x = x_to_y = y_to_y = to_y = 0.0
    for i in range(x.size):
        wx, wy = weight[i] * x[i], weight[i] * y[i]
        there_x, there_y = x[i] + u[i], y[i] + v[i]
        xx, xy, yy = xx + wx * x[i], xy + wx * y[i], yy + wy * y[i]
        sum_x, sum_y, total = sum_x + wx, sum_y + wy, total + weight[i]
        x_to_x, y_to_x, to_x = x_to_x + wx * there_x, y_to_x + wy * there_x, to_x + weight[i] * there_x
        x_to_y, y_to_y, to_y = x_to_y + wx * there_y, y_to_y + wy * there_y, to_y + weight[i] * there_y
    first, second = (xx, xy, sum_x, x_to_x, x_to_y), (xy, yy, sum_y, y_to_x, y_to_y)
    third = sum_x, sum_y, total, to_x, to_y
    for j in range(5):
        equations[0, j], equations[1, j], equations[2, j] = first[j], second[j], third[j]


@cpu_kernel
def _homography_equations(x, y, u, v, weight, equations):
    """(8, 9): x' (h6 x + h7 y + 1) = h0 x + h1 y + h2, and the same for y', are linear in the eight unknowns."""
    equations[:] = 0
    row = np.zeros(9)
    for i in range(x.size):
        if weight[i] == 0:
            continue
        for of_y in range(2):
            row[:] = 0
            there = y[i] + v[i] if of_y else x[i] + u[i]
            row[3 * of_y], row[3 * of_y + 1], row[3 * of_y + 2] = x[i], y[i], 1.0
            row[6], row[7], row[8] = -x[i] * there, -y[i] * there, there
            for a in range(8):
                for b in range(9):
                    equations[a, b] += weight[i] * row[a] * row[b]


@cpu_kernel
def _solve(equations):
    """Gauss elimination in place, by the largest pivot: the solution stands in the columns behind the square.

    False when the equations are as good as singular.
    """
    count = equations.shape[0]
    largest = 0.0
    for i in range(count):
        largest = max(largest, abs(equations[i, i]))
    for step in range(count):
        best = step
        for i in range(step + 1, count):
            if abs(equations[i, step]) > abs(equations[best, step]):
                best = i
        # Written so that what is not finite is refused as well.
        if not abs(equations[best, step]) > LEAST_PIVOT * largest or not np.isfinite(largest):
            return False
        for j in range(equations.shape[1]):
            equations[step, j], equations[best, j] = equations[best, j], equations[step, j]
        for i in range(count):
            if i != step:
                share = equations[i, step] / equations[step, step]
                for j in range(step, equations.shape[1]):
                    equations[i, j] -= share * equations[step, j]
    for i in range(count):
        for j in range(count, equations.shape[1]):
            equations[i, j] /= equations[i, i]
    return True


@cpu_kernel
def _fit(x, y, u, v, weight, projective, matrix):
    """Least squares into `matrix`; False, and it stays as it was, when they have no sound solution."""
    if not projective:
        equations = np.empty((3, 5))
        _affine_equations(x, y, u, v, weight, equations)
        if not _solve(equations):
            return False
        for j in range(3):
            matrix[0, j], matrix[1, j] = equations[j, 3], equations[j, 4]
        return True
    equations = np.empty((8, 9))
    _homography_equations(x, y, u, v, weight, equations)
    if not _solve(equations):
        return False
    # A depth that vanishes inside the frame throws pixels to infinity: no camera does that from frame to frame.
    for i in range(x.size):
        if not equations[6, 8] * x[i] + equations[7, 8] * y[i] + 1.0 > LEAST_DEPTH:
            return False
    for k in range(8):
        matrix[k // 3, k % 3] = equations[k, 8]
    return True


@cpu_kernel
def _camera_fit(flow, step, height, width, ring, floor_px, iterations, projective, matrix, error):
    """See `camera_fit`; matrix (3, 3) and error (n m) are written."""
    rows, columns = flow.shape[:2]
    count = rows * columns
    half = max(width, height) / 2.0
    x, y, u, v = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    base, weight, scratch = np.empty(count), np.empty(count), np.empty(count)
    valid, start = np.empty(count, np.bool_), np.empty(count, np.bool_)
    margin_x, margin_y = ring * width, ring * height
    finite = ringed = 0
    for row in range(rows):
        for column in range(columns):
            i, at_x, at_y = row * columns + column, float(column * step), float(row * step)
            x[i], y[i] = (at_x - width / 2.0) / half, (at_y - height / 2.0) / half
            u[i], v[i] = float(flow[row, column, 0]) / half, float(flow[row, column, 1]) / half
            valid[i] = np.isfinite(u[i]) and np.isfinite(v[i])
            in_ring = at_x < margin_x or at_x >= width - margin_x or at_y < margin_y or at_y >= height - margin_y
            start[i] = valid[i] and in_ring
            base[i] = (2.0 if in_ring else 1.0) if valid[i] else 0.0
            if not valid[i]:
                u[i] = v[i] = 0.0
            finite += valid[i]
            ringed += start[i]
    matrix[:] = np.eye(3)
    if finite:
        # From the border of the frame, where objects are rarer
        chosen = start if ringed else valid
        matrix[0, 2], matrix[1, 2] = _median_where(u, chosen, scratch), _median_where(v, chosen, scratch)
    _residuals(matrix, x, y, u, v, error)
    cutoff = np.inf
    for iteration in range(iterations):
        scale = 1.4826 * _median_where(error, valid, scratch) if finite else 0.0
        # Wider in the first third, so that a poor start does not cut the background off
        cutoff = TUKEY * max(scale, floor_px / half) * (1.5 if iteration < iterations // 3 else 1.0)
        _weigh(base, error, cutoff, weight)
        if not _fit(x, y, u, v, weight, projective, matrix):
            break  # too few points follow one motion (a tiny frame): keep what is known
        _residuals(matrix, x, y, u, v, error)
    follow = 0
    for i in range(count):
        start[i] = valid[i] and error[i] < cutoff
        follow += start[i]
    scale = 1.4826 * _median_where(error, start, scratch)
    u[:] = 0
    v[:] = 0
    _residuals(matrix, x, y, u, v, scratch)
    displacement = scratch.mean()
    for i in range(count):
        if not valid[i]:
            error[i] = 0.0
    return scale, follow / max(1, finite), displacement


def camera_fit(flow, step, size_hw, *, ring, floor_px, iterations, projective):
    """Fit one motion to a grid of vectors.

    Parameters
    ----------
    flow : (n, m, 2) float32, pixels, of every `step`-th pixel of every `step`-th row of a frame of `size_hw`
    ring : width of the frame's border, as a share of each side, whose vectors count double and give the start
    floor_px : smallest standard deviation that is believed
    iterations : rounds of reweighting
    projective : eight numbers instead of six

    Returns
    -------
    CameraFit; the same bits on every machine and for any number of threads
    """
    matrix, error = np.empty((3, 3)), np.empty(flow.shape[0] * flow.shape[1])
    scale, share, displacement = _camera_fit(
        flow, step, *size_hw, float(ring), float(floor_px), iterations, projective, matrix, error
    )
    return CameraFit(matrix, error.reshape(flow.shape[:2]), scale, share, displacement)
