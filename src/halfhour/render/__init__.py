"""Arrow tables as text. Every format prints the same cells."""
