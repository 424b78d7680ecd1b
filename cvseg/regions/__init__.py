"""Regions of one frame: from a mask to numbered components, their measures, and the removal of specks and holes."""

from cvseg.regions.cleaning import fill_holes, remove_small_regions
from cvseg.regions.labeling import label_components
from cvseg.regions.properties import region_properties

__all__ = ["fill_holes", "label_components", "region_properties", "remove_small_regions"]
