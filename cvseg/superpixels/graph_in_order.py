"""Graph-based segmentation to the letter of the paper: one edge after the other, by weight, then by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cvseg.superpixels.scale_search import Merged, search_scale

if TYPE_CHECKING:
    from cvseg.superpixels.graph_based_2004 import GraphOptions

FIRST_SCALE = 0.125  # of the search: grey levels times pixels


def graph_in_order(image: Any, count: int, smallest: int, options: GraphOptions) -> Any:
    """Regions of `graph_based_2004` with ``exact=True``.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, on the host
    count, smallest : wished number of regions, if `options.scale` is 0; pixels of the smallest one
    options : GraphOptions

    Returns
    -------
    labels : (H, W) int32, 0 to n - 1 in raster order of first pixels, each connected by edges: 8-connected with 8
        neighbours

    Notes
    -----
    Weights are distances of RGB in [0, 1], float64. Of equal edges, that of the pixel before comes first.

    References
    ----------
    [Felzenszwalb2004]_ algorithm 1
    """
    from scipy.ndimage import gaussian_filter

    colors = gaussian_filter(image / 255.0, (options.sigma, options.sigma, 0.0))
    graph = _PixelGraph(colors, int(options.neighbors) // 2)
    if options.scale:
        best = graph.merge_each([options.scale], smallest)[0]
    else:
        best = search_scale(graph, FIRST_SCALE, count, smallest)
    roots = best.parent == np.arange(best.parent.size)
    numbers = np.cumsum(roots, dtype=np.int32) - np.int32(1)
    return numbers[best.parent].reshape(image.shape[:2])


class _PixelGraph:
    """All edges between pixels in order of weight."""

    side_by_side = 1

    def __init__(self, colors: Any, directions: int) -> None:
        from cvseg.kernels.graph.merge_in_order import pixel_edges

        most = directions * colors.shape[0] * colors.shape[1]
        pixels, weights = np.empty((most, 2), np.int32), np.empty(most)
        found = pixel_edges(np.ascontiguousarray(colors), directions, pixels, weights)
        order = np.argsort(weights[:found], kind="stable")
        self.pixels, self.weights = pixels[order], weights[order]
        self.count = colors.shape[0] * colors.shape[1]

    def merge_each(self, scales: Sequence[float], smallest: int) -> list[Merged]:
        from cvseg.kernels.graph.merge_in_order import merge_in_order

        results = []
        for scale in scales:
            parent, sizes, internal = (np.empty(self.count, kind) for kind in (np.int32, np.int32, np.float64))
            lists = self.pixels, self.weights, scale / 255.0, smallest, parent, sizes, internal
            results.append(Merged(parent, int(merge_in_order(*lists))))
        return results
