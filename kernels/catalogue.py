"""The catalogue of kernels. One line each: tests, benchmarks and `cvseg warmup` run over it."""

from cvseg.kernels.appearance.color_histogram import color_histogram
from cvseg.kernels.appearance.color_log_ratio import color_log_ratio
from cvseg.kernels.background.flux_derivatives import flux_derivatives
from cvseg.kernels.background.flux_judge import flux_judge
from cvseg.kernels.background.flux_trace import flux_trace
from cvseg.kernels.background.fused_logit import fused_logit
from cvseg.kernels.background.gaussian_mixture import gaussian_mixture
from cvseg.kernels.background.mask_vote import mask_vote
from cvseg.kernels.background.mode_distance import mode_distance
from cvseg.kernels.background.mode_learning import mode_learning
from cvseg.kernels.background.motion_errors import motion_errors
from cvseg.kernels.background.motion_verdict import motion_verdict
from cvseg.kernels.background.running_gaussian import running_gaussian
from cvseg.kernels.background.sample_begin import sample_begin
from cvseg.kernels.background.sample_consensus import sample_consensus
from cvseg.kernels.background.sample_spread import sample_spread
from cvseg.kernels.background.texture_bits import texture_bits
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.color.lab_from_rgb import lab_from_rgb
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.kernels.compositing.blend_layer import blend_layer
from cvseg.kernels.compositing.flow_colors import flow_colors
from cvseg.kernels.compositing.tint_labels import tint_labels
from cvseg.kernels.consensus.cell_descriptors import cell_descriptors
from cvseg.kernels.consensus.cell_features import cell_features
from cvseg.kernels.consensus.consensus_step import consensus_step
from cvseg.kernels.consensus.consensus_weights import consensus_weights
from cvseg.kernels.consensus.nearest_cells import nearest_cells
from cvseg.kernels.evaluation.boundary_matches import boundary_matches
from cvseg.kernels.evaluation.confusion_counts import confusion_counts
from cvseg.kernels.evaluation.context_costs import context_costs
from cvseg.kernels.evaluation.flow_errors import flow_errors
from cvseg.kernels.evaluation.greedy_matches import greedy_matches
from cvseg.kernels.evaluation.mask_boundary import mask_boundary
from cvseg.kernels.evaluation.match_outlines import match_outlines
from cvseg.kernels.evaluation.near_boundaries import near_boundaries
from cvseg.kernels.evaluation.object_outlines import object_outlines
from cvseg.kernels.evaluation.outline_matches import outline_matches
from cvseg.kernels.evaluation.shape_contexts import shape_contexts
from cvseg.kernels.evaluation.simplify_outlines import simplify_outlines
from cvseg.kernels.evaluation.speed_groups import speed_groups
from cvseg.kernels.evaluation.trace_outlines import trace_outlines
from cvseg.kernels.filtering.box_mean import box_mean
from cvseg.kernels.filtering.gradients import gradients
from cvseg.kernels.filtering.guided_apply import guided_apply
from cvseg.kernels.filtering.guided_coefficients import guided_coefficients
from cvseg.kernels.filtering.guided_products import guided_products
from cvseg.kernels.filtering.median import median
from cvseg.kernels.filtering.separable_median import separable_median
from cvseg.kernels.filtering.smooth_planes import smooth_planes
from cvseg.kernels.flow.brightness_constraint import brightness_constraint
from cvseg.kernels.flow.carried_flow import carried_flow
from cvseg.kernels.flow.farneback_equations import farneback_equations
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.forward_backward import forward_backward
from cvseg.kernels.flow.horn_schunck_relax import horn_schunck_relax
from cvseg.kernels.flow.lucas_kanade_equations import lucas_kanade_equations
from cvseg.kernels.flow.match_check import match_check
from cvseg.kernels.flow.match_fill import match_fill
from cvseg.kernels.flow.match_hint import match_hint
from cvseg.kernels.flow.match_image import match_image
from cvseg.kernels.flow.match_still import match_still
from cvseg.kernels.flow.patch_carried import patch_carried
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_inside import patch_inside
from cvseg.kernels.flow.patch_match import patch_match
from cvseg.kernels.flow.patch_search import patch_search
from cvseg.kernels.flow.patch_start import patch_start
from cvseg.kernels.flow.polynomial_expansion import polynomial_expansion
from cvseg.kernels.flow.tv_l1_solve import tv_l1_solve
from cvseg.kernels.flow.tv_l1_terms import tv_l1_terms
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.flow.variational_solve import variational_solve
from cvseg.kernels.flow.window_flow import window_flow
from cvseg.kernels.graph.coarse_conductors import coarse_conductors
from cvseg.kernels.graph.color_gradient import color_gradient
from cvseg.kernels.graph.cut_steps import cut_steps
from cvseg.kernels.graph.cut_weights import cut_weights
from cvseg.kernels.graph.edge_weights import edge_weights
from cvseg.kernels.graph.grid_potentials import grid_potentials
from cvseg.kernels.graph.merge_pixels import merge_pixels
from cvseg.kernels.graph.merge_regions import merge_regions
from cvseg.kernels.graph.needed_edges import needed_edges
from cvseg.kernels.graph.pass_weights import pass_weights
from cvseg.kernels.graph.region_adjacency import region_adjacency
from cvseg.kernels.graph.region_colors import region_colors
from cvseg.kernels.graph.region_edges import region_edges
from cvseg.kernels.graph.seed_distance import seed_distance
from cvseg.kernels.graph.smooth_levels import smooth_levels
from cvseg.kernels.graph.spanning_forest import spanning_forest
from cvseg.kernels.graph.walker_system import walker_system
from cvseg.kernels.labeling.connected_labels import connected_labels
from cvseg.kernels.labeling.hole_owners import hole_owners
from cvseg.kernels.labeling.join_labels import join_labels
from cvseg.kernels.labeling.label_areas import label_areas
from cvseg.kernels.labeling.label_components import label_components
from cvseg.kernels.labeling.label_overlap import label_overlap
from cvseg.kernels.labeling.label_volume import label_volume
from cvseg.kernels.labeling.part_table import part_table
from cvseg.kernels.labeling.relabel import relabel
from cvseg.kernels.labeling.warp_labels import warp_labels
from cvseg.kernels.morphology.column_distance import column_distance
from cvseg.kernels.morphology.least_in_box import least_in_box
from cvseg.kernels.morphology.least_in_shape import least_in_shape
from cvseg.kernels.morphology.mask_in_shape import mask_in_shape
from cvseg.kernels.morphology.row_distance import row_distance
from cvseg.kernels.motion.barrier_distance import barrier_distance
from cvseg.kernels.motion.inside_votes import inside_votes
from cvseg.kernels.motion.layer_labels import layer_labels
from cvseg.kernels.motion.motion_boundary import motion_boundary
from cvseg.kernels.motion.motion_outliers import motion_outliers
from cvseg.kernels.motion.motion_saliency import motion_saliency
from cvseg.kernels.motion.seed_mean import seed_mean
from cvseg.kernels.particles.particle_scores import particle_scores
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down
from cvseg.kernels.regions.band_colors import band_colors
from cvseg.kernels.regions.divide_regions import divide_regions
from cvseg.kernels.regions.region_histogram import region_histogram
from cvseg.kernels.regions.region_perimeter import region_perimeter
from cvseg.kernels.regions.region_properties import region_properties
from cvseg.kernels.superpixels.boundary_moves import boundary_moves
from cvseg.kernels.superpixels.carry_labels import carry_labels
from cvseg.kernels.superpixels.halve_levels import halve_levels
from cvseg.kernels.superpixels.lab_levels import lab_levels
from cvseg.kernels.superpixels.slic_clusters import slic_clusters
from cvseg.kernels.supervoxels.node_borders import node_borders
from cvseg.kernels.supervoxels.node_colors import node_colors
from cvseg.kernels.supervoxels.node_links import node_links
from cvseg.kernels.supervoxels.node_motion import node_motion
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
        region_perimeter,
        divide_regions,
        region_histogram,
        band_colors,
        particle_scores,
        tint_labels,
        flow_colors,
        blend_layer,
        mask_boundary,
        boundary_matches,
        object_outlines,
        outline_matches,
        trace_outlines,
        simplify_outlines,
        shape_contexts,
        context_costs,
        match_outlines,
        gray_from_rgb,
        gradients,
        flow_upsample,
        forward_backward,
        patch_densify,
        patch_search,
        patch_start,
        tv_l1_solve,
        tv_l1_terms,
        variational_solve,
        variational_images,
        pad_edges,
        pyramid_down,
        motion_saliency,
        cell_features,
        cell_descriptors,
        nearest_cells,
        consensus_weights,
        consensus_step,
        color_histogram,
        color_log_ratio,
        mode_distance,
        mode_learning,
        motion_errors,
        motion_verdict,
        running_gaussian,
        lab_from_rgb,
        shrink_rgb,
        box_mean,
        guided_apply,
        guided_coefficients,
        guided_products,
        median,
        separable_median,
        horn_schunck_relax,
        brightness_constraint,
        confusion_counts,
        greedy_matches,
        lucas_kanade_equations,
        window_flow,
        match_check,
        match_fill,
        match_image,
        patch_inside,
        patch_match,
        farneback_equations,
        polynomial_expansion,
        match_still,
        match_hint,
        carried_flow,
        patch_carried,
        lab_levels,
        halve_levels,
        boundary_moves,
        connected_labels,
        part_table,
        slic_clusters,
        carry_labels,
        smooth_levels,
        edge_weights,
        cut_weights,
        cut_steps,
        merge_pixels,
        merge_regions,
        needed_edges,
        region_edges,
        flow_errors,
        near_boundaries,
        speed_groups,
        color_gradient,
        pass_weights,
        seed_distance,
        spanning_forest,
        coarse_conductors,
        grid_potentials,
        walker_system,
        region_adjacency,
        region_colors,
        gaussian_mixture,
        mask_vote,
        least_in_box,
        least_in_shape,
        mask_in_shape,
        column_distance,
        row_distance,
        label_volume,
        join_labels,
        hole_owners,
        label_areas,
        texture_bits,
        sample_begin,
        sample_consensus,
        sample_spread,
        node_colors,
        node_motion,
        node_borders,
        node_links,
        flux_derivatives,
        flux_trace,
        fused_logit,
        flux_judge,
        smooth_planes,
        barrier_distance,
        inside_votes,
        layer_labels,
        motion_boundary,
        motion_outliers,
        seed_mean,
    )
}
