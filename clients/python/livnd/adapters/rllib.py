"""Environments for RLlib's env runners: single ones, or all copies of a runner in one session.

    from livnd.adapters import rllib
    config = PPOConfig().environment(rllib.register("livnd/TargetRate-EI-mini-v0"))
    config.env_runners(num_envs_per_env_runner=8, gym_env_vectorize_mode="vector_entry_point")

Needs ray (pip install 'livnd[rllib]').
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium

from livnd import checks, extras

_tune = extras.load("ray.tune", "rllib", "livnd.adapters.rllib")


def register(id: str, **options: Any) -> str:
    """Makes an environment known to RLlib on every machine of the cluster; returns its name there.

    With gym_env_vectorize_mode="vector_entry_point" the copies of an env runner are in one session
    and stepped by one call; with "sync" and "async" they are single environments.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", or the server's own, "TargetRate-EI-mini-v0".
        **options: more of RemoteEnv's and RemoteVectorEnv's: address, threads, render_mode ... What
            RLlib's env_config names counts before them. Without an address each runner has a server
            of its own, for which threads=1 leaves room to the others.
    """
    environment_id = checks.text("id", id).rpartition("/")[2]
    name = f"livnd/{environment_id}"
    _tune.register_env(name, _Maker(environment_id, options))
    return name


class _Maker:
    """Makes what RLlib asks for; it is sent to the runners."""

    def __init__(self, environment_id: str, options: dict[str, Any]) -> None:
        self._environment_id = environment_id
        self._options = options

    def __call__(self, config: Mapping[str, Any]) -> Any:
        # A runner imports nothing but what it is sent.
        from livnd import register as known_to_gymnasium
        from livnd.gym.vector import RemoteVectorEnv

        options = self._options | dict(config)
        num_envs = options.pop("num_envs", None)
        if num_envs is None:
            return gymnasium.make(known_to_gymnasium(self._environment_id), **options)
        return RemoteVectorEnv(num_envs, self._environment_id, **options)
