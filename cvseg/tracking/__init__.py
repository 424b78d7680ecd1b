"""Tracking: stable numbers for regions over time. Knows tables and label maps, no videos."""

from cvseg.tracking.kalman_filter import BoxKalmanFilter, KalmanOptions
from cvseg.tracking.tracked_frame import TrackedFrame
from cvseg.tracking.tracker import Tracker
from cvseg.tracking.tracker_options import TrackerOptions

__all__ = ["BoxKalmanFilter", "KalmanOptions", "TrackedFrame", "Tracker", "TrackerOptions"]
