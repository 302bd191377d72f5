"""Bodies of queries, parsed and checked: a frozen query, or the error that the API gives."""
