"""Reports: answer a question from a store or from the API, as an Arrow table."""
