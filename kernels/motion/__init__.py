"""What moves against the camera."""
