"""Masks: their edges, forms and storage."""
