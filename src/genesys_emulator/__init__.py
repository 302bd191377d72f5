"""A Genesys Cloud on this machine: it answers as the real API does, oddities included."""
