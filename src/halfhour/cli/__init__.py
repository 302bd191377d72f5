"""The command line: commands, their options, and all messages on stderr."""
