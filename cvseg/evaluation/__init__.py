"""Measures of accuracy: arrays in, numbers and frozen records out."""

from cvseg.evaluation.average_precision import AveragePrecision, AveragePrecisionMeasure
from cvseg.evaluation.boundary_accuracy import BoundaryScore, boundary_accuracy, boundary_score
from cvseg.evaluation.boundary_benchmark import BoundaryBenchmark, BoundaryCounts, boundary_benchmark, boundary_counts
from cvseg.evaluation.boundary_matching import match_boundaries, segment_boundary, thin_boundary
from cvseg.evaluation.change_accuracy import ChangeCounts, ChangeScore, change_counts, change_score
from cvseg.evaluation.endpoint_error import FlowAccuracy, endpoint_error, flow_accuracy
from cvseg.evaluation.flow_regions import (
    FlowErrorCounts,
    flow_error_counts,
    motion_boundaries,
    near_motion_boundaries,
    speed_regions,
)
from cvseg.evaluation.higher_order_tracking_accuracy import HigherOrderScore, higher_order_tracking_accuracy
from cvseg.evaluation.identity_accuracy import IdentityScore, identity_accuracy
from cvseg.evaluation.interactive_accuracy import InteractiveScore, interactive_accuracy
from cvseg.evaluation.mask_flicker import mask_flicker
from cvseg.evaluation.object_pairs import PairScores, pair_scores
from cvseg.evaluation.overlaps import ObjectOverlaps, box_overlaps, label_overlaps
from cvseg.evaluation.panoptic_quality import (
    ClassQuality,
    MeanQuality,
    PanopticMeasure,
    SegmentMatches,
    add_video,
    match_segments,
    mean_of_windows,
    without_wrong_depth,
)
from cvseg.evaluation.panoptic_segments import SegmentPairs, Segments, divided_segments, segment_pairs, summed_pairs
from cvseg.evaluation.region_accuracy import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    explained_variation,
    label_consistency,
    undersegmentation_error,
)
from cvseg.evaluation.region_benchmark import RegionBenchmark, RegionScores, region_benchmark, region_scores
from cvseg.evaluation.region_similarity import (
    SequenceStatistics,
    object_similarity,
    region_similarity,
    sequence_statistics,
)
from cvseg.evaluation.segmentation_agreement import (
    probabilistic_rand_index,
    rand_index,
    segmentation_covering,
    variation_of_information,
)
from cvseg.evaluation.segmentation_tracking_quality import SegmentationTrackingMeasure, SegmentationTrackingScore
from cvseg.evaluation.semantic_accuracy import (
    SemanticMeasure,
    SemanticScore,
    confusion_matrix,
    semantic_score,
    video_consistency,
)
from cvseg.evaluation.shot_accuracy import (
    ShotCounts,
    ShotScore,
    TransitionScore,
    match_transitions,
    shot_counts,
    shot_score,
    transitions_of_cuts,
)
from cvseg.evaluation.supervoxel_accuracy import (
    mean_duration,
    segmentation_accuracy,
    size_variation,
    volume_leakage,
)
from cvseg.evaluation.temporal_stability import OutlineShape, outline_change, outline_shape, temporal_stability
from cvseg.evaluation.tracking_accuracy import (
    FrameMatches,
    TrackingMeasure,
    TrackingScore,
    identity_switches,
    matched_frames,
    tracking_accuracy,
)
from cvseg.evaluation.tracking_data import TrackingSequence, box_sequence, label_sequence, tracking_sequence
from cvseg.evaluation.video_objects import (
    FramePairs,
    ObjectScores,
    assigned_scores,
    from_first_frame,
    same_id_scores,
)

__all__ = [
    "AveragePrecision",
    "AveragePrecisionMeasure",
    "BoundaryBenchmark",
    "BoundaryCounts",
    "BoundaryScore",
    "ChangeCounts",
    "ChangeScore",
    "ClassQuality",
    "FlowAccuracy",
    "FlowErrorCounts",
    "FrameMatches",
    "FramePairs",
    "HigherOrderScore",
    "IdentityScore",
    "InteractiveScore",
    "MeanQuality",
    "ObjectOverlaps",
    "ObjectScores",
    "OutlineShape",
    "PairScores",
    "PanopticMeasure",
    "RegionBenchmark",
    "RegionScores",
    "SegmentMatches",
    "SegmentPairs",
    "SegmentationTrackingMeasure",
    "SegmentationTrackingScore",
    "Segments",
    "SemanticMeasure",
    "SemanticScore",
    "SequenceStatistics",
    "ShotCounts",
    "ShotScore",
    "TrackingMeasure",
    "TrackingScore",
    "TrackingSequence",
    "TransitionScore",
    "achievable_accuracy",
    "add_video",
    "assigned_scores",
    "boundary_accuracy",
    "boundary_benchmark",
    "boundary_counts",
    "boundary_recall",
    "boundary_score",
    "box_overlaps",
    "box_sequence",
    "change_counts",
    "change_score",
    "compactness",
    "confusion_matrix",
    "divided_segments",
    "endpoint_error",
    "explained_variation",
    "flow_accuracy",
    "flow_error_counts",
    "from_first_frame",
    "higher_order_tracking_accuracy",
    "identity_accuracy",
    "identity_switches",
    "interactive_accuracy",
    "label_consistency",
    "label_overlaps",
    "label_sequence",
    "mask_flicker",
    "match_boundaries",
    "match_segments",
    "match_transitions",
    "matched_frames",
    "mean_duration",
    "mean_of_windows",
    "motion_boundaries",
    "near_motion_boundaries",
    "object_similarity",
    "outline_change",
    "outline_shape",
    "pair_scores",
    "probabilistic_rand_index",
    "rand_index",
    "region_benchmark",
    "region_scores",
    "region_similarity",
    "same_id_scores",
    "segment_boundary",
    "segment_pairs",
    "segmentation_accuracy",
    "segmentation_covering",
    "semantic_score",
    "sequence_statistics",
    "shot_counts",
    "shot_score",
    "size_variation",
    "speed_regions",
    "summed_pairs",
    "temporal_stability",
    "thin_boundary",
    "tracking_accuracy",
    "tracking_sequence",
    "transitions_of_cuts",
    "undersegmentation_error",
    "variation_of_information",
    "video_consistency",
    "volume_leakage",
    "without_wrong_depth",
]
