"""State that changes while the emulator runs: clock, tokens, jobs, cursors, faults, request log."""
