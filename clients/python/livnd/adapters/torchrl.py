"""TorchRL's environments on a session: copies that TorchRL resets, stepped by one call.

    from livnd.adapters import torchrl
    env = torchrl.make("livnd/TargetRate-EI-mini-v0", num_envs=16, seed=1)
    rollout = env.rollout(100, break_when_any_done=False)

Needs torchrl (pip install 'livnd[torchrl]').
"""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from livnd import checks, extras
from livnd.fleet.entry import vector_env
from livnd.gym.batch import BatchEnv
from livnd.gym.env import RemoteEnv

_envs = extras.load("torchrl.envs", "torchrl", "livnd.adapters.torchrl")


def make(id: str, num_envs: int | None = None, *, seed: int | None = None, **options: Any) -> Any:
    """A GymWrapper over an environment, or over num_envs copies in one session.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", or the server's own, "TargetRate-EI-mini-v0".
        num_envs: how many copies, the batch size of all that the environment gives; None: a single
            environment, which has none.
        seed: what set_seed() is given, which resets: copy i gets seed + i, and what TorchRL resets
            after it follows from that. None: random.
        **options: more of RemoteEnv's or RemoteVectorEnv's: address, threads, render_mode,
            max_episode_steps of copies; of copies also FleetVectorEnv's: addresses. `device` is
            TorchRL's.

    Returns:
        A torchrl.envs.GymWrapper, which resets what has ended by itself.

    Raises:
        InvalidFieldError: one of these is out of range.
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """
    environment_id = checks.text("id", id).rpartition("/")[2]
    if seed is not None:
        seed = checks.seed("seed", seed)
    device = options.pop("device", None)
    env: RemoteEnv | BatchEnv
    if num_envs is None:
        env = RemoteEnv(environment_id, **options)
    else:
        env = vector_env(num_envs, environment_id, autoreset_mode=AutoresetMode.DISABLED, **options)
    wrapped = _envs.GymWrapper(env, device=device)
    if seed is not None:
        wrapped.set_seed(seed)
    return wrapped
