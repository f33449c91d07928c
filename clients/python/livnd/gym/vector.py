"""Served environments as a gymnasium.vector.VectorEnv: N copies, one call a step."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from livnd import checks
from livnd.client import Client
from livnd.errors import invalid_field
from livnd.gym import spaces
from livnd.gym.render import MODES, Renderer
from livnd.gym.renewable_session import RenewableSession
from livnd.pace import PaceReport
from livnd.series import SeriesSelection

# The protocol's names.
MODE_NAMES = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "disabled",
}


class RemoteVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """num_envs copies in one session; usually made by gymnasium.make_vec("livnd/...", num_envs=N).

    Autoreset happens on the server. Observations, rewards, ends and infos are, bit for bit, those
    of gymnasium.vector.SyncVectorEnv over num_envs single environments. Where the session is gone,
    reset() of all copies goes on with a new one. A copy or a pickle of it goes on where it is, as
    RemoteEnv's.

    Args:
        num_envs: 1 .. the server's max_envs_per_session.
        environment_id, address, render_mode, threads, session, pace, options: as RemoteEnv.
        autoreset_mode: an AutoresetMode, or its value ("NextStep", "SameStep", "Disabled"). Under
            SAME_STEP infos["final_obs"] and ["final_info"] show the end of what ended. DISABLED
            leaves it to the caller to reset what has ended (options["reset_mask"]).
        max_episode_steps: truncates episodes after so many steps, as TimeLimit does; None and -1
            leave it to the server, whose own limit counts in any case.

    Attributes:
        environment_spec, metadata: as RemoteEnv.
        autoreset_mode: as given.
        episode_seeds: uint64 [num_envs], of the running episodes. Where reset() or an autoreset
            began one, infos["episode_seed"] tells it too.

    Raises:
        InvalidFieldError: num_envs, autoreset_mode or max_episode_steps is out of range, or not
            the session's.
        UnknownEnvironmentError, UnknownSessionError, ServerUnavailableError, ServerStartError.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": list(MODES),
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int,
        environment_id: str,
        address: str | None = None,
        render_mode: str | None = None,
        threads: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        session: str | None = None,
        pace: str | float | None = None,
        **options: Any,
    ) -> None:
        self.render_mode = render_mode
        self.autoreset_mode = autoreset_mode_of(autoreset_mode)
        limit = episode_limit(max_episode_steps)
        self._client = Client(address, threads=threads, **options)
        try:
            most = self._client.server_info().max_envs_per_session
            num_envs = checks.integer("num_envs", num_envs, f"1 .. {most}", 1, most + 1)
            self.num_envs = num_envs
            self.episode_seeds = np.zeros(num_envs, np.uint64)
            self.environment_spec = self._client.environment(environment_id)
            self.single_observation_space = spaces.observation_space(self.environment_spec)
            self.single_action_space = spaces.action_space(self.environment_spec)
            self.observation_space = batch_space(self.single_observation_space, num_envs)
            self.action_space = batch_space(self.single_action_space, num_envs)
            mode = MODE_NAMES[self.autoreset_mode]
            self._session = RenewableSession(
                self._client, environment_id, num_envs, mode, limit, pace, session
            )
            self._renderer = Renderer(
                self._client, self.environment_spec, render_mode, self._session.render
            )
            self.metadata = spaces.metadata(self.environment_spec, self._renderer.modes)
            self.metadata["autoreset_mode"] = self.autoreset_mode
            if limit is not None:
                self.metadata["max_episode_steps"] = min(
                    limit, self.environment_spec.max_episode_steps
                )
        except BaseException:
            self._client.close()
            raise

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode in every copy, or in those of options["reset_mask"].

        Args:
            seed: s, also a NumPy integer, gives the copies s, s + 1, ...; a list has one entry a
                copy; None, whole or as an entry, continues the copy's stream (random if it was
                never seeded).
            options: numbers by the names in environment_spec.reset_options, and `reset_mask`, bool
                [num_envs] with at least one True. The dict is left as it is. {"resume": True} alone
                begins no episode, and tells where the running ones are.

        Returns:
            Observations float32 [num_envs, observation size] (copies outside the mask show their
            last one) and infos in Gymnasium's vector form.

        Raises:
            InvalidFieldError: a seed, option or mask is wrong; nothing has changed.
            NotResetError: a copy outside the mask was never reset.
            UnknownSessionError, OwnServerEndedError: the session is gone; reset all copies.
        """
        seeds = seeds_of(seed, self.num_envs)
        accepted = "numbers by name, and reset_mask"
        options = dict(checks.mapping("options", {} if options is None else options, accepted))
        if spaces.resumes(seed, options):
            return spaces.resumed(self.observe())
        mask = self._reset_mask(options.pop("reset_mask", None))
        super().reset(seed=None if _is_list(seed) else seeds[0])
        result = self._session.reset(seeds, mask=None if mask.all() else mask, options=options)
        self._renderer.keep_reset(result.observations[0], result.infos, mask)
        self.episode_seeds = result.seeds
        infos = spaces.vector_info(result.infos, mask, result.seeds, mask)
        return result.observations[0], infos

    def step(
        self, actions: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advances every copy by one step; under NEXT_STEP, what ended before is reset instead.

        Under SAME_STEP what ends is reset, too: its observation and infos are the new episode's,
        and infos["final_obs"] and infos["final_info"] hold the last ones of the old.

        Args:
            actions: float32 [num_envs, action size] within action_space; ignored for copies that
                are reset.

        Returns:
            observations float32 [num_envs, observation size], rewards float64 [num_envs],
            terminated and truncated bool [num_envs], infos in Gymnasium's vector form.

        Raises:
            InvalidFieldError: wrong shape, NaN or out of bounds; nothing has changed.
            NotResetError: reset first.
            UnknownSessionError, OwnServerEndedError: the session is gone; reset all copies.
        """
        result = self._session.step(actions)
        self._renderer.keep_step(result, actions)
        self.episode_seeds = result.episode_seeds
        final = None
        if result.final_observations:
            ended = result.terminated | result.truncated
            final = spaces.final_info(result.final_observations[0], result.final_infos, ended)
        everyone = np.ones(self.num_envs, np.bool_)
        infos = spaces.vector_info(
            result.infos, everyone, result.episode_seeds, result.began, final
        )
        return (
            result.observations[0],
            result.rewards,
            result.terminated,
            result.truncated,
            infos,
        )

    def snapshot(self, copies: Sequence[int] | None = None) -> bytes:
        """As RemoteEnv.snapshot(), of some copies in this order; None: of all.

        Raises:
            InvalidFieldError: no such copy.
            MessageTooLargeError: more than one message holds.
            UnknownSessionError, OwnServerEndedError: the session is gone; reset all copies.
        """
        return self._session.snapshot(copies)

    def restore(
        self, snapshot: bytes, copy_of: Sequence[int] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]] | None:
        """Goes on where a snapshot was taken, with the same bits.

        Args:
            snapshot: what snapshot() gave, also a RemoteEnv's.
            copy_of: [num_envs]: which of the snapshot's copies each copy becomes; -1 leaves it as
                it is. None: copy i becomes copy i of as many. [0] * num_envs branches the first.

        Returns:
            The observations and infos that were the last ones there, as reset()'s; None where a
            copy has had none, before its first reset.

        Raises:
            InvalidFieldError: damaged, or there is no such copy; nothing has changed.
            SnapshotMismatchError: of another environment, physics or system; nothing has changed.
            UnknownSessionError, OwnServerEndedError: -1 is in copy_of and the session is gone.
        """
        self._session.restore(snapshot, copy_of)
        everyone = np.ones(self.num_envs, np.bool_)
        return self._observe(everyone if copy_of is None else np.asarray(copy_of) >= 0)

    def observe(self) -> tuple[np.ndarray, dict[str, Any]] | None:
        """The observations and infos that were the last ones; None where a copy has had none."""
        return self._observe(np.zeros(self.num_envs, np.bool_))

    def _observe(self, restored: np.ndarray) -> tuple[np.ndarray, dict[str, Any]] | None:
        seen = self._session.observe()
        if seen is None:
            return None
        everyone = np.ones(self.num_envs, np.bool_)
        self._renderer.keep_seen(seen.observations[0], seen.infos, restored)
        self.episode_seeds = seen.episode_seeds
        nobody = np.zeros(self.num_envs, np.bool_)
        infos = spaces.vector_info(seen.infos, everyone, seen.episode_seeds, nobody)
        return seen.observations[0], infos

    def fork(self, n: int = 1) -> list[RemoteVectorEnv]:
        """N vector environments that begin where this one is, each with a session of its own."""
        n = checks.integer("n", n, "1 or more", 1)
        return [copy.deepcopy(self) for _ in range(n)]

    def start_recording(
        self,
        label: str = "",
        kinds: Sequence[str] | None = None,
        series: Sequence[SeriesSelection] = (),
    ) -> str:
        """Has the server write down what the environment does; see Session.start_recording.

        Of the session that runs: where it is gone, a reset makes one that is not recorded.
        ResetNeeded: reset first.
        """
        return self._session.session.start_recording(label, kinds, series)

    def stop_recording(self) -> str:
        """Ends the recording and gives its name; see Session.stop_recording."""
        return self._session.session.stop_recording()

    @property
    def client(self) -> Client:
        """Where its recordings are read: client.read_recording(env.unwrapped.stop_recording())."""
        return self._client

    def pace_report(self) -> PaceReport | None:
        """How well the session has kept its pace; None without one. ResetNeeded: reset first."""
        return self._session.session.pace_report()

    def detach(self) -> str:
        """Leaves the session to the server, as RemoteEnv.detach()."""
        return self._session.session.detach()

    def render(self) -> tuple[Any, ...] | None:
        """What RemoteEnv.render() gives, of each copy; "human" shows all in one window."""
        return self._renderer.frames()

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the session and, where it was the last user, the own server."""
        self._renderer.close()
        self._client.close()

    def __del__(self) -> None:
        """Does nothing.

        Gymnasium 1.1 and 1.2 close here, with calls in the garbage collector, and also what a
        failed constructor left. livnd.cleanup ends what was not closed.
        """

    def _reset_mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        shape = (self.num_envs,)
        if not isinstance(mask, np.ndarray) or mask.shape != shape or mask.dtype != np.bool_:
            raise invalid_field("options['reset_mask']", mask, f"a bool array of shape {shape}")
        if not mask.any():
            raise invalid_field("options['reset_mask']", mask, "at least one True")
        return mask


def seeds_of(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """A seed, or none, for each copy: s, s + 1, ... of a number."""
    if seed is None:
        return [None] * num_envs
    if not _is_list(seed):
        first = checks.seed("seed", seed, 2**64 - num_envs + 1)
        return [first + i for i in range(num_envs)]
    given = checks.entries("seed", seed, f"{num_envs} entries")
    if len(given) != num_envs:
        raise invalid_field("seed", f"{len(given)} entries", f"{num_envs} entries")
    return [
        None if each is None else checks.seed(f"seed[{i}]", each) for i, each in enumerate(given)
    ]


def _is_list(seed: Any) -> bool:
    return isinstance(seed, Iterable) and getattr(seed, "ndim", 1) > 0


def autoreset_mode_of(mode: AutoresetMode | str) -> AutoresetMode:
    """An AutoresetMode, or the one of this value."""
    for known in MODE_NAMES:
        if mode is known or (isinstance(mode, str) and mode == known.value):
            return known
    accepted = ", ".join(known.value for known in MODE_NAMES)
    raise checks.wrong("autoreset_mode", mode, accepted)


def episode_limit(max_episode_steps: int | None) -> int | None:
    """The limit that is asked for; None: the server's own."""
    if max_episode_steps is None:
        return None
    accepted = "None, -1 or 1 and more"
    limit = checks.integer("max_episode_steps", max_episode_steps, accepted, -1)
    if limit == 0:
        raise invalid_field("max_episode_steps", limit, accepted)
    return None if limit == -1 else limit
