"""Model: what words and numbers mean. Values only, no I/O."""
