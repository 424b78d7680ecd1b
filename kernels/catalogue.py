"""The catalogue of kernels. One line each: tests, benchmarks and `cvseg warmup` run over it."""

from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.compositing.blend_layer import blend_layer
from cvseg.kernels.compositing.tint_labels import tint_labels
from cvseg.kernels.evaluation.boundary_matches import boundary_matches
from cvseg.kernels.evaluation.mask_boundary import mask_boundary
from cvseg.kernels.filtering.gradients import gradients
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.forward_backward import forward_backward
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_search import patch_search
from cvseg.kernels.flow.patch_start import patch_start
from cvseg.kernels.flow.variational_solve import variational_solve
from cvseg.kernels.flow.variational_terms import variational_terms
from cvseg.kernels.labeling.label_components import label_components
from cvseg.kernels.labeling.label_overlap import label_overlap
from cvseg.kernels.labeling.relabel import relabel
from cvseg.kernels.labeling.warp_labels import warp_labels
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down
from cvseg.kernels.regions.divide_regions import divide_regions
from cvseg.kernels.regions.region_histogram import region_histogram
from cvseg.kernels.regions.region_properties import region_properties
from cvseg.kernels.warping.warp_backward import warp_backward

KERNELS = {
    kernel.name: kernel
    for kernel in (
        warp_backward,
        label_components,
        label_overlap,
        relabel,
        warp_labels,
        region_properties,
        divide_regions,
        region_histogram,
        tint_labels,
        blend_layer,
        mask_boundary,
        boundary_matches,
        gray_from_rgb,
        gradients,
        flow_upsample,
        forward_backward,
        patch_densify,
        patch_search,
        patch_start,
        variational_solve,
        variational_terms,
        pad_edges,
        pyramid_down,
    )
}
