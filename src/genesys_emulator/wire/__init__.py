"""Forms of the real API: timestamps, error bodies, endpoints, and the words that it knows."""
