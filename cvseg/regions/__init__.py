"""Regions of one frame: from a mask to numbered components, their measures, outlines, specks, holes and distances."""

from cvseg.regions.cleaning import fill_holes, remove_small_regions
from cvseg.regions.footprints import cross, diamond, disc, ellipse, rectangle
from cvseg.regions.labeling import label_components
from cvseg.regions.morphology import black_hat, closing, dilate, erode, morphological_gradient, opening, top_hat
from cvseg.regions.properties import region_properties

__all__ = [
    "black_hat",
    "closing",
    "cross",
    "diamond",
    "dilate",
    "disc",
    "ellipse",
    "erode",
    "fill_holes",
    "label_components",
    "morphological_gradient",
    "opening",
    "rectangle",
    "region_properties",
    "remove_small_regions",
    "top_hat",
]
