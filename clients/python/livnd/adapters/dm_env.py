"""A served environment as a dm_env.Environment.

    from livnd.adapters import dm_env
    environment = dm_env.make("livnd/TargetRate-EI-mini-v0", seed=1)
    timestep = environment.reset()

Needs dm_env (pip install 'livnd[dm_env]').
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livnd import checks, extras
from livnd.gym.env import RemoteEnv

_dm_env = extras.load("dm_env", "dm_env", "livnd.adapters.dm_env")
_specs = extras.load("dm_env.specs", "dm_env", "livnd.adapters.dm_env")


class Environment(_dm_env.Environment):  # type: ignore[name-defined]
    """Episodes as dm_env's time steps: FIRST, MID ..., LAST; the step after LAST is a FIRST.

    The discount of a LAST step is 0 where the task has ended and 1 where a limit has cut the
    episode, so that a learner knows whether to go on from its last observation.

    Args:
        env: closed by close().
        seed: of the first reset; the episodes after it follow from it. None: random.

    Attributes:
        env: as given.
        info: what the last reset or step told beside the time step.
    """

    def __init__(self, env: RemoteEnv, seed: int | None = None) -> None:
        self.env = env
        self.info: dict[str, Any] = {}
        self._seed = None if seed is None else checks.seed("seed", seed)
        self._runs = False

    def reset(self) -> Any:
        """Starts an episode; a FIRST step, with the observation alone."""
        observation, self.info = self.env.reset(seed=self._seed)
        self._seed = None
        self._runs = True
        return _dm_env.restart(observation)

    def step(self, action: Any) -> Any:
        """One step of the environment; a reset, whatever the action, where no episode runs.

        Raises:
            InvalidFieldError: wrong shape, NaN or out of bounds; nothing has changed.
        """
        if not self._runs:
            return self.reset()
        observation, reward, terminated, truncated, self.info = self.env.step(action)
        self._runs = not (terminated or truncated)
        if terminated:
            return _dm_env.termination(reward, observation)
        if truncated:
            return _dm_env.truncation(reward, observation)
        return _dm_env.transition(reward, observation)

    def observation_spec(self) -> Any:
        """A BoundedArray; `env.environment_spec` has the names of its elements."""
        (tensor,) = self.env.environment_spec.observations
        return _bounded(self.env.observation_space, tensor.name)

    def action_spec(self) -> Any:
        """A BoundedArray; `env.environment_spec` has the names of its elements."""
        (tensor,) = self.env.environment_spec.actions
        return _bounded(self.env.action_space, tensor.name)

    def reward_spec(self) -> Any:
        """A float64 scalar."""
        return _specs.Array(shape=(), dtype=np.float64, name="reward")

    def discount_spec(self) -> Any:
        """A float64 scalar, 0 .. 1."""
        return _specs.BoundedArray((), np.float64, minimum=0.0, maximum=1.0, name="discount")

    def close(self) -> None:
        """Ends the session and, where it was the last user, the own server. Idempotent."""
        self.env.close()


def _bounded(space: Any, name: str) -> Any:
    return _specs.BoundedArray(space.shape, space.dtype, space.low, space.high, name)


def make(id: str, *, seed: int | None = None, **options: Any) -> Environment:
    """An environment by its id.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", or the server's own, "TargetRate-EI-mini-v0".
        seed: of the first reset; None: random.
        **options: more of RemoteEnv's: address, threads, session, pace ...

    Raises:
        InvalidFieldError: the seed is out of range.
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """
    if seed is not None:
        seed = checks.seed("seed", seed)
    environment_id = checks.text("id", id).rpartition("/")[2]
    return Environment(RemoteEnv(environment_id, **options), seed)
