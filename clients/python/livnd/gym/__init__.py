"""Served environments as Gymnasium's Env and VectorEnv."""
