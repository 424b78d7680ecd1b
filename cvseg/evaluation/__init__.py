"""Measures of accuracy: arrays in, numbers and frozen records out."""

from cvseg.evaluation.boundary_accuracy import BoundaryScore, boundary_accuracy, boundary_score
from cvseg.evaluation.endpoint_error import FlowAccuracy, endpoint_error, flow_accuracy
from cvseg.evaluation.region_similarity import (
    SequenceStatistics,
    object_similarity,
    region_similarity,
    sequence_statistics,
)
from cvseg.evaluation.tracking_accuracy import (
    ObjectOverlaps,
    TrackingMeasure,
    TrackingScore,
    box_overlaps,
    identity_switches,
    label_overlaps,
)

__all__ = [
    "BoundaryScore",
    "FlowAccuracy",
    "ObjectOverlaps",
    "SequenceStatistics",
    "TrackingMeasure",
    "TrackingScore",
    "boundary_accuracy",
    "boundary_score",
    "box_overlaps",
    "endpoint_error",
    "flow_accuracy",
    "identity_switches",
    "label_overlaps",
    "object_similarity",
    "region_similarity",
    "sequence_statistics",
]
