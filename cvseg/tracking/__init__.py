"""Tracking: stable numbers for regions over time. Knows tables and label maps, no videos."""

from cvseg.tracking.box_tracker import BoxTracker
from cvseg.tracking.box_tracker_options import BoxMotionOptions, BoxTrackerOptions, OfflineOptions
from cvseg.tracking.kalman_filter import BoxKalmanFilter, KalmanOptions
from cvseg.tracking.offline_tracks import track_boxes, track_boxes_online
from cvseg.tracking.particle_estimate import ParticleEstimate
from cvseg.tracking.particle_filter import ParticleFilter
from cvseg.tracking.particle_options import ParticleOptions
from cvseg.tracking.particle_tracker import ParticleTracker
from cvseg.tracking.resampling import effective_count, systematic_resample
from cvseg.tracking.track_motion import TrackPath, read_homography, track_paths
from cvseg.tracking.tracked_boxes import TrackedBoxes
from cvseg.tracking.tracked_frame import TrackedFrame
from cvseg.tracking.tracker import Tracker
from cvseg.tracking.tracker_options import TrackerOptions
from cvseg.tracking.zones import Line, Zone, line_passages, zone_passages

__all__ = [
    "BoxKalmanFilter",
    "BoxMotionOptions",
    "BoxTracker",
    "BoxTrackerOptions",
    "KalmanOptions",
    "Line",
    "OfflineOptions",
    "ParticleEstimate",
    "ParticleFilter",
    "ParticleOptions",
    "ParticleTracker",
    "TrackPath",
    "TrackedBoxes",
    "TrackedFrame",
    "Tracker",
    "TrackerOptions",
    "Zone",
    "effective_count",
    "line_passages",
    "read_homography",
    "systematic_resample",
    "track_boxes",
    "track_boxes_online",
    "track_paths",
    "zone_passages",
]
