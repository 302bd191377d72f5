"""The HTTP side: one module of handlers per group of endpoints, and the server that runs them."""
