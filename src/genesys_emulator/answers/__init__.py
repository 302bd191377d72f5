"""Answers as JSON-ready data: aggregates, details, users, and the lists of the directory."""
