"""Ingest: answers of the API, or files of them, become Arrow tables."""
