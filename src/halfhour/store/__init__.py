"""Store: one DuckDB file with the fetched data and the record of how complete it is."""
