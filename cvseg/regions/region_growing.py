"""Regions that grow from seeds, by a table of methods; or without seeds, by merging."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, choose_device, device_of, to_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, OptionError, RangeError, nearest_name
from cvseg.graph.random_walker_2006 import RandomWalkerOptions, random_walker_2006
from cvseg.graph.region_graph import check_boundary, whole_labels
from cvseg.graph.region_merging import RegionHierarchy, RegionMergingOptions, consecutive, region_merging
from cvseg.graph.spanning_forest_2009 import (
    SpanningForestOptions,
    WatershedOptions,
    spanning_forest_2009,
    watershed_2009,
)
from cvseg.options import Options
from cvseg.regions.seeds import seed_map
from cvseg.superpixels.picture import check_count, superpixel_picture


@dataclass(frozen=True)
class GrowingMethod:
    """One row of `GROWING_METHODS`.

    Attributes
    ----------
    grow : ``grow(image, seeds, options)`` on (H, W, 3) uint8 and (H, W) int32 seeds, negative outside
    presets : options by preset name
    takes_boundary : True when ``grow(..., boundary=)`` takes a map of edges
    gives_probability : True when ``grow(..., return_probability=True)`` also gives probabilities
    """

    grow: Callable[..., Any]
    presets: Mapping[str, Options]
    takes_boundary: bool = False
    gives_probability: bool = False


GROWING_METHODS = {
    "spanning_forest": GrowingMethod(
        spanning_forest_2009, {"fast": SpanningForestOptions(neighbors="4"), "balanced": SpanningForestOptions()}
    ),
    "random_walker": GrowingMethod(
        random_walker_2006,
        {"fast": RandomWalkerOptions(tolerance=1e-3), "balanced": RandomWalkerOptions()},
        gives_probability=True,
    ),
    "watershed": GrowingMethod(watershed_2009, {"balanced": WatershedOptions()}, takes_boundary=True),
}


def grow(
    image: Any,
    seeds: Any = None,
    *,
    count: int | None = None,
    threshold: float | None = None,
    method: str = "watershed",
    mask: Any = None,
    boundary: Any = None,
    preset: str = "balanced",
    options: Options | None = None,
    return_probability: bool = False,
    device: str = "auto",
) -> Any:
    """Grow regions from seeds until they meet; or, without seeds, until there are `count`.

    Parameters
    ----------
    image : (H, W, 3) RGB or (H, W) grey; uint8, or float32 in [0, 1], which is rounded to 256 values
    seeds : (H, W) map of whole numbers: labels from 1, 0 what shall be labelled. Or points: (n, 2) x, y, which grow
        labels 1 to n, or (n, 3) x, y, label. Or boxes: (n, 4) half-open x0, y0, x1, y1 around things, which grow labels
        1 to n inside, and n + 1 outside all of them. See `point_seeds` and `box_seeds` for discs and cores. None:
        regions merge by `merge_regions`, with `options` a RegionMergingOptions; then no method, mask or boundary.
    count, threshold : without seeds, one of them: how many regions, or the cost up to which they merge, about the
        difference in L*a*b* that keeps two regions apart
    method : a key of `GROWING_METHODS`
    mask : (H, W) bool, where labels may grow; None: everywhere. Seeds outside it are ignored.
    boundary : (H, W) float32 in [0, 1], own map of edges for the method "watershed"
    preset : "balanced", and what else the method has
    options : of the method, instead of a preset
    return_probability : also give the probability of each label; "random_walker" only
    device : where to compute: "auto" is where the image lives, "cpu" or "cuda" moves it there and the labels back

    Returns
    -------
    labels : (H, W) int32 on the device of the image; 0 outside the mask, and where no path leads from a seed.
        Without seeds 1 to n.

    probability : (n, H, W) float32 of the n labels among the seeds, in ascending order; with `return_probability`

    Raises
    ------
    ShapeError, DtypeError
        for arrays of another kind or size.
    RangeError
        for NaN and values outside their range, seeds outside the image, and when there is no seed at all.
    OptionError
        for an unknown method, preset or device, and options of another method.
    DeviceUnavailableError
        for "cuda" without a GPU.

    Examples
    --------
    >>> image = np.zeros((4, 9), np.uint8)
    >>> image[:, 3:] = 255
    >>> grow(image, [(0, 1), (8, 2)], method="spanning_forest")[0].tolist()
    [1, 1, 1, 2, 2, 2, 2, 2, 2]
    """
    if seeds is None:
        if (count is None) == (threshold is None):
            raise InputError(
                "grow: without seeds, give either count or threshold. To look at all levels: merge_regions."
            )
        if method != "watershed" or mask is not None or boundary is not None or return_probability:
            raise OptionError(
                "grow: method, mask, boundary and return_probability need seeds. Give some, or leave them out."
            )
        hierarchy = merge_regions(image, options=options, device=device)
        if count is not None:
            check_count("grow", count, image)
        return hierarchy.labels(count, threshold=threshold) + np.int32(1)
    if count is not None or threshold is not None:
        raise OptionError("grow: count and threshold are for growing without seeds. Leave them out.")
    row, options = chosen_method("grow", GROWING_METHODS, method, preset, options)
    here = device_of(image)
    there = here if device == "auto" else choose_device(device)
    picture = superpixel_picture("grow", image)
    marks = seed_map("grow", seeds, picture)
    if mask is not None:
        check_shapes("grow", image=(picture, "H W 3"), mask=(mask, "H W"))
        check_dtype("grow", np.bool_, mask=mask)
        marks = array_module(marks).where(mask, marks, np.int32(-1))
    if int(marks.max()) < 1:
        where = "" if mask is None else " inside the mask"
        raise RangeError(f"grow: there is no seed{where}; expected at least one label from 1.")
    extra: dict[str, Any] = {}
    if boundary is not None:
        if not row.takes_boundary:
            raise OptionError(f"grow: method '{method}' takes no boundary. Leave it out, or choose 'watershed'.")
        check_shapes("grow", image=(picture, "H W 3"), boundary=(boundary, "H W"))
        check_boundary("grow", boundary)
        extra["boundary"] = to_device(boundary, there)
    if return_probability:
        if not row.gives_probability:
            raise OptionError(f"grow: method '{method}' has no probabilities; choose 'random_walker'.")
        extra["return_probability"] = True
    result = row.grow(to_device(picture, there), to_device(marks, there), options, **extra)
    if return_probability:
        return tuple(to_device(array, here) for array in result)
    return to_device(result, here)


def merge_regions(
    image: Any,
    base: Any = None,
    *,
    options: Options | None = None,
    device: str = "auto",
) -> RegionHierarchy:
    """Merge regions, the most alike first, and keep the order: every level can be chosen afterwards.

    Parameters
    ----------
    image : (H, W, 3) RGB or (H, W) grey; uint8, or float32 in [0, 1]
    base : (H, W) whole numbers on the same device, the regions to begin with, every value one; None: superpixels
    options : RegionMergingOptions
    device : where to compute: "auto" is where the image lives, "cpu" or "cuda" moves it there and the labels back

    Returns
    -------
    RegionHierarchy : ``labels(count)`` and ``labels(threshold=)`` give the levels

    Raises
    ------
    ShapeError, DtypeError, RangeError, OptionError, DeviceUnavailableError

    Notes
    -----
    The queue is sequential and on the host; it takes milliseconds for some hundred regions. Synchronises a GPU.

    Examples
    --------
    >>> image = np.zeros((20, 30), np.uint8)
    >>> image[:, 10:] = 255
    >>> labels = merge_regions(image).labels(2)
    >>> labels[0, 8:12].tolist()
    [0, 0, 1, 1]
    """
    if options is None:
        options = RegionMergingOptions()
    elif not isinstance(options, RegionMergingOptions):
        raise OptionError(f"merge_regions: options are {type(options).__name__}; expected RegionMergingOptions.")
    here = device_of(image)
    there = here if device == "auto" else choose_device(device)
    picture = superpixel_picture("merge_regions", image)
    if base is not None:
        check_shapes("merge_regions", image=(picture, "H W 3"), base=(base, "H W"))
        if int(base.min()) < 0:
            raise RangeError("merge_regions: base has negative labels; expected numbers of regions from 0.")
        base = to_device(consecutive(whole_labels("merge_regions", base)), there)
    hierarchy = region_merging(to_device(picture, there), options, base)
    return dataclasses.replace(hierarchy, base=to_device(hierarchy.base, here))


def chosen_method(
    caller: str, table: Mapping[str, GrowingMethod], method: str, preset: str, options: Options | None
) -> tuple[GrowingMethod, Options]:
    """The row of `method`, and its options.

    Raises
    ------
    OptionError
    """
    if method not in table:
        raise OptionError(f"{caller}: unknown method '{method}'; {nearest_name(method, table)}")
    row = table[method]
    if options is None:
        if preset not in row.presets:
            raise OptionError(f"{caller}: unknown preset '{preset}'; {nearest_name(preset, row.presets)}")
        return row, row.presets[preset]
    needed = type(row.presets["balanced"])
    if type(options) is not needed:
        raise OptionError(f"{caller}: options are {type(options).__name__}; method '{method}' needs {needed.__name__}.")
    return row, options
