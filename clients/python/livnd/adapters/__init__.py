"""Served environments as other libraries want them."""
