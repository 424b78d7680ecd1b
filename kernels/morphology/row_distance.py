"""Distance to the nearest pixel that is not set, from the distances along the columns.

    euclidean:  squares(y, x) = min over x' of (x - x')^2 + gaps(y, x')^2
    taxicab:    distance(y, x) = min over x' of |x - x'| + gaps(y, x')
    chessboard: distance(y, x) = min over x' of max(|x - x'|, gaps(y, x'))

The nearest pixel is the leftmost of several, of those in one column the uppermost.

On the CPU one sweep a row keeps those columns that are nearest to some pixel; on a GPU each pixel looks to both sides
until no farther column can be nearer.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.morphology.column_distance import FAR
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

EUCLIDEAN, TAXICAB, CHESSBOARD = range(3)
SQUARES, ROOTS, NEAREST = 1, 2, 4  # what is wanted; TAXICAB and CHESSBOARD have only distances, in place of squares
NONE = 2**31 - 1  # no pixel at all; the same word stands in the .cu file


@cpu_kernel
def _envelope(gaps, first, last, columns, values, squares, sources):
    """Squared distances of the pixels first + 1 ... last - 1 of a row.

    `first` and `last` are pixels that are not set, or one beyond the row's ends.
    columns, values: scratch, (width + 2) int64: the parabolas that are lowest somewhere, value: column^2 + gap^2.
    """
    width = gaps.size
    count = 0
    if first >= 0:
        columns[0], values[0] = first, first * first
        count = 1
    bound = last if last < width else 4 * FAR
    left = first if first >= 0 else -4 * FAR
    for x in range(first + 1, last + 1):
        if x < width:
            gap = np.int64(gaps[x])
            # No column, or one that is farther from its own pixel than both ends.
            if gap == FAR or (gap >= x - left and gap > bound - x):
                continue
        else:
            break
        value = x * x + gap * gap
        while count >= 2:
            # Does the last parabola begin, where it meets the new one, at or behind its own end? Without a division.
            k = count - 1
            rise = (value - values[k]) * (columns[k] - columns[k - 1])
            if rise > (values[k] - values[k - 1]) * (x - columns[k]):
                break
            count -= 1
        columns[count], values[count] = x, value
        count += 1
    if count == 0:
        for x in range(first + 1, min(last, width)):
            squares[x] = NONE
            sources[x] = -1
        return
    k = 0
    column, value = columns[0], values[0]
    columns[count], values[count] = 0, np.int64(1) << 50
    following, following_value = columns[1], values[1]
    for x in range(first + 1, min(last, width)):
        # (x - c)^2 + g^2 = x^2 + value - 2 x c: the first part is the same for all.
        lowest = value - 2 * x * column
        higher = following_value - 2 * x * following
        while higher < lowest:
            lowest = higher
            k += 1
            column = following
            value = following_value
            following, following_value = columns[k + 1], values[k + 1]
            higher = following_value - 2 * x * following
        squares[x] = lowest + x * x
        sources[x] = column


@cpu_kernel
def _euclidean_rows(first_row, end_row, gaps, squares, roots, nearest_xy):
    """gaps: (height, width) uint16; squares: int32, roots: float32, nearest_xy: (height, width, 2) int32, or empty."""
    height, width = gaps.shape
    columns, values = np.empty(width + 2, np.int64), np.empty(width + 2, np.int64)
    found, source = np.empty(width, np.int32), np.empty(width, np.int32)
    # Below 2^24 a square is a float32 exactly, and its root is rounded once.
    small = height * height + width * width < 1 << 24
    for y in range(first_row, end_row):
        row = gaps[y]
        before = -1
        for x in range(width):
            if row[x] == 0:
                found[x], source[x] = 0, x
                if x - before > 3 or before < 0:
                    if x > before + 1:
                        _envelope(row, before, x, columns, values, found, source)
                elif x > before + 1:
                    # One or two pixels: each has a neighbour that is not set. Noise is full of them.
                    found[before + 1], source[before + 1] = 1, before
                    if x == before + 3:
                        found[x - 1], source[x - 1] = 1, x - 1 if row[x - 1] == 1 else x
                before = x
        if before < width - 1:
            _envelope(row, before, width, columns, values, found, source)
        if squares.size > 0:
            square = squares[y]
            for x in range(width):
                square[x] = found[x]
        if roots.size > 0:
            root = roots[y]
            if found[0] == NONE:
                for x in range(width):
                    root[x] = np.float32(np.inf)
            elif small:
                for x in range(width):
                    root[x] = np.sqrt(np.float32(found[x]))
            else:
                for x in range(width):
                    root[x] = np.float32(np.sqrt(np.float64(found[x])))
        if nearest_xy.size > 0:
            for x in range(width):
                column = source[x]
                above = y - (np.int64(row[column]) if column >= 0 else 0)
                if column < 0:
                    above = -1
                elif above < 0 or gaps[above, column] != 0:
                    above = y + np.int64(row[column])
                nearest_xy[y, x, 0], nearest_xy[y, x, 1] = column, above


@cpu_kernel
def _taxicab_rows(first_row, end_row, gaps, distance):
    """Steps of 1, 2, 4, ... columns to both sides: together they make any number, and whole rows go at once."""
    width = gaps.shape[1]
    far = np.int32(1 << 20)  # more than height and width together
    now, then = np.empty(width, np.int32), np.empty(width, np.int32)
    for y in range(first_row, end_row):
        row, found = gaps[y], distance[y]
        most = np.int32(0)
        for x in range(width):
            gap = np.int32(row[x])
            gap = gap if gap < FAR else far
            now[x] = gap
            most = max(most, gap)
        step = 1
        while step < width and step < most:
            more = np.int32(step)
            middle, left, right = now[step:], now[: width - step], then[step:]
            for x in range(min(step, width)):
                then[x] = now[x]
            for x in range(width - step):
                right[x] = min(middle[x], left[x] + more)
            lower, upper, to = then[: width - step], then[step:], now[: width - step]
            for x in range(width - step):
                to[x] = min(lower[x], upper[x] + more)
            for x in range(width - step, width):
                now[x] = then[x]
            step *= 2
        for x in range(width):
            found[x] = NONE if now[x] >= far else now[x]


@cpu_kernel
def _sweep(now, then, sign):
    """now(x) = min over k >= 0 of now(x - sign k) + k, in steps of 1, 2, 4, ...; then: scratch."""
    width = now.size
    least, most = now[0], now[0]
    for x in range(width):
        least, most = min(least, now[x]), max(most, now[x])
    step = 1
    while step < width and least + step < most:
        more = np.int32(step)
        ahead, behind = now[step:], now[: width - step]
        if sign > 0:
            to, result = then[step:], now[step:]
            for x in range(width - step):
                to[x] = min(ahead[x], behind[x] + more)
        else:
            to, result = then[: width - step], now[: width - step]
            for x in range(width - step):
                to[x] = min(behind[x], ahead[x] + more)
        # Copied back, not exchanged: with names that change the loops above were twice as slow.
        for x in range(width - step):
            result[x] = to[x]
        step *= 2


@cpu_kernel
def _chessboard(gaps, distance):
    """[RosenfeldPfaltz1966]_: down with the neighbours above and to the left, up with the others. One thread.

    The distances along the columns say no more than where pixels are not set: whole rows that look at the row before
    are faster than a search in each.
    """
    height, width = gaps.shape
    far = np.int32(1 << 20)
    one = np.int32(1)
    now, then = np.empty(width, np.int32), np.empty(width, np.int32)
    # With a pixel beyond each end of the row.
    padded = np.full(width + 2, far, np.int32)
    for sign in (1, -1):
        padded[:] = far
        left, middle, right = padded[:width], padded[1 : width + 1], padded[2:]
        for k in range(height):
            y = k if sign > 0 else height - 1 - k
            row, found = gaps[y], distance[y]
            if sign > 0:
                for x in range(width):
                    now[x] = min(min(left[x], right[x]), middle[x]) + one
                for x in range(width):
                    now[x] = np.int32(0) if row[x] == 0 else min(now[x], far)
            else:
                for x in range(width):
                    now[x] = min(min(left[x], right[x]), middle[x]) + one
                for x in range(width):
                    now[x] = min(now[x], found[x])
            _sweep(now, then, sign)
            for x in range(width):
                middle[x] = now[x]
            for x in range(width):
                found[x] = now[x]
    if distance[0, 0] >= far:
        distance[:] = NONE


def _row_distance_cpu(gaps, metric, wanted):
    height, width = gaps.shape
    results = _results(recycled_empty, gaps.shape, wanted)
    if gaps.size:
        least = max(16, 50_000 // width)
        if metric == EUCLIDEAN:
            run_bands(_euclidean_rows, height, gaps, *results, least=least)
        elif metric == CHESSBOARD:
            _chessboard(gaps, results[0])
        else:
            run_bands(_taxicab_rows, height, gaps, results[0], least=2 * least)
    return results


def _row_distance_cuda(gaps, metric, wanted):
    height, width = gaps.shape
    results = _results(array_module(gaps).empty, gaps.shape, wanted)
    sizes = np.int32(height), np.int32(width)
    if metric == EUCLIDEAN:
        _cuda.launch_image("row_distance", (height, width), gaps, *results, *sizes, np.int32(wanted))
    else:
        name = "row_distance_taxicab" if metric == TAXICAB else "row_distance_chessboard"
        _cuda.launch_image(name, (height, width), gaps, results[0], *sizes)
    return results


def _results(empty, size_hw, wanted):
    """Squares or distances, roots, and nearest pixels; those that are not wanted are empty."""
    return (
        empty(size_hw if wanted & SQUARES else (0, 0), np.int32),
        empty(size_hw if wanted & ROOTS else (0, 0), np.float32),
        empty((*size_hw, 2) if wanted & NEAREST else (0, 0, 2), np.int32),
    )


def _sample(rng, size_hw):
    from cvseg.kernels.morphology.column_distance import column_distance

    mask = (rng.random(size_hw) < 0.97).astype(np.uint8)
    mask[:, : size_hw[1] // 3] = 1
    return column_distance.cpu(mask), np.int32(EUCLIDEAN), np.int32(SQUARES | ROOTS | NEAREST)


row_distance = Kernel("row_distance", cpu=_row_distance_cpu, cuda=_row_distance_cuda, sample=_sample, atol=0)
