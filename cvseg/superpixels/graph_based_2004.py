"""Graph-based segmentation: regions grow along the lightest edges, and stop where edges are heavier than inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import device_of, to_device, to_host
from cvseg.errors import RangeError
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import LAB_UNITS, lab_pictures
from cvseg.superpixels.parts import AREA, LABEL, join_parts

WEIGHT_UNITS = 8  # weights of edges in one unit of L*a*b*
MOST_PIXELS = 2**28  # numbers of edges have 31 bits
LARGEST_SCALE = 2.0**40
SEARCH_STEPS = 16


@dataclass(frozen=True, kw_only=True)
class GraphOptions(Options):
    """What counts as an edge between regions, and how small they may be.

    Attributes
    ----------
    scale, first_contrast, smallest, smallest_px, neighbors : see their `option`
    """

    scale: float = option(
        0.0, "L*a*b* times pixels; larger gives larger regions. 0: found so that there are `count`", low=0.0, high=1e9
    )
    first_contrast: float = option(
        0.025,
        "L*a*b*; first scale, per pixel of an average superpixel; larger is faster, smaller more like one scale",
        low=0.0,
        high=1e3,
    )
    smallest: float = option(
        0.2,
        "regions below this share of an average superpixel join a neighbour; larger gives more equal sizes",
        low=0.0,
        high=1.0,
    )
    smallest_px: int = option(0, "pixels of the smallest region, instead of `smallest`; 0: not given", low=0)
    neighbors: str = option(
        "8", "pixels that an edge goes to; 4 is faster and follows edges a little less", choices=("4", "8")
    )


GRAPH_PRESETS = {
    "fast": GraphOptions(neighbors="4"),
    "balanced": GraphOptions(),
    "quality": GraphOptions(first_contrast=0.018),
}


def graph_based_2004(
    image: Any, count: int, options: GraphOptions = GRAPH_PRESETS["balanced"], compactness: float | None = None
) -> Any:
    """Regions whose edges are heavier than what is inside, relative to their size.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    count : wished number of regions, at most H W; with `options.scale` it only sets the smallest size
    options : GraphOptions
    compactness : ignored

    Returns
    -------
    labels : (H, W) int32 on the same device, 0 to n - 1, each 4-connected. Fewer than `count` where the image has
        not so many differences: pixels of one colour are never divided.

    Raises
    ------
    RangeError
        for more than 2^28 pixels.

    Notes
    -----
    Synchronises a GPU. With `options.scale` the partition is that of the sequential method, on weights that are rounded
    to eighths of a unit of L*a*b*; any order of equal edges gives the same. Without it, pixels are merged at a small
    scale, and the regions again at the scale that leaves `count`: a scale that grows on the way, as in hierarchies of
    segmentations. Departures from the paper: L*a*b* instead of RGB, smoothed by [1 2 1] / 4 along both axes; parts of
    a region that touch only at corners are separated.

    References
    ----------
    [Felzenszwalb2004]_ section 3 (criterion), 4 (algorithm 1), 5 (grid graph)

    Examples
    --------
    >>> image = np.zeros((12, 20, 3), np.uint8)
    >>> image[:, 9:] = 200
    >>> graph_based_2004(image, 2)[0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    from cvseg.kernels.graph.edge_weights import edge_weights
    from cvseg.kernels.graph.smooth_levels import smooth_levels

    pixels = image.shape[0] * image.shape[1]
    if pixels > MOST_PIXELS:
        raise RangeError(f"graph_based_2004: {pixels} pixels; expected at most {MOST_PIXELS}. Divide the image.")
    smallest = options.smallest_px or max(1, round(options.smallest * pixels / count))
    levels = smooth_levels(lab_pictures(image, 0)[0])
    # Smoothed levels are four times as fine.
    weights = edge_weights(levels, np.int32(int(options.neighbors) // 2), np.float32(WEIGHT_UNITS / (4 * LAB_UNITS)))
    labels, count_now = merged(weights, count, smallest, options)
    if options.neighbors == "4":
        return labels
    return _separated(labels, count_now, smallest)


def merged(weights: Any, count: int, smallest: int, options: GraphOptions) -> tuple[Any, int]:
    """Regions of a graph of pixels, numbered from 0 in raster order of first pixels, and how many they are.

    Parameters
    ----------
    weights : (H, W, directions) uint16, of `edge_weights`
    count, smallest : wished number of regions; pixels of the smallest one
    options : GraphOptions
    """
    from cvseg.kernels.graph.merge_pixels import merge_pixels
    from cvseg.kernels.labeling.relabel import relabel

    pixels = weights.shape[0] * weights.shape[1]
    scale = options.scale or options.first_contrast * pixels / count
    while True:
        roots, sizes, internal = merge_pixels(weights, np.int64(scale * WEIGHT_UNITS))
        graph = _region_graph(weights, roots, sizes, internal)
        # A start with too few regions cannot be taken back. Below one weight only what is alike is merged.
        if options.scale or graph.sizes.size >= count or scale * WEIGHT_UNITS < 1:
            break
        scale /= 8
    numbers, found = graph.merge(scale, smallest)
    if not options.scale and found > count:
        numbers, found = graph.search_scale(scale, count, smallest)
    elif not options.scale and found < count:
        numbers, found = graph.search_smallest(scale, count, smallest)
    table = np.zeros(roots.size, np.int32)
    table[graph.first_pixels] = numbers
    return relabel(roots, to_device(table, device_of(weights))), found


@dataclass(frozen=True)
class _RegionGraph:
    """Regions in raster order of first pixels, and the lightest edge between each two, in order of weight."""

    first_pixels: NDArray[np.intp]
    sizes: NDArray[np.int32]
    internal: NDArray[np.int32]
    ends: tuple[NDArray[np.int32], NDArray[np.int32]]
    weights: NDArray[np.uint16]

    def merge(self, scale: float, smallest: int) -> tuple[NDArray[np.int32], int]:
        """A new number for each region, and how many numbers there are."""
        from cvseg.kernels.graph.merge_regions import merge_regions

        parent, areas, heaviest = (np.empty_like(self.sizes) for _ in range(3))
        limits = np.int64(scale * WEIGHT_UNITS), np.int64(smallest)
        lists = self.sizes, self.internal, *limits, parent, areas, heaviest
        count = merge_regions(*self.ends, self.weights, *lists)
        numbers = np.cumsum(parent == np.arange(parent.size), dtype=np.int32) - np.int32(1)
        return numbers[parent], int(count)

    def search_scale(self, low: float, count: int, smallest: int) -> tuple[NDArray[np.int32], int]:
        """`merge` with a scale above `low` that leaves about `count`."""
        few = max(1, round(0.015 * count))
        found = best = self.merge(low, smallest)
        low = max(low, 1 / WEIGHT_UNITS)
        high, above, below = np.inf, found[1], 0
        for _ in range(SEARCH_STEPS):
            if abs(best[1] - count) <= few or low >= LARGEST_SCALE:
                break
            # Numbers of regions fall about as a power of the scale.
            if high == np.inf:
                middle = low * min(16.0, max(1.5, above / count))
            else:
                share = float(np.log(above / count) / np.log(above / max(below, 1))) if above > below else 0.5
                middle = float(low * (high / low) ** min(0.9, max(0.1, share)))
            found = self.merge(middle, smallest)
            if found[1] > count:
                low, above = middle, found[1]
            else:
                high, below = middle, found[1]
            best = min(best, found, key=lambda found: abs(found[1] - count))
        return best

    def search_smallest(self, scale: float, count: int, high: int) -> tuple[NDArray[np.int32], int]:
        """`merge` with a smallest size below `high` that leaves about `count`."""
        low, best = 0, self.merge(scale, high)
        while high - low > 1 and best[1] != count:
            middle = (low + high) // 2
            found = self.merge(scale, middle)
            low, high = (middle, high) if found[1] > count else (low, middle)
            best = min(best, found, key=lambda found: abs(found[1] - count))
        return best


def _region_graph(weights: Any, roots: Any, sizes: Any, internal: Any) -> _RegionGraph:
    from cvseg.kernels.graph.merge_regions import lightest_edges
    from cvseg.kernels.recycled import recycled_empty

    weights, roots, sizes, internal = (to_host(array) for array in (weights, roots, sizes, internal))
    first_pixels = np.flatnonzero(sizes)
    numbers = recycled_empty((roots.size,), np.int32)
    numbers[first_pixels] = np.arange(first_pixels.size, dtype=np.int32)
    pairs, keys = lightest_edges(weights, roots, numbers, np.int64(first_pixels.size))
    order = np.argsort(keys)
    first, second = np.divmod(pairs[order], first_pixels.size)
    return _RegionGraph(
        first_pixels,
        sizes.reshape(-1)[first_pixels],
        internal.reshape(-1)[first_pixels],
        (first.astype(np.int32), second.astype(np.int32)),
        (keys[order] >> 32).astype(np.uint16),
    )


def _separated(labels: Any, count: int, smallest: int) -> Any:
    """`labels` made 4-connected: small parts that hang on by a corner join what lies before them."""

    def choose(table: NDArray[np.int32]) -> NDArray[np.int32]:
        kept = table[:, AREA] >= smallest
        # The largest part of a region keeps it, however small: a region may be all corners.
        largest = np.zeros(count, np.int32)
        np.maximum.at(largest, table[:, LABEL], table[:, AREA])
        kept |= table[:, AREA] == largest[table[:, LABEL]]
        kept[0] = True  # there is nothing before it
        return np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)

    return join_parts(labels, choose)[0]
