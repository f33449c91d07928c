"""What served environments have in common whose copies are stepped together: the Gymnasium side."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from livnd import checks
from livnd.client import Client
from livnd.errors import invalid_field
from livnd.gym import spaces
from livnd.gym.render import MODES, Renderer
from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult
from livnd.specs import EnvironmentSpec

_Env = TypeVar("_Env", bound="BatchEnv")  # what inherits from it

# The protocol's names.
MODE_NAMES = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "disabled",
}


class Copies(Protocol):
    """Copies of an environment, wherever they are: a RenewableSession's, or a fleet's."""

    def reset(
        self, seeds: Sequence[int | None], *, mask: Any = None, options: dict[str, Any]
    ) -> ResetResult: ...

    def step(self, actions: Any) -> StepResult: ...

    def observe(self) -> ObserveResult | None: ...

    def render(self) -> RenderResult: ...

    def snapshot(self, copies: Sequence[int] | None = None) -> bytes: ...

    def restore(self, snapshot: bytes, copy_of: Sequence[int] | None = None) -> None: ...


class BatchEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """num_envs copies, one call a step. RemoteVectorEnv and FleetVectorEnv say where they are.

    Attributes:
        environment_spec, metadata: as RemoteEnv.
        autoreset_mode: what becomes of copies whose episode has ended.
        episode_seeds: uint64 [num_envs], of the running episodes. Where reset() or an autoreset
            began one, infos["episode_seed"] tells it too.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": list(MODES),
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    autoreset_mode: AutoresetMode
    _session: Copies

    def _take_spec(self, spec: EnvironmentSpec, num_envs: int) -> None:
        """What follows from the environment's spec; before there is a session."""
        self.num_envs = num_envs
        self.episode_seeds = np.zeros(num_envs, np.uint64)
        self.environment_spec = spec
        self.single_observation_space = spaces.observation_space(spec)
        self.single_action_space = spaces.action_space(spec)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def _take_copies(self, client: Client, copies: Copies, limit: int | None) -> None:
        """Where the copies are, and a client that knows their system; after _take_spec()."""
        self._session = copies
        self._renderer = Renderer(client, self.environment_spec, self.render_mode, copies.render)
        self.metadata = spaces.metadata(self.environment_spec, self._renderer.modes)
        self.metadata["autoreset_mode"] = self.autoreset_mode
        if limit is not None:
            self.metadata["max_episode_steps"] = min(limit, self.environment_spec.max_episode_steps)

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

    def fork(self: _Env, n: int = 1) -> list[_Env]:
        """N vector environments that begin where this one is, each with sessions of its own."""
        n = checks.integer("n", n, "1 or more", 1)
        return [copy.deepcopy(self) for _ in range(n)]

    def render(self) -> tuple[Any, ...] | None:
        """What RemoteEnv.render() gives, of each copy; "human" shows all in one window."""
        return self._renderer.frames()

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
