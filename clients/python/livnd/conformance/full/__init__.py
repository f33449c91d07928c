"""Cases of the full level, beyond the core."""
