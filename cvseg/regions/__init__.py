"""Regions of one frame: from a mask to numbered components, their measures, outlines, specks, holes and distances."""

from cvseg.graph.random_walker_2006 import RandomWalkerOptions
from cvseg.graph.region_graph import RegionAdjacency, adjacency
from cvseg.graph.region_merging import RegionHierarchy, RegionMergingOptions
from cvseg.graph.spanning_forest_2009 import SpanningForestOptions, WatershedOptions
from cvseg.regions.cleaning import clear_border, remove_small_regions
from cvseg.regions.component_stream import ComponentStream, FrameComponents
from cvseg.regions.distance import DISTANCE_METRICS, distance_transform, nearest_background, signed_distance
from cvseg.regions.footprints import cross, diamond, disc, ellipse, rectangle
from cvseg.regions.holes import fill_holes
from cvseg.regions.labeling import label_components, label_volume
from cvseg.regions.morphology import black_hat, closing, dilate, erode, morphological_gradient, opening, top_hat
from cvseg.regions.properties import region_properties
from cvseg.regions.region_growing import GROWING_METHODS, GrowingMethod, grow, merge_regions
from cvseg.regions.seeds import box_seeds, point_seeds

__all__ = [
    "DISTANCE_METRICS",
    "GROWING_METHODS",
    "ComponentStream",
    "FrameComponents",
    "GrowingMethod",
    "RandomWalkerOptions",
    "RegionAdjacency",
    "RegionHierarchy",
    "RegionMergingOptions",
    "SpanningForestOptions",
    "WatershedOptions",
    "adjacency",
    "black_hat",
    "box_seeds",
    "clear_border",
    "closing",
    "cross",
    "diamond",
    "dilate",
    "disc",
    "distance_transform",
    "ellipse",
    "erode",
    "fill_holes",
    "grow",
    "label_components",
    "label_volume",
    "merge_regions",
    "morphological_gradient",
    "nearest_background",
    "opening",
    "point_seeds",
    "rectangle",
    "region_properties",
    "remove_small_regions",
    "signed_distance",
    "top_hat",
]
