"""Environments for learners that wait for none in particular: EnvPool's send and recv.

    from livnd.adapters import asynchronous

    envs = asynchronous.make("TargetRate-EI-mini-v0", num_envs=64, batch_size=16)
    envs.async_reset(seed=1)
    while learning:
        observations, rewards, terminated, truncated, info = envs.recv()  # of the first 16 done
        envs.send(policy(observations), info["env_id"])

Which copies a batch holds depends on who is done first; what each copy does, does not: its trace is
that of the same copy of gymnasium.make_vec().
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from livnd import checks
from livnd.client import Client
from livnd.errors import LivndError, NothingSentError
from livnd.gym import batch, spaces
from livnd.gym.renewable_session import RenewableSession

Batch = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class _Told:
    """What one copy has answered, to a reset or a step; every array's first axis is the copy's."""

    env_id: int
    observations: np.ndarray
    infos: dict[str, np.ndarray]
    seeds: np.ndarray
    began: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_observations: np.ndarray | None = None
    final_infos: dict[str, np.ndarray] = field(default_factory=dict)


class AsynchronousEnvs:
    """num_envs copies, each stepped by itself; made by make(). One caller at a time.

    A copy has at most one action under way: what recv() gave may be sent again. Autoreset happens
    on the server. Where the server ends and comes back, or the connection breaks, nothing is lost
    and nothing done twice, as with every client.

    Attributes:
        num_envs, batch_size: as given.
        environment_spec: names, units, bounds and settings, as the server describes them.
        single_observation_space, single_action_space: of one copy.
        observation_space, action_space: of a batch.
        autoreset_mode: as given.
    """

    def __init__(
        self,
        environment_id: str,
        num_envs: int,
        batch_size: int | None,
        autoreset_mode: AutoresetMode | str,
        max_episode_steps: int | None,
        pace: str | float | None,
        options: dict[str, Any],
    ) -> None:
        self.autoreset_mode = batch.autoreset_mode_of(autoreset_mode)
        limit = batch.episode_limit(max_episode_steps)
        self._client = Client(**options)
        try:
            most = self._client.server_info().max_sessions
            self.num_envs = checks.integer("num_envs", num_envs, f"1 .. {most}", 1, most + 1)
            self.batch_size = self.num_envs
            if batch_size is not None:
                accepted = f"None or 1 .. num_envs, {self.num_envs}"
                self.batch_size = checks.integer(
                    "batch_size", batch_size, accepted, 1, self.num_envs + 1
                )
            self.environment_spec = self._client.environment(environment_id)
            self.single_observation_space = spaces.observation_space(self.environment_spec)
            self.single_action_space = spaces.action_space(self.environment_spec)
            self.observation_space = batch_space(self.single_observation_space, self.batch_size)
            self.action_space = batch_space(self.single_action_space, self.batch_size)
            mode = batch.MODE_NAMES[self.autoreset_mode]
            self._copies = [
                RenewableSession(self._client, environment_id, 1, mode, limit, pace)
                for _ in range(self.num_envs)
            ]
            self._stream = self._client.step_stream()
        except BaseException:
            self._client.close()
            raise
        self._told: deque[_Told] = deque()  # in the order in which they came
        self._under_way: set[int] = set()  # copies that have been sent something
        self._owner_of: dict[str, int] = {}  # copies by their session's name

    @property
    def num_under_way(self) -> int:
        """How many copies have been sent something that recv() has still to tell of."""
        return len(self._under_way)

    def async_reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
        env_ids: Sequence[int] | None = None,
    ) -> None:
        """Starts an episode in every copy, or in those that are named; recv() tells of it.

        What was under way is received before, and forgotten. Where a session is gone, a new one is
        made. Copies that are reset show reward 0 and no end.

        Args:
            seed: s gives the copies s, s + 1, ... (with env_ids: the first of them s); a list has
                one entry for each copy that is reset; None continues a copy's stream.
            options: numbers by the names in environment_spec.reset_options.
            env_ids: which copies; None for all.

        Raises:
            InvalidFieldError: a seed, option or number of a copy is wrong.
            ServerUnavailableError.
        """
        copies = list(range(self.num_envs)) if env_ids is None else self._ids(env_ids)
        seeds = batch.seeds_of(seed, len(copies))
        options = dict(checks.mapping("options", {} if options is None else options, "numbers"))
        self._settle(set(copies))
        for copy, its_seed in zip(copies, seeds, strict=True):
            result = self._copies[copy].reset([its_seed], options=options)
            self._owner_of[self._copies[copy].name] = copy
            self._under_way.add(copy)
            self._told.append(
                _Told(
                    env_id=copy,
                    observations=result.observations[0],
                    infos=result.infos,
                    seeds=result.seeds,
                    began=np.ones(1, np.bool_),
                    rewards=np.zeros(1),
                    terminated=np.zeros(1, np.bool_),
                    truncated=np.zeros(1, np.bool_),
                )
            )

    def send(self, actions: Any, env_ids: Sequence[int]) -> None:
        """Has copies step, without waiting for them.

        Args:
            actions: float32 [number of copies, *action shape], a row for each of env_ids.
            env_ids: which copies; none that is under way.

        Raises:
            InvalidFieldError: wrong shapes, or a copy that is under way; nothing was sent.
            gymnasium.error.ResetNeeded: a copy was never reset.
        """
        copies = self._ids(env_ids)
        (spec,) = self.environment_spec.actions
        shape = (len(copies), *spec.shape)
        accepted = f"{spec.dtype} of shape {shape}"
        rows = checks.array(spec.name, actions, spec.dtype, accepted)
        if rows.shape != shape:
            raise checks.wrong(spec.name, rows, accepted)
        for copy in copies:
            if copy in self._under_way:
                raise checks.wrong("env_ids", copy, "copies whose last answer was received")
        sessions = [self._copies[copy].session for copy in copies]
        for copy, session, row in zip(copies, sessions, rows, strict=True):
            self._stream.send(session, row[np.newaxis])
            self._under_way.add(copy)

    def recv(self) -> Batch:
        """The next batch_size answers, as they come: each copy's to its last reset or action.

        Returns:
            observations [batch_size, *shape], rewards float64 [batch_size], terminated and
            truncated bool [batch_size], info in Gymnasium's vector form, with `env_id`, int64
            [batch_size]: whose row it is.

        Raises:
            NothingSentError: fewer copies than that are under way.
            LivndError: a copy's step failed, as RemoteVectorEnv.step; `env_id` in its metadata
                says whose. The copy waits for another action or a reset; other copies' answers
                are received by the next call.
        """
        if len(self._under_way) < self.batch_size:
            raise NothingSentError(
                f"recv() takes {self.batch_size} answers, {len(self._under_way)} are under way",
                reason="NOTHING_SENT",
                code="FAILED_PRECONDITION",
            )
        while len(self._told) < self.batch_size:
            self._told.append(self._next())
        batch = [self._told.popleft() for _ in range(self.batch_size)]
        self._under_way.difference_update(told.env_id for told in batch)
        return _batch(batch)

    def step(self, actions: Any, env_ids: Sequence[int]) -> Batch:
        """send() and recv()."""
        self.send(actions, env_ids)
        return self.recv()

    def close(self) -> None:
        """Ends the sessions and, where it was the last user, the own server. Idempotent."""
        self._stream.close()
        self._client.close()

    def __enter__(self) -> AsynchronousEnvs:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _next(self) -> _Told:
        """One answer of the stream's."""
        try:
            session, result = self._stream.recv()
        except LivndError as error:
            if error.session is not None:
                copy = self._owner_of[error.session.name]
                self._under_way.discard(copy)
                error.metadata["env_id"] = str(copy)
            raise
        return _Told(
            env_id=self._owner_of[session.name],
            observations=result.observations[0],
            infos=result.infos,
            seeds=result.episode_seeds,
            began=result.began,
            rewards=result.rewards,
            terminated=result.terminated,
            truncated=result.truncated,
            final_observations=next(iter(result.final_observations), None),
            final_infos=result.final_infos,
        )

    def _settle(self, copies: set[int]) -> None:
        """Receives what these copies have under way, and forgets it."""
        while copies & self._under_way - {told.env_id for told in self._told}:
            try:
                self._told.append(self._next())
            except LivndError as error:
                if error.session is None:
                    raise
        self._told = deque(told for told in self._told if told.env_id not in copies)
        self._under_way -= copies

    def _ids(self, env_ids: Sequence[int]) -> list[int]:
        accepted = f"different numbers of copies, 0 .. {self.num_envs - 1}"
        ids = checks.integers("env_ids", env_ids, accepted)
        inside = ids.ndim == 1 and ids.size > 0 and ids.min() >= 0 and ids.max() < self.num_envs
        if not inside or len(set(ids.tolist())) != ids.size:
            raise checks.wrong("env_ids", env_ids, accepted)
        return ids.tolist()


def _batch(batch: list[_Told]) -> Batch:
    rewards, terminated, truncated, seeds, began = (
        np.concatenate([getattr(told, name) for told in batch])
        for name in ("rewards", "terminated", "truncated", "seeds", "began")
    )
    infos = {name: np.concatenate([t.infos[name] for t in batch]) for name in batch[0].infos}
    final = None
    ended = [told for told in batch if told.final_observations is not None]
    if ended:
        final = spaces.final_info(
            np.concatenate([told.final_observations for told in ended]),
            {
                name: np.concatenate([told.final_infos[name] for told in ended])
                for name in ended[0].final_infos
            },
            np.array([told.final_observations is not None for told in batch]),
        )
    everyone = np.ones(len(batch), np.bool_)
    info = spaces.vector_info(infos, everyone, seeds, began, final)
    info["env_id"] = np.array([told.env_id for told in batch])
    observations = np.concatenate([told.observations for told in batch])
    return observations, rewards, terminated, truncated, info


def make(
    id: str,
    num_envs: int = 1,
    *,
    batch_size: int | None = None,
    address: str | None = None,
    threads: int | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    max_episode_steps: int | None = None,
    pace: str | float | None = None,
    **options: Any,
) -> AsynchronousEnvs:
    """Copies that are stepped one by one, each in a session of its own, over one connection.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", as Gymnasium's, or the server's own,
            "TargetRate-EI-mini-v0".
        num_envs: how many copies.
        batch_size: how many answers recv() gives at once; None: num_envs.
        address: "unix:PATH" or "HOST:PORT" of a server; None for this process's own one.
        threads: how many of an own server's shall simulate.
        autoreset_mode: an AutoresetMode, or its value.
        max_episode_steps: truncates episodes after so many steps.
        pace: how culture time goes by; as Client.create_session.
        **options: more of livnd.Client's.

    Raises:
        InvalidFieldError: one of these is out of range.
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """
    environment_id = checks.text("id", id).rpartition("/")[2]
    options |= {"address": address, "threads": threads}
    return AsynchronousEnvs(
        environment_id, num_envs, batch_size, autoreset_mode, max_episode_steps, pace, options
    )
