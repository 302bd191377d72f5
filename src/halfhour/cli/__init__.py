"""Command line: commands, their options, and everything said on stderr."""
