"""Episodes that end earlier than the server's: gymnasium.wrappers.TimeLimit for N copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from livnd.errors import EpisodeEndedError, UnknownOutcomeError, invalid_field
from livnd.gym.renewable_session import RenewableSession
from livnd.session import ResetResult, StepResult
from livnd.specs import TensorSpec


class LimitedSession:
    """A session whose episodes are truncated after max_episode_steps. One caller at a time.

    The server does not know of that end. Under "next_step" a step that finds copies so ended lets
    the server make its step of the others, and resets them: a second call. Both are done exactly
    once: where the second gets no answer, the same step() goes on with it.

    Args:
        session: the copies, and how the server resets those whose episodes it ends itself.
        autoreset_mode: of that session, "next_step" or "disabled".
        action_spec: its environment's only action.
        max_episode_steps: at least 1.
    """

    def __init__(
        self,
        session: RenewableSession,
        num_envs: int,
        autoreset_mode: str,
        action_spec: TensorSpec,
        max_episode_steps: int,
    ) -> None:
        self._session = session
        self._is_autoreset = autoreset_mode == "next_step"
        self._action_spec = action_spec
        self._max_episode_steps = max_episode_steps
        self._steps = np.zeros(num_envs, np.int64)  # of each copy's running episode
        self._ended_here = np.zeros(num_envs, np.bool_)  # and not reset yet
        self._ended_there = np.zeros(num_envs, np.bool_)
        # Actions and answer of a step after which copies wait for their reset.
        self._half: tuple[np.ndarray, StepResult] | None = None

    @property
    def name(self) -> str:
        """As RenewableSession.name."""
        return self._session.name

    def reset(
        self, seeds: Sequence[int | None], *, mask: Any = None, options: dict[str, Any]
    ) -> ResetResult:
        """As RenewableSession.reset."""
        if self._half is not None and mask is not None:
            raise _half_done()
        result = self._session.reset(seeds, mask=mask, options=options)
        self._half = None
        self._begin(np.ones(len(self._steps), np.bool_) if mask is None else mask)
        return result

    def step(self, actions: Any) -> StepResult:
        """As RenewableSession.step, with truncation."""
        waiting = self._ended_here
        if not waiting.any():
            result = self._session.step(actions)
        elif self._is_autoreset:
            result = self._step_and_reset(actions, waiting.copy())
        else:
            raise EpisodeEndedError(
                f"the episodes of copies {np.flatnonzero(waiting).tolist()} have ended after "
                f"{self._max_episode_steps} steps: reset them",
                reason="EPISODE_ENDED",
            )
        # What ended before has begun anew in this step.
        self._steps = np.where(waiting | self._ended_there, 0, self._steps + 1)
        over = self._steps >= self._max_episode_steps
        self._ended_there = result.terminated | result.truncated
        self._ended_here = over & ~self._ended_there
        return dataclasses.replace(result, truncated=result.truncated | over)

    def _step_and_reset(self, actions: Any, waiting: np.ndarray) -> StepResult:
        actions = self._checked(actions)
        if self._half is None:
            # Any action does for the copies that are reset after it: the next episode does not
            # depend on how the last one went on.
            rest = np.clip(0, self._action_spec.low, self._action_spec.high)
            actions[waiting] = rest.astype(actions.dtype)
            stepped = None if waiting.all() else self._session.step(actions)
            self._half = (actions, stepped)
        else:
            before, stepped = self._half
            if not np.array_equal(actions[~waiting], before[~waiting]):
                raise _half_done()
        begun = self._session.reset([None] * len(waiting), mask=waiting, options={})
        self._half = None
        if stepped is None:
            return StepResult(
                observations=begun.observations,
                rewards=np.zeros(len(waiting)),
                terminated=np.zeros(len(waiting), np.bool_),
                truncated=np.zeros(len(waiting), np.bool_),
                infos=begun.infos,
                episode_seeds=begun.seeds,
                began=waiting,
            )
        for name, values in stepped.infos.items():
            values[waiting] = begun.infos[name][waiting]
        for values in (stepped.rewards, stepped.terminated, stepped.truncated):
            values[waiting] = 0
        return dataclasses.replace(
            stepped,
            observations=begun.observations,
            episode_seeds=begun.seeds,
            began=stepped.began | waiting,
        )

    def _checked(self, actions: Any) -> np.ndarray:
        """The actions as an array of its own; what they hold, the server checks."""
        spec, shape = self._action_spec, (len(self._steps), *self._action_spec.shape)
        try:
            array = np.array(actions, dtype=spec.dtype)
        except (TypeError, ValueError):
            accepted = f"{spec.dtype} of shape {shape}"
            raise invalid_field(spec.name, repr(actions)[:80], accepted) from None
        if array.shape != shape:
            raise invalid_field(spec.name, f"shape {array.shape}", f"shape {shape}")
        return array

    def _begin(self, mask: np.ndarray) -> None:
        self._steps[mask] = 0
        self._ended_here[mask] = False
        self._ended_there[mask] = False


def _half_done() -> UnknownOutcomeError:
    return UnknownOutcomeError(
        "the last step has advanced some copies, but it is not known whether others were reset: "
        "repeat it with the same actions, or reset all copies",
        reason="UNKNOWN_OUTCOME",
    )
