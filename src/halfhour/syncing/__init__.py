"""Syncing: plan which days to fetch, fetch them, and settle each in the store."""
