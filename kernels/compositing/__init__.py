"""Laying one picture over another."""
