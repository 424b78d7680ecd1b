"""Whole runs through the command line."""
