"""Arrow tables written as text and files. Every format has the same cells."""
