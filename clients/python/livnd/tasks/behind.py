"""A task whose actions come from what a culture did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from livnd import checks
from livnd.errors import invalid_field
from livnd.livn.run import Run

EPISODES = ("clear", "continue")
# What an agent's action becomes: a stimulus as Env.run() takes it, or None.
Encoding = Callable[[Any], Any]
# What a run becomes: the task's action.
Decoding = Callable[[Run], Any]


class TaskBehind(gymnasium.Env[Any, Any]):
    """A task, and between an agent and it the two callables beside a culture; no culture.

    A step is encode(), a run of the culture by whoever has it, and act(). Observation, reward and
    end are the task's. infos["task_action"] is the action that the culture gave it.

    Attributes:
        task: as given.
        wants_clear: whether the culture has to be cleared since reset(), and with which seed.
    """

    def __init__(
        self,
        task: gymnasium.Env[Any, Any] | str,
        encoding: Encoding,
        decoding: Decoding,
        episodes: str,
        action_space: spaces.Space[Any] | None,
    ) -> None:
        if isinstance(task, str):
            task = gymnasium.make(task)
        if not isinstance(task, gymnasium.Env):
            raise checks.wrong("task", task, "a gymnasium.Env, or an id for gymnasium.make()")
        self.task = task
        self._encoding = _callable("encoding", encoding, "a callable: action -> stimulus or None")
        self._decoding = _callable("decoding", decoding, "a callable: livnd.Run -> task's action")
        self._episodes = checks.choice("episodes", episodes, EPISODES)
        self.observation_space = task.observation_space
        self.action_space = _action_space(task, encoding, action_space)
        self.metadata = task.metadata
        self.render_mode = task.render_mode
        self.wants_clear: tuple[bool, int | None] = (False, None)
        self._seen: Any = None
        self._runs = False  # whether there is an episode that goes on
        self._failed = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the task, and says by `wants_clear` what is to be done with the culture."""
        if seed is not None:
            seed = checks.seed("seed", seed)
        rest = dict(checks.mapping("options", {} if options is None else options, "a dictionary"))
        episodes = rest.pop("culture", self._episodes)
        checks.choice("options['culture']", episodes, EPISODES)
        super().reset(seed=seed)
        self._runs = False
        self._seen, info = self.task.reset(seed=seed, options=rest or None)
        self._runs = True
        self.wants_clear = (seed is not None or episodes == "clear" or self._failed, seed)
        self._failed = False
        return self._seen, dict(info)

    def encode(self, action: Any) -> Any:
        """The stimulus of an action, or None. Nothing has changed whatever it raises.

        Raises:
            InvalidFieldError: no action of action_space.
            gymnasium.error.ResetNeeded: there is no episode, or it is over.
        """
        if not self._runs:
            raise gymnasium.error.ResetNeeded("there is no episode, or it is over: reset first")
        return self._encoding(_checked("action", action, self.action_space, clip=False))

    def act(self, run: Run | None, failed: bool) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Steps the task by what the culture did.

        A culture whose numbers have left their range cuts the episode short; the task keeps still.
        """
        self._runs = False  # the culture has gone on: if the task cannot, only a reset can
        if failed or run is None:
            self._failed = True
            return self._seen, 0.0, False, True, {"culture_failed": True}
        action = _checked("decoding", self._decoding(run), self.task.action_space, clip=True)
        observation, reward, terminated, truncated, info = self.task.step(action)
        self._seen = observation
        self._runs = not (terminated or truncated)
        return observation, reward, terminated, truncated, {**info, "task_action": action}  # type: ignore[return-value]

    def render(self) -> Any:
        """What the task shows."""
        return self.task.render()

    def close(self) -> None:
        """Closes the task."""
        self.task.close()


def _callable(field: str, given: Any, accepted: str) -> Any:
    if not callable(given):
        raise checks.wrong(field, given, accepted)
    return given


def _action_space(
    task: gymnasium.Env[Any, Any], encoding: Any, given: spaces.Space[Any] | None
) -> spaces.Space[Any]:
    """The agent's actions: what is said, else what the encoding says, else the task's own."""
    if given is not None:
        if not isinstance(given, spaces.Space):
            raise checks.wrong("action_space", given, "a gymnasium.spaces.Space, or None")
        return given
    for name in ("action_space", "input_space", "feature_space"):
        found = getattr(encoding, name, None)
        if isinstance(found, spaces.Space):
            return found
    return task.action_space


def _checked(field: str, action: Any, space: spaces.Space[Any], *, clip: bool) -> Any:
    """An action as the space has it.

    Args:
        field: whose it is, in errors.
        action: numbers for a Box, and what any other space contains.
        space: which it has to be of.
        clip: take a Box's numbers that are out of its bounds for the nearest within; and the
            nearest whole number for that of a Discrete space.
    """
    accepted = f"an action of {space}"
    if isinstance(space, spaces.Box):
        numbers = checks.array(field, action, space.dtype if not clip else np.float64, accepted)
        if clip and numbers.size == int(np.prod(space.shape)):
            numbers = numbers.reshape(space.shape)
        if numbers.shape != space.shape:
            raise invalid_field(field, f"an array of shape {numbers.shape}", accepted)
        if np.isnan(numbers).any():
            raise invalid_field(field, "NaN", accepted)
        if clip:
            numbers = np.clip(numbers, space.low, space.high)
            return numbers.astype(space.dtype)
        if (numbers < space.low).any() or (numbers > space.high).any():
            raise checks.wrong(field, action, accepted)
        return numbers
    if isinstance(space, spaces.Discrete) and clip:
        if np.size(action) != 1:
            raise checks.wrong(field, action, accepted)
        number = checks.number(field, np.asarray(action).reshape(()), accepted)
        if not np.isfinite(number):
            raise checks.wrong(field, action, accepted)
        action = np.int64(round(number))
    if not space.contains(action):
        raise checks.wrong(field, action, accepted)
    return action
