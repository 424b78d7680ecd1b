"""Graph-based segmentation: regions grow along the lightest edges, and stop where edges are heavier than inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.errors import RangeError
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import LAB_UNITS, lab_pictures
from cvseg.superpixels.parts import AREA, LABEL, join_parts
from cvseg.superpixels.scale_search import Merged, search_scale

WEIGHT_UNITS = 8  # weights of edges in one unit of L*a*b*
MOST_PIXELS = 2**28  # numbers of edges have 31 bits
SIDE_BY_SIDE = 8  # scales that a GPU tries at a time
MOST_LISTED = 2**24  # regions and edges of all of them


@dataclass(frozen=True, kw_only=True)
class GraphOptions(Options):
    """What counts as an edge between regions, and how small they may be.

    Attributes
    ----------
    scale, first_contrast, smallest, smallest_px, neighbors, exact, sigma : see their `option`. With `exact`, scales
        are those of grey levels from 0 to 255
    """

    scale: float = option(
        0.0, "L*a*b* times pixels; larger gives larger regions. 0: found so that there are `count`", low=0.0, high=1e9
    )
    first_contrast: float = option(
        0.018,
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
    exact: bool = option(False, "the paper's method edge by edge, in RGB, on the CPU; some fifty times slower")
    sigma: float = option(0.8, "pixels; blur before an exact one; larger ignores finer texture", low=0.0, high=100.0)


# Nothing that takes longer was found to be better than "balanced".
GRAPH_PRESETS = {
    "fast": GraphOptions(first_contrast=0.025, neighbors="4"),
    "balanced": GraphOptions(),
    "quality": GraphOptions(),
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
    labels : (H, W) int32 on the same device, 0 to n - 1, each 4-connected (8-connected if `exact`). Fewer than
        `count` where the image has not so many differences: pixels of one colour are never divided.

    Raises
    ------
    RangeError
        for more than 2^28 pixels.

    Notes
    -----
    Synchronises a GPU. With `options.scale` the regions of a graph of pixels are those of the sequential method, on
    weights that are rounded to eighths of a unit of L*a*b*; any order of equal edges gives the same. Without it, pixels
    are merged at a small scale, and the regions again at the scale that leaves `count`: a scale that grows on the way,
    as in hierarchies of segmentations. Departures from the paper: L*a*b* instead of RGB, smoothed by [1 2 1] / 4 along
    both axes; of each block of 2x2 pixels only the edges of its spanning tree; parts of a region that touch only at
    corners are separated. With `options.exact` there are none of these, and scikit-image's regions are found again.

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
    from cvseg.kernels.graph.needed_edges import needed_edges
    from cvseg.kernels.graph.smooth_levels import smooth_levels
    from cvseg.superpixels.graph_in_order import graph_in_order

    pixels = image.shape[0] * image.shape[1]
    if pixels > MOST_PIXELS:
        raise RangeError(f"graph_based_2004: {pixels} pixels; expected at most {MOST_PIXELS}. Divide the image.")
    smallest = options.smallest_px or max(1, round(options.smallest * pixels / count))
    if options.exact:
        return to_device(graph_in_order(to_host(image), count, smallest, options), device_of(image))
    levels = smooth_levels(lab_pictures(image, 0)[0])
    # Smoothed levels are four times as fine.
    weights = edge_weights(levels, np.int32(int(options.neighbors) // 2), np.float32(WEIGHT_UNITS / (4 * LAB_UNITS)))
    labels, count_now = merged(needed_edges(weights), count, smallest, options)
    if options.neighbors == "4":
        return labels
    return _separated(labels, count_now, smallest)


def merged(weights: Any, count: int, smallest: int, options: GraphOptions) -> tuple[Any, int]:
    """Regions of a graph of pixels, numbered from 0 in raster order of first pixels, and how many they are.

    Parameters
    ----------
    weights : (H, W, directions) uint16, of `edge_weights` or `needed_edges`
    count, smallest : wished number of regions; pixels of the smallest one
    options : GraphOptions
    """
    from cvseg.kernels.graph.merge_pixels import merge_pixels
    from cvseg.kernels.labeling.relabel import relabel

    xp = array_module(weights)
    pixels = weights.shape[0] * weights.shape[1]
    scale = options.scale or options.first_contrast * pixels / count
    while True:
        roots, sizes, internal = merge_pixels(weights, np.int64(scale * WEIGHT_UNITS))
        first_pixels = xp.flatnonzero(sizes)
        # A start with too few regions cannot be taken back. Below one weight only what is alike is merged.
        if options.scale or first_pixels.size >= count or scale * WEIGHT_UNITS < 1:
            break
        scale /= 8
    numbers = xp.empty(pixels, np.int32)
    numbers[first_pixels] = xp.arange(first_pixels.size, dtype=np.int32)
    regions = relabel(roots, numbers)
    graph = _RegionGraph(weights, regions, sizes.reshape(-1)[first_pixels], internal.reshape(-1)[first_pixels])
    if options.scale:
        best = graph.merge_each([scale], smallest)[0]
    else:
        best = search_scale(graph, max(scale, 1 / WEIGHT_UNITS), count, smallest)
    parent = best.parent
    numbers = xp.cumsum(parent == xp.arange(parent.size, dtype=np.int32), dtype=np.int32) - np.int32(1)
    return relabel(regions, xp.ascontiguousarray(numbers[parent])), best.count


class _RegionGraph:
    """Regions in raster order of first pixels, and the edges between them, where the image lives."""

    def __init__(self, weights: Any, regions: Any, sizes: Any, internal: Any) -> None:
        from cvseg.kernels.graph.region_edges import region_edges

        self.edges = region_edges(weights, regions)
        self.nodes = sizes, internal
        # A GPU tries scales side by side, as far as there is room for their lists; a CPU only what is asked for.
        room = max(1, MOST_LISTED // (sizes.size + self.edges[0].size + 1))
        self.side_by_side = min(SIDE_BY_SIDE, room) if device_of(sizes) == "cuda" else 1

    def merge_each(self, scales: Sequence[float], smallest: int) -> list[Merged]:
        from cvseg.kernels.graph.merge_regions import merge_regions

        whole = np.array([int(scale * WEIGHT_UNITS) for scale in scales], np.int64)
        device = device_of(self.nodes[0])
        parents, counts = merge_regions(*self.edges, *self.nodes, to_device(whole, device), np.int64(smallest))
        return [Merged(parents[i], int(count)) for i, count in enumerate(to_host(counts))]


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
