"""Worked time on a cluster: Spark reads the files, and runs the rules of `model/sql`."""
