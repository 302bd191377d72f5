"""Arrow tables as text and files. Every format prints the same cells."""
