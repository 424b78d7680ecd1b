"""All pyramid levels of an image in one flat float32 array, each with its margin, for programs that walk through them.

Level l is ceil(H / 2^l) x ceil(W / 2^l) pixels with MARGIN repeated pixels all around. Its rows are a whole number of
cache lines long and start on one, so that a vector of 16 pixels from column 0, 16, ... touches a single line.
"""

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.flow.patch_grid import MARGIN

MOST_LEVELS = 24


@cpu_kernel(forceinline=True)
def level_side(side, level):
    """Length of a side at a level."""
    return (side + (1 << level) - 1) >> level


@cpu_kernel(forceinline=True)
def level_pitch(width):
    """Numbers from one row of a level of this width to the next."""
    return (width + 2 * MARGIN + 15) // 16 * 16


@cpu_kernel
def level_start(height, width, lowest, level):
    """Where the margin of `level` begins, in an arena whose first level is `lowest`; height and width are level 0's."""
    start = 0
    for number in range(lowest, level):
        pitch = level_pitch(level_side(width, number))
        start += (level_side(height, number) + 2 * MARGIN) * pitch
    return start


@cpu_kernel
def repeat_edges(arena, first, pitch, y, height, width):
    """Fill what lies left and right of row `y`, and above or below it when it is the first or last."""
    row = first + (y + MARGIN) * pitch
    left, right = arena[row + MARGIN], arena[row + MARGIN + width - 1]
    for x in range(row, row + MARGIN):
        arena[x] = left
    for x in range(row + MARGIN + width, row + pitch):
        arena[x] = right
    source = arena[row : row + pitch]
    if y == 0:
        for i in range(MARGIN):
            target = arena[first + i * pitch : first + (i + 1) * pitch]
            for x in range(pitch):
                target[x] = source[x]
    if y == height - 1:
        for i in range(1, MARGIN + 1):
            target = arena[row + i * pitch : row + (i + 1) * pitch]
            for x in range(pitch):
                target[x] = source[x]
