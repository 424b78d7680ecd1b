"""Tracking: stable numbers for regions over time. Knows tables and label maps, no videos."""

from cvseg.tracking.kalman_filter import BoxKalmanFilter, KalmanOptions
from cvseg.tracking.tracker import TrackedFrame, Tracker, TrackerOptions

__all__ = ["BoxKalmanFilter", "KalmanOptions", "TrackedFrame", "Tracker", "TrackerOptions"]
