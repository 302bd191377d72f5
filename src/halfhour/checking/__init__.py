"""Check what a sync and a report need, from the settings to the store, and say what to do."""
