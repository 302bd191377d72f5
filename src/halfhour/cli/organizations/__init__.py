"""Sync several organisations, each in a process of its own."""
