"""Reach a host: trusted certificates, proxies, and the reasons why a connection fails."""
