"""Stable-Baselines3's VecEnv over one session, or a fleet's: one call steps all copies.

    from livnd.adapters import sb3
    model = stable_baselines3.PPO("MlpPolicy", sb3.make("livnd/TargetRate-EI-mini-v0", 16))

Needs stable_baselines3 (pip install 'livnd[sb3]').
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from livnd import checks, extras
from livnd.errors import invalid_field
from livnd.fleet.entry import vector_env
from livnd.gym.batch import BatchEnv

_vec_env = extras.load("stable_baselines3.common.vec_env", "sb3", "livnd.adapters.sb3")


class RemoteVecEnv(_vec_env.VecEnv):  # type: ignore[name-defined]
    """What DummyVecEnv over as many single environments is, bit for bit, in one call a step.

    Copies that end are reset in the same step: infos[i]["terminal_observation"] has what they
    showed last, and "TimeLimit.truncated" whether a limit alone ended them. seed() and
    set_options() count for the next reset(). get_attr(), set_attr() and env_method() see each copy
    as a Copy.

    Args:
        envs: with autoreset_mode SAME_STEP; closed by close().

    Raises:
        InvalidFieldError: envs has another mode.
    """

    def __init__(self, envs: BatchEnv) -> None:
        if envs.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise checks.wrong("autoreset_mode", envs.autoreset_mode.value, "SameStep")
        self.envs = envs
        self.copies = [Copy(self, index) for index in range(envs.num_envs)]
        self._actions: np.ndarray | None = None
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> np.ndarray:
        """Starts an episode in every copy, with what seed() and set_options() said last.

        Raises:
            InvalidFieldError: a seed or an option is out of range, or copies got different options.
        """
        options = self._options[0]
        if any(other != options for other in self._options):
            raise invalid_field("options", "different ones", "the same for every copy")
        observations, infos = self.envs.reset(seed=list(self._seeds), options=options)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = _rows(infos, self.num_envs)
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Takes the actions of the next step_wait()."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Observations, float32 rewards, dones, and an info of each copy."""
        observations, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        dones = terminated | truncated
        ends = infos.pop("final_info", {}), infos.pop("final_obs", None)
        for name in ("_final_info", "_final_obs"):
            infos.pop(name, None)
        rows = _rows(infos, self.num_envs)
        if dones.any():
            last = _rows(ends[0], self.num_envs)
            for copy in np.flatnonzero(dones):
                self.reset_infos[copy] = rows[copy]
                rows[copy] = last[copy] | {"terminal_observation": ends[1][copy]}
        for row, is_truncated in zip(rows, (truncated & ~terminated).tolist(), strict=True):
            row["TimeLimit.truncated"] = is_truncated
        return observations, rewards.astype(np.float32), dones, rows

    def close(self) -> None:
        """Ends the session and, where it was the last user, the own server. Idempotent."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """An attribute of copies. AttributeError: a Copy has none of this name."""
        return [getattr(copy, attr_name) for copy in self._chosen(indices)]

    def set_attr(
        self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None
    ) -> None:
        """Sets an attribute of copies; the server does not learn of it."""
        for copy in self._chosen(indices):
            setattr(copy, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: int | Iterable[int] | None = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Calls a method of copies. AttributeError: a Copy has none of this name."""
        return [
            getattr(copy, method_name)(*method_args, **method_kwargs)
            for copy in self._chosen(indices)
        ]

    def env_is_wrapped(
        self, wrapper_class: type, indices: int | Iterable[int] | None = None
    ) -> list[bool]:
        """False of each: there are no single environments to wrap. VecMonitor wraps them all."""
        return [False for _ in self._chosen(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """A frame of each copy; with render_mode "rgb_array"."""
        return self.envs.render() or [None] * self.num_envs

    def _chosen(self, indices: int | Iterable[int] | None) -> list[Copy]:
        return [self.copies[index] for index in self._get_indices(indices)]


class Copy:
    """One copy as tools that look for single environments see it.

    Attributes:
        episode_seed: of its running episode.
        render_mode, metadata, spec, environment_spec: of the vector environment.
        observation_space, action_space: one copy's.
        unwrapped: itself.
    """

    def __init__(self, vec_env: RemoteVecEnv, index: int) -> None:
        envs = vec_env.envs
        self._envs, self._index = envs, index
        self.render_mode = envs.render_mode
        self.metadata = envs.metadata
        self.spec = envs.spec
        self.environment_spec = envs.environment_spec
        self.observation_space = envs.single_observation_space
        self.action_space = envs.single_action_space

    @property
    def unwrapped(self) -> Copy:
        return self

    @property
    def episode_seed(self) -> int:
        return int(self._envs.episode_seeds[self._index])

    def get_wrapper_attr(self, name: str) -> Any:
        """As a gymnasium.Env's."""
        return getattr(self, name)

    def render(self) -> Any:
        """This copy's part of what the vector environment renders."""
        frames = self._envs.render()
        return None if frames is None else frames[self._index]

    def snapshot(self) -> bytes:
        """As RemoteEnv.snapshot()."""
        return self._envs.snapshot([self._index])

    def restore(self, snapshot: bytes) -> None:
        """As RemoteEnv.restore(); the other copies stay as they are."""
        copy_of = [-1] * self._envs.num_envs
        copy_of[self._index] = 0
        self._envs.restore(snapshot, copy_of)


def _rows(infos: dict[str, Any], num_envs: int) -> list[dict[str, Any]]:
    """Gymnasium's vector form as a dict of each copy, with what its masks say is there."""
    rows: list[dict[str, Any]] = [{} for _ in range(num_envs)]
    for name, values in infos.items():
        if name.startswith("_"):
            continue
        # The seed of an episode stays NumPy's, as in a single environment's info.
        cells = values if name == "episode_seed" or values.ndim > 1 else values.tolist()
        for row, cell, is_there in zip(rows, cells, infos[f"_{name}"].tolist(), strict=True):
            if is_there:
                row[name] = cell
    return rows


def make(
    id: str,
    num_envs: int = 1,
    *,
    seed: int | None = None,
    monitor_path: str | None = None,
    **options: Any,
) -> Any:
    """A VecEnv of num_envs copies that tells of its episodes, as make_vec_env(id, num_envs) does.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", or the server's own, "TargetRate-EI-mini-v0".
        num_envs: how many copies.
        seed: of the first reset; copy i gets seed + i.
        monitor_path: file for VecMonitor's rows, one an episode; None: none is written.
        **options: more of RemoteVectorEnv's: address, threads, render_mode, max_episode_steps ...;
            or of FleetVectorEnv's: addresses.

    Returns:
        A VecMonitor over a RemoteVecEnv.

    Raises:
        InvalidFieldError: one of these is out of range.
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """
    if seed is not None:
        seed = checks.seed("seed", seed)
    environment_id = checks.text("id", id).rpartition("/")[2]
    envs = vector_env(num_envs, environment_id, autoreset_mode=AutoresetMode.SAME_STEP, **options)
    vec_env = _vec_env.VecMonitor(RemoteVecEnv(envs), monitor_path)
    if seed is not None:
        vec_env.seed(seed)
    return vec_env
