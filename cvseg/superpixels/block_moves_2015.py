"""Superpixels by moves of blocks, from coarse to fine, then of pixels: they hug edges and never fall apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of, to_device
from cvseg.options import Options, option

LAB_UNITS = 16.0  # levels of the pictures in one unit of L*, a* or b*
MOST_LEVELS = 5  # of blocks, each twice as large


@dataclass(frozen=True, kw_only=True)
class BlockMovesOptions(Options):
    """How far superpixels follow the colours, and how long they move.

    Attributes
    ----------
    compactness, boundary : see their `option`
    coarse_sweeps, sweeps, pixel_sweeps : rounds in which every block, or pixel, on a boundary may move
    """

    compactness: float = option(
        6.0, "distance in L*a*b* that weighs as much as the side of a superpixel; larger is rounder", low=0.0
    )
    boundary: float = option(
        6.0, "squared distance in L*a*b* that each of a pixel's 8 neighbours is worth; larger is smoother", low=0.0
    )
    coarse_sweeps: int = option(6, "rounds over the largest blocks; more find large shapes better", low=0)
    sweeps: int = option(4, "rounds over blocks of each size between", low=0)
    pixel_sweeps: int = option(2, "rounds over pixels; more follow fine edges better", low=0)


BLOCK_MOVES_PRESETS = {
    "fast": BlockMovesOptions(coarse_sweeps=4, sweeps=2, pixel_sweeps=1),
    "balanced": BlockMovesOptions(),
    "quality": BlockMovesOptions(coarse_sweeps=10, sweeps=8, pixel_sweeps=5),
}


def block_moves_2015(
    image: Any,
    count: int,
    options: BlockMovesOptions = BLOCK_MOVES_PRESETS["balanced"],
    compactness: float | None = None,
) -> Any:
    """Superpixels by coarse-to-fine moves that keep them connected.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    count : wished number of superpixels, at most H W
    options : BlockMovesOptions
    compactness : instead of that of the options

    Returns
    -------
    labels : (H, W) int32 on the same device, 0 to n - 1, each 4-connected; n is the size of the starting grid

    Notes
    -----
    A picture of block means is as good as a picture: blocks of 4x4 pixels move by the same rule as pixels. The start is
    a grid. Departures from the paper: the pixels of a sweep move in four phases, all pixels of a phase at once, with
    the mean colours and places from the beginning of the sweep, so that the result does not depend on the order of
    pixels or on the number of threads; colours are L*a*b* in sixteenths; no priority list, a fixed number of sweeps;
    no term that keeps the size of superpixels, which the place does.

    References
    ----------
    [Yao2015]_ eqs. 1-6 and algorithm 1; [Bergh2012]_ for the idea of moving blocks first

    Examples
    --------
    >>> image = np.zeros((12, 20, 3), np.uint8)
    >>> image[:, 9:] = 200
    >>> labels = block_moves_2015(image, 2)
    >>> labels[0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    height, width = image.shape[:2]
    rows, columns = grid_size(height, width, count)
    levels = block_levels(height, width, rows, columns)
    pictures = lab_pictures(image, levels)
    coarse_height, coarse_width = pictures[-1].shape[:2]
    labels = to_device(grid_labels(coarse_height, coarse_width, rows, columns), device_of(image))
    for level in reversed(range(levels + 1)):
        sweeps = options.pixel_sweeps if level == 0 else options.coarse_sweeps if level == levels else options.sweeps
        labels, _ = moved(pictures[level], labels, rows * columns, sweeps, level, height * width, options, compactness)
    return labels


def moved(
    picture: Any,
    labels: Any,
    count: int,
    sweeps: int,
    level: int,
    area_px: float,
    options: BlockMovesOptions,
    compactness: float | None = None,
) -> tuple[Any, Any]:
    """`labels` after `sweeps` at one level, and the sums of each; labels of half the size are spread over 2x2 first."""
    from cvseg.kernels.superpixels.boundary_moves import boundary_moves

    weight = options.compactness if compactness is None else compactness
    # Blocks of 2^level pixels: places are counted in blocks.
    position = (weight * LAB_UNITS) ** 2 * count / max(area_px, 1) * 4**level
    labels, sums = boundary_moves(
        picture,
        labels,
        removable(array_module(picture), device_of(picture)),
        np.int32(count),
        np.int32(sweeps),
        np.float32(position),
        np.float32(options.boundary * LAB_UNITS**2),
    )
    return labels, sums


def grid_size(height: int, width: int, count: int) -> tuple[int, int]:
    """Rows and columns of a grid of about `count` cells, as square as can be.

    >>> grid_size(321, 481, 600), grid_size(1, 50, 7), grid_size(900, 1, 7)
    ((20, 30), (1, 7), (7, 1))
    """
    ideal = math.sqrt(count * height / width)
    best = (0.0, 1, 1)
    for rows in {max(1, math.floor(ideal)), max(1, math.ceil(ideal))}:
        rows = min(rows, height, count)  # a line of pixels has no more rows than it has cells
        columns = min(width, max(1, round(count / rows)))
        # How far from the wish, and how far from square.
        fault = abs(math.log(rows * columns / count)) + 0.1 * abs(math.log(rows * width / (columns * height)))
        best = min(best, (fault, rows, columns)) if best[0] else (fault or 1e-9, rows, columns)
    return best[1:]


def block_levels(height: int, width: int, rows: int, columns: int) -> int:
    """How often the picture is halved: a cell of the grid keeps about four blocks a side, and never less than one."""
    side = math.sqrt(height * width / (rows * columns))
    levels = min(MOST_LEVELS, max(0, math.floor(math.log2(side / 4)))) if side >= 4 else 0
    while levels and (-(-height // 2**levels) < rows or -(-width // 2**levels) < columns):
        levels -= 1
    return levels


def grid_labels(height: int, width: int, rows: int, columns: int) -> Any:
    """(height, width) int32: the cells of a grid, numbered row by row.

    >>> grid_labels(2, 5, 1, 2).tolist()
    [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1]]
    """
    down, across = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (down[:, None] * columns + across).astype(np.int32)


def lab_pictures(image: Any, levels: int) -> list[Any]:
    """(h, w, 4) int16 L*a*b* in sixteenths, of the image and of `levels` pictures each half as large."""
    from cvseg.kernels.superpixels.halve_levels import halve_levels
    from cvseg.kernels.superpixels.lab_levels import lab_levels

    pictures = [lab_levels(image, _tables(array_module(image), device_of(image)))]
    for _ in range(levels):
        pictures.append(halve_levels(pictures[-1]))
    return pictures


def _tables(module: Any, device: Any) -> Any:
    return _tables_of(id(module), _device_number(module, device), device)


def removable(module: Any, device: Any) -> Any:
    """The table of pixels that may leave, on `device`."""
    return _removable_of(id(module), _device_number(module, device), device)


def _device_number(module: Any, device: Any) -> int:
    return module.cuda.Device().id if device == "cuda" else -1


# Keyed by module and device number: a table made on one GPU cannot be read on another.
@cache
def _tables_of(module_id: int, device_id: int, device: Any) -> Any:
    from cvseg.kernels.superpixels.lab_levels import lab_level_tables

    return to_device(lab_level_tables(), device)


@cache
def _removable_of(module_id: int, device_id: int, device: Any) -> Any:
    from cvseg.kernels.superpixels.boundary_moves import removable_table

    return to_device(removable_table(), device)
