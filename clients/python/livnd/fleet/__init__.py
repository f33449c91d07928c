"""Copies of an environment over many servers, as one vector environment.

    envs = livnd.make_vec("TargetRate-EI-mini-v0", num_envs=16, addresses=["a:50051", "b:50051"])

is gymnasium.make_vec("livnd/...", num_envs=16, addresses=...), and gives, bit for bit, what one
server with 16 copies gives. docs/fleet.md tells what there is around it.
"""
