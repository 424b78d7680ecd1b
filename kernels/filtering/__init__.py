"""Local filters of one image."""
