"""The dashboard: one page over a store, which it only reads."""
