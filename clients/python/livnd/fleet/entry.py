"""What gymnasium.make_vec("livnd/...") calls: one server's copies, or a fleet's."""

from __future__ import annotations

from typing import Any

from livnd import checks
from livnd.fleet.places import places
from livnd.fleet.vector import FleetVectorEnv
from livnd.gym.vector import RemoteVectorEnv

# What asks for one server.
_OF_ONE = ("address", "threads", "systems", "session")


def vector_env(num_envs: int, environment_id: str, **options: Any) -> Any:
    """A FleetVectorEnv where there are `addresses`, given or in the environment.

    What asks for one server (address, threads, systems, session) wins over the environment.

    Raises:
        InvalidFieldError: both are given.
        And what the two raise.
    """
    addresses = options.pop("addresses", None)
    of_one = next((name for name in _OF_ONE if options.get(name) is not None), None)
    if of_one is not None:
        if addresses is not None:
            raise checks.wrong("addresses", addresses, f"None beside {of_one}")
    elif addresses is not None or places(None):
        for name in _OF_ONE:
            options.pop(name, None)
        return FleetVectorEnv(num_envs, environment_id, addresses, **options)
    return RemoteVectorEnv(num_envs, environment_id, **options)
