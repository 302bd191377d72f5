"""Load the windows of a store into a warehouse, each with its row in a ledger."""
