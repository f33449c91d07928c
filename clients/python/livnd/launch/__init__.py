"""Starts servers, here or on many machines, runs a command on them, and ends them again.

    python -m livnd.launch local --workers 2 -- python ppo.py

docs/fleet.md tells how; `python -m livnd.launch --help` lists the options.
"""
