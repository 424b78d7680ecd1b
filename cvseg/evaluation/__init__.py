"""Measures of accuracy: arrays in, numbers and frozen records out."""

from cvseg.evaluation.boundary_accuracy import BoundaryScore, boundary_accuracy, boundary_score
from cvseg.evaluation.change_accuracy import ChangeCounts, ChangeScore, change_counts, change_score
from cvseg.evaluation.endpoint_error import FlowAccuracy, endpoint_error, flow_accuracy
from cvseg.evaluation.higher_order_tracking_accuracy import HigherOrderScore, higher_order_tracking_accuracy
from cvseg.evaluation.identity_accuracy import IdentityScore, identity_accuracy
from cvseg.evaluation.overlaps import ObjectOverlaps, box_overlaps, label_overlaps
from cvseg.evaluation.region_similarity import (
    SequenceStatistics,
    object_similarity,
    region_similarity,
    sequence_statistics,
)
from cvseg.evaluation.semantic_accuracy import (
    SemanticMeasure,
    SemanticScore,
    confusion_matrix,
    semantic_score,
    video_consistency,
)
from cvseg.evaluation.tracking_accuracy import (
    FrameMatches,
    TrackingMeasure,
    TrackingScore,
    identity_switches,
    matched_frames,
    tracking_accuracy,
)
from cvseg.evaluation.tracking_data import TrackingSequence, box_sequence, label_sequence, tracking_sequence

__all__ = [
    "BoundaryScore",
    "ChangeCounts",
    "ChangeScore",
    "FlowAccuracy",
    "FrameMatches",
    "HigherOrderScore",
    "IdentityScore",
    "ObjectOverlaps",
    "SemanticMeasure",
    "SemanticScore",
    "SequenceStatistics",
    "TrackingMeasure",
    "TrackingScore",
    "TrackingSequence",
    "boundary_accuracy",
    "boundary_score",
    "box_overlaps",
    "box_sequence",
    "change_counts",
    "change_score",
    "confusion_matrix",
    "endpoint_error",
    "flow_accuracy",
    "higher_order_tracking_accuracy",
    "identity_accuracy",
    "identity_switches",
    "label_overlaps",
    "label_sequence",
    "matched_frames",
    "object_similarity",
    "region_similarity",
    "semantic_score",
    "sequence_statistics",
    "tracking_accuracy",
    "tracking_sequence",
    "video_consistency",
]
