"""Unsupervised growing: regions merge, the most alike first, and every level of it can be chosen afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import device_of, to_device, to_host
from cvseg.checks import check_range
from cvseg.errors import DtypeError, RangeError
from cvseg.graph.region_graph import adjacency_of_strength
from cvseg.graph.spanning_forest_2009 import WEIGHT_UNITS, boundary_strength
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import LAB_UNITS, lab_pictures

BINS = 13  # of histograms, each 8 units of L*a*b* wide
SHIFT = 7  # 8 units in sixteenths
OFFSETS = 0, 52 * 16, 52 * 16  # a* and b* begin at -52


@dataclass(frozen=True, kw_only=True)
class RegionMergingOptions(Options):
    """What makes two regions different, and where merging begins.

    Attributes
    ----------
    edge, color, histogram, size, superpixels : see their `option`
    """

    edge: float = option(1.0, "weight of the mean strength of the border, in L*a*b*; larger keeps outlines", low=0.0)
    color: float = option(0.5, "weight of the distance of mean colours, in L*a*b*; larger keeps flat regions", low=0.0)
    histogram: float = option(
        20.0, "weight of how far histograms are apart, 0 to 1; larger keeps regions of one pattern", low=0.0
    )
    size: float = option(
        0.25, "exponent of the smaller size; larger merges small regions first, for more equal sizes", low=0.0, high=2.0
    )
    superpixels: int = option(800, "at the start; more are slower, and keep smaller things", low=1, high=100000)


@dataclass(frozen=True)
class RegionHierarchy:
    """Merges of regions, the most alike first: a dendrogram.

    Attributes
    ----------
    base : (H, W) int32 labels before the first merge, 0 to n - 1, on the device of the image
    merges : (k, 2) int32 regions, named by their smallest member in `base`: the first takes in the second; in order
    costs : (k,) float64, ascending: what the merge, or a dearer one before it, has cost
    """

    base: Any
    merges: NDArray[np.int32]
    costs: NDArray[np.float64]

    @property
    def most(self) -> int:
        """Regions before the first merge."""
        return int(self.base.max()) + 1

    def labels(self, count: int | None = None, *, threshold: float | None = None) -> Any:
        """The label map of one level.

        Parameters
        ----------
        count : how many regions, at most `most`; fewer than there are unconnected parts cannot be
        threshold : or: merge what costs at most this, in units of L*a*b*; larger gives fewer regions

        Returns
        -------
        labels : (H, W) int32 on the device of the image, 0 to n - 1

        Raises
        ------
        DtypeError, RangeError
            for a count that is no whole number or below 1, a threshold that is no number, both or none of them.

        Examples
        --------
        >>> base = np.array([[0, 1, 2]], np.int32)
        >>> hierarchy = RegionHierarchy(base, np.array([[0, 1], [0, 2]], np.int32), np.array([1.0, 5.0]))
        >>> hierarchy.labels(2).tolist(), hierarchy.labels(threshold=9).tolist()
        ([[0, 0, 1]], [[0, 0, 0]])
        """
        from cvseg.kernels.graph.merge_hierarchy import merged_numbers
        from cvseg.kernels.labeling.relabel import relabel

        if (count is None) == (threshold is None):
            raise RangeError("labels: give either a count or a threshold.")
        regions = self.most
        if count is not None:
            if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
                raise DtypeError(f"labels: count is {count!r}; expected a whole number.")
            check_range("labels", "count", count, low=1)
            taken = max(regions - int(count), 0)
        else:
            check_range("labels", "threshold", float(threshold or 0.0), low=0.0)
            taken = int(np.searchsorted(self.costs, float(threshold or 0.0), side="right"))
        table = merged_numbers(np.ascontiguousarray(self.merges[:taken]), np.int64(regions))
        return relabel(self.base, to_device(table, device_of(self.base)))


def region_merging(
    image: Any,
    options: RegionMergingOptions = RegionMergingOptions(),
    base: Any = None,
) -> RegionHierarchy:
    """Merge superpixels, or the regions of `base`, by the strength of their border and their colours.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    options : RegionMergingOptions
    base : (H, W) int32 on the same device, 0 to n - 1, where merging begins; None: superpixels of `block_moves`

    Returns
    -------
    RegionHierarchy

    Notes
    -----
    A queue by cost, then number of the pair; costs are worked out again whenever a region has grown. The list of
    regions lies on the host, wherever the image is. The dearest cost so far is kept, so that levels are nested.

    References
    ----------
    [Arbelaez2011]_ section 4 for strengths averaged along the border of what has been merged
    """
    from cvseg.kernels.graph.merge_hierarchy import merge_hierarchy
    from cvseg.kernels.graph.region_colors import region_colors
    from cvseg.superpixels.block_moves_2015 import block_moves_2015

    device = device_of(image)
    if base is None:
        base = block_moves_2015(image, min(options.superpixels, image.shape[0] * image.shape[1]))
    count = int(base.max()) + 1
    graph = adjacency_of_strength(base, boundary_strength(image), 1 / WEIGHT_UNITS)
    offsets = to_device(np.array(OFFSETS, np.int32), device)
    levels = lab_pictures(image, 0)[0]
    sizes = np.int32(SHIFT), np.int32(count), np.int32(BINS)
    sums, histogram = (to_host(array) for array in region_colors(base, levels, offsets, *sizes))
    merges, costs = merge_hierarchy(
        np.ascontiguousarray(graph.pairs[:, 0]),
        np.ascontiguousarray(graph.pairs[:, 1]),
        np.stack((graph.length, 2 * graph.mean_strength * graph.length), axis=1),
        np.maximum(sums[:, 0], 1).astype(np.float64),
        sums[:, 1:4] / LAB_UNITS,
        softened(histogram).reshape(count, -1),
        np.array([options.edge, options.color, options.histogram, options.size], np.float64),
    )
    return RegionHierarchy(base, merges, np.maximum.accumulate(costs) if costs.size else costs)


def softened(histogram: NDArray[np.int32]) -> NDArray[np.float64]:
    """A quarter of every bin moved into each neighbour: colours on two sides of an edge between bins are not apart."""
    soft = 0.5 * histogram
    soft[..., 1:] += 0.25 * histogram[..., :-1]
    soft[..., :-1] += 0.25 * histogram[..., 1:]
    # What would leave at the ends stays.
    soft[..., 0] += 0.25 * histogram[..., 0]
    soft[..., -1] += 0.25 * histogram[..., -1]
    return np.asarray(soft, np.float64)


def consecutive(labels: Any) -> Any:
    """(H, W) int32 labels from 0 to n - 1, in the order of the given ones."""
    host = to_host(labels)
    names, numbers = np.unique(host, return_inverse=True)
    if names.size == int(host.max()) + 1 and names[0] == 0:
        return labels
    return to_device(numbers.reshape(host.shape).astype(np.int32), device_of(labels))
