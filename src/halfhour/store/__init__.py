"""Store: one DuckDB file that holds what was fetched, and how far that is complete."""
