"""Dense optical flow."""
