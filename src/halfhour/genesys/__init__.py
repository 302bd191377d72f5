"""Genesys: the client of the API. It knows HTTP, and neither tables nor a store."""
