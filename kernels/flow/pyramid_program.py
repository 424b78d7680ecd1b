"""The pyramids of one image or two in one compiled program: grey, levels and margins, see `level_arena`.

The numbers are those of gray_from_rgb, pyramid_down and pad_edges, one after the other. Levels below the lowest one are
not kept: full-size grey is two rows of scratch on its way to half size.
"""

import numpy as np

from cvseg.kernels.color.gray_from_rgb import gray_row
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.flow.level_arena import level_pitch, level_side, level_start, repeat_edges
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.lanes import even_lanes, load16, odd_lanes, store16
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.team import chunk_done, next_chunk, run_team

LEAST_ROWS = 24  # of a chunk


@cpu_kernel(forceinline=True)
def _read_row(rgb, gray, y, width, to, at):
    """Row y of the picture as grey: of flat uint8 `rgb`, or of flat float32 `gray` where rgb is empty."""
    if rgb.size:
        gray_row(rgb, 3 * width * y, to, at, width)
    else:
        source, target = gray[y * width :], to[at:]
        for x in range(width):
            target[x] = source[x]


@cpu_kernel(forceinline=True)
def _down_row(fine, top, bottom, to, at, width):
    """`width` means of 2x2; up to 15 more are written."""
    quarter = np.float32(0.25)
    for x in range(0, width, 16):
        t0, t1 = load16(fine, top + 2 * x), load16(fine, top + 2 * x + 16)
        b0, b1 = load16(fine, bottom + 2 * x), load16(fine, bottom + 2 * x + 16)
        above, below = even_lanes(t0, t1) + odd_lanes(t0, t1), even_lanes(b0, b1) + odd_lanes(b0, b1)
        store16(to, at + x, (above + below) * quarter)


@cpu_kernel
def _first_levels(rgb, gray, height, width, arena, lowest, highest, first_row, end_row):
    """Levels 0 (when kept) and 1 from the picture: the rows of level 1, or those of level 0 when it is the only one."""
    pitch0 = level_pitch(width)
    if highest == 0:
        for y in range(first_row, end_row):
            _read_row(rgb, gray, y, width, arena, (y + MARGIN) * pitch0 + MARGIN)
            repeat_edges(arena, 0, pitch0, y, height, width)
        return
    height1, width1 = level_side(height, 1), level_side(width, 1)
    pitch1, start1 = level_pitch(width1), level_start(height, width, lowest, 1)
    scratch = np.zeros(2 * pitch0 if lowest else 1, np.float32)
    for y in range(first_row, end_row):
        second = min(2 * y + 1, height - 1)
        at = start1 + (y + MARGIN) * pitch1 + MARGIN
        if lowest:
            for row in range(2):
                _read_row(rgb, gray, second if row else 2 * y, width, scratch, row * pitch0)
                scratch[row * pitch0 + width] = scratch[row * pitch0 + width - 1]
            _down_row(scratch, 0, pitch0, arena, at, width1)
        else:
            for row in range(2 * y, second + 1):
                _read_row(rgb, gray, row, width, arena, (row + MARGIN) * pitch0 + MARGIN)
                repeat_edges(arena, 0, pitch0, row, height, width)
            top = (2 * y + MARGIN) * pitch0 + MARGIN
            _down_row(arena, top, (second + MARGIN) * pitch0 + MARGIN, arena, at, width1)
        repeat_edges(arena, start1, pitch1, y, height1, width1)


@cpu_kernel
def _next_level(arena, height, width, lowest, level, first_row, end_row):
    """Rows of `level` from the level below it."""
    pitch, fine_pitch = level_pitch(level_side(width, level)), level_pitch(level_side(width, level - 1))
    level_height, level_width = level_side(height, level), level_side(width, level)
    start, fine = level_start(height, width, lowest, level), level_start(height, width, lowest, level - 1)
    for y in range(first_row, end_row):
        # At an odd size the margin is the last row and column once more.
        top = fine + (2 * y + MARGIN) * fine_pitch + MARGIN
        _down_row(arena, top, top + fine_pitch, arena, start + (y + MARGIN) * pitch + MARGIN, level_width)
        repeat_edges(arena, start, pitch, y, level_height, level_width)


@cpu_kernel
def pyramid_passes(state, members, number, pictures0, pictures1, both, height, width, arena0, arena1, lowest, highest):
    """From pass `number` on; the number of the pass after the last. picture 1 counts when `both`."""
    images = 2 if both else 1
    for level in range(min(1, highest), highest + 1):
        rows = level_side(height, level)
        bands = max(1, min(members, rows // LEAST_ROWS))
        chunk = next_chunk(state, number, images * bands)
        while chunk >= 0:
            band = chunk // images
            first, end = rows * band // bands, rows * (band + 1) // bands
            if level <= 1 and chunk % images == 0:
                _first_levels(*pictures0, height, width, arena0, lowest, highest, first, end)
            elif level <= 1:
                _first_levels(*pictures1, height, width, arena1, lowest, highest, first, end)
            else:
                arena = arena0 if chunk % images == 0 else arena1
                _next_level(arena, height, width, lowest, level, first, end)
            chunk_done(state, number)
            chunk = next_chunk(state, number, images * bands)
        number += 1
    return number


@cpu_kernel
def _program(state, members, pictures0, pictures1, both, height, width, arena0, arena1, lowest, highest):
    pyramid_passes(state, members, 0, pictures0, pictures1, both, height, width, arena0, arena1, lowest, highest)


_NO_RGB, _NO_GRAY = np.empty(0, np.uint8), np.empty(0, np.float32)


def as_pictures(picture):
    """(H, W, 3) uint8 or (H, W) float32 as the program takes it: (flat rgb, flat grey), one of them empty."""
    return (picture.reshape(-1), _NO_GRAY) if picture.ndim == 3 else (_NO_RGB, picture.reshape(-1))


def new_arena(size_hw, lowest, highest):
    """Memory for the levels `lowest` to `highest`; level 1 has its place even where level 2 is the lowest."""
    return recycled_empty((level_start(*size_hw, lowest, highest + 1) + 64,))


def level_view(arena, size_hw, lowest, level):
    """One level of an arena: (h + 32, w + 32), as pad_edges makes it."""
    height, width = level_side(size_hw[0], level), level_side(size_hw[1], level)
    pitch, start = level_pitch(width), level_start(*size_hw, lowest, level)
    rows = arena[start : start + (height + 2 * MARGIN) * pitch].reshape(-1, pitch)
    return rows[:, : width + 2 * MARGIN]


def build_pyramids(pictures, lowest, highest):
    """Arenas of one picture or two of one size, (H, W, 3) uint8 or (H, W) float32, with levels `lowest` to `highest`.

    lowest is 0 or 1, at most `highest`.
    """
    size_hw = pictures[0].shape[:2]
    arenas = [new_arena(size_hw, lowest, highest) for _ in pictures]
    both = as_pictures(pictures[0]), as_pictures(pictures[-1]), len(pictures) == 2
    run_team(_program, highest + 1, *both, *size_hw, arenas[0], arenas[-1], lowest, highest)
    return arenas
