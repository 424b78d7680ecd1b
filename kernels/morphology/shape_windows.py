"""A shape of pixels as windows whose width is a power of two: two of them cover any run of pixels.

A row of a shape is one or a few runs. The least value in a run of 11 pixels is that of two windows of 8, the least
values in all windows of 8 come from those of 4, and so on: a disc of radius 10 has 317 pixels and costs 44 comparisons.
"""

import numpy as np

CELL = 32  # pixels of a shape that a CUDA block looks at together; the same word stands in the .cu files
LEVELS = 6  # 1, 2, ..., 32 pixels


def shape_windows(shape, up, left, cell=0):
    """Windows and cells of a shape.

    shape: (rows, columns) bool, at least one pixel in it; its centre is at (up, left).
    cell: 0, or cut the shape into cells of so many pixels each way.
    Returns windows (n, 3) int32: dy, dx of the first pixel, level: 2^level pixels; and cells (m, 2 + LEVELS + 1) int32:
    dy, dx of the corner, then where the windows of each level begin, and end. Without cells, cells is (0, 9).
    """
    runs = []
    for y in range(shape.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], shape[y].astype(np.int8), [0]))))
        for begin, end in edges.reshape(-1, 2).tolist():
            while cell and begin // cell < (end - 1) // cell:
                cut = (begin // cell + 1) * cell
                runs.append((y, begin, cut))
                begin = cut
            runs.append((y, begin, end))
    found = set()
    for y, begin, end in runs:
        level = (end - begin).bit_length() - 1
        corner = (y // cell, begin // cell) if cell else (0, 0)
        for x in (begin, end - (1 << level)):
            found.add((*corner, level, y, x))
    ordered = np.array(sorted(found), np.int64)
    windows = np.stack((ordered[:, 3] - up, ordered[:, 4] - left, ordered[:, 2]), 1)
    table = []
    if cell:
        corners, firsts = np.unique(ordered[:, :2], axis=0, return_index=True)
        lasts = np.append(firsts[1:], len(ordered))
        for (cell_y, cell_x), first, last in zip(corners.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
            begins = first + np.searchsorted(ordered[first:last, 2], np.arange(LEVELS + 1))
            table.append((cell_y * cell - up, cell_x * cell - left, *begins.tolist()))
    cells = np.array(table, np.int32).reshape(len(table), 3 + LEVELS)
    return np.ascontiguousarray(windows, np.int32), cells


def sample_shape(rng, cell=CELL):
    """A shape with several runs a row, wider and higher than a cell, none of it symmetric; and a disc."""
    shape = rng.random((37, 41)) < 0.3
    y, x = np.ogrid[-18:19, -20:21]
    shape |= (y - 2) ** 2 + (x + 3) ** 2 < 150
    return shape_windows(shape, 18, 20, cell)
