"""Reports: answer a named question from a store or from the API, as an Arrow table."""
