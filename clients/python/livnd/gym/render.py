"""What render() of an environment gives, in each of its modes."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from livnd.client import Client
from livnd.gym import window
from livnd.gym.views.electrodes import ElectrodeMap, can_draw
from livnd.gym.views.text import TextMap
from livnd.session import StepResult
from livnd.specs import EnvironmentSpec

# What an environment can offer; human only where a window can be opened.
MODES = ("rgb_array", "rgb_array_list", "ansi", "human")


class Renderer:
    """What an environment's render() shows: its copies as the last reset or step left them.

    Keeps copies of what it is given, and nothing where nobody asked for frames.

    Args:
        client: to ask for the system.
        spec: the environment's.
        render_mode: one of `modes`, or None.

    Attributes:
        modes: what the environment offers here.

    Raises:
        ValueError: render_mode is another.
        NoDisplayError: it is "human", and no window can be opened.
    """

    def __init__(self, client: Client, spec: EnvironmentSpec, render_mode: str | None) -> None:
        self.modes = modes_of(spec)
        self._mode = render_mode
        self._map: ElectrodeMap | TextMap | None = None
        self._window: window.Window | None = None
        self._fps = 1000.0 / spec.step_duration_ms if spec.step_duration_ms > 0 else 1.0
        self._environment_id = spec.environment_id
        if render_mode is not None:
            self._check(spec, render_mode)
            system = client.system(spec.system)
            kind = TextMap if render_mode == "ansi" else ElectrodeMap
            self._map = kind(spec, system)
        self._action_shape = spec.actions[0].shape
        self._observations: np.ndarray | None = None  # [num_envs, *shape], as all below
        self._actions: np.ndarray | None = None
        self._infos: dict[str, np.ndarray] = {}
        self._rewards: np.ndarray | None = None
        self._lists: list[list[np.ndarray]] = []  # of each copy, since the last render()

    def _check(self, spec: EnvironmentSpec, render_mode: str) -> None:
        if render_mode in self.modes:
            return
        if render_mode == "human" and self.modes:
            raise window.no_display(window.problem())
        accepted = ", ".join(("None", *map(repr, self.modes)))
        raise ValueError(
            f"render_mode is {render_mode!r}; {spec.environment_id} accepts: {accepted}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """A copy of an environment opens a window of its own."""
        return self.__dict__ | {"_window": None}

    def keep_reset(
        self, observations: np.ndarray, infos: dict[str, np.ndarray], mask: np.ndarray
    ) -> None:
        """After a reset of the copies of the mask: they have played nothing yet."""
        if self._map is None:
            return
        self.keep_seen(observations, infos, mask)
        for copy in np.flatnonzero(mask):
            if self._lists:
                self._lists[copy].clear()
        self._show(mask)

    def keep_seen(
        self, observations: np.ndarray, infos: dict[str, np.ndarray], restored: np.ndarray
    ) -> None:
        """What the copies show, of which some are where another one has been."""
        if self._map is None:
            return
        if self._actions is None:
            self._actions = np.zeros((len(observations), *self._action_shape))
            self._rewards = np.full(len(observations), np.nan)
            self._lists = [[] for _ in observations]
        self._keep(observations, infos)
        self._actions[restored] = 0
        self._rewards[restored] = np.nan

    def keep_step(self, result: StepResult, actions: np.ndarray) -> None:
        """After a step; the copies whose episode it began have played nothing in theirs."""
        if self._map is None:
            return
        self._keep(result.observations[0], result.infos)
        self._actions = np.array(actions, np.float64)
        self._actions[result.began] = 0
        self._rewards = np.where(result.began, np.nan, result.rewards)
        self._show(np.ones(len(self._rewards), np.bool_))

    def _keep(self, observations: np.ndarray, infos: dict[str, np.ndarray]) -> None:
        self._observations = observations.copy()
        self._infos = {name: values.copy() for name, values in infos.items()}

    def _show(self, mask: np.ndarray) -> None:
        """What is shown without being asked for, of the copies that have changed."""
        if self._mode == "rgb_array_list":
            for copy in np.flatnonzero(mask):
                self._lists[copy].append(self._frame(copy))
        elif self._mode == "human":
            if self._window is None:
                self._window = window.Window(self._environment_id, self._fps)
            self._window.show(tiled([self._frame(copy) for copy in range(len(self._lists))]))

    def _frame(self, copy: int) -> np.ndarray:
        assert isinstance(self._map, ElectrodeMap)
        return self._map.frame(self._observations[copy], self._actions[copy])

    def _text(self, copy: int) -> str:
        assert isinstance(self._map, TextMap)
        reward = float(self._rewards[copy])
        return self._map.text(
            self._observations[copy],
            self._actions[copy],
            {name: values[copy] for name, values in self._infos.items()},
            None if np.isnan(reward) else reward,
        )

    def frames(self) -> tuple[Any, ...] | None:
        """What render() gives, of each copy: a frame, a text, or the frames since the last call.

        None in mode "human", whose window shows every reset and step by itself; and, with a
        warning, without a mode. ResetNeeded: reset first.
        """
        if self._map is None:
            gymnasium.logger.warn(
                'render() shows nothing without a render_mode; make(..., render_mode="rgb_array")'
            )
            return None
        if self._observations is None:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        copies = range(len(self._observations))
        if self._mode == "human":
            return None
        if self._mode == "rgb_array_list":
            frames, self._lists = self._lists, [[] for _ in copies]
            return tuple(frames)
        if self._mode == "ansi":
            return tuple(map(self._text, copies))
        return tuple(map(self._frame, copies))

    def close(self) -> None:
        """Closes the window. Idempotent."""
        if self._window is not None:
            self._window.close()


def modes_of(spec: EnvironmentSpec) -> tuple[str, ...]:
    """The modes of an environment on this machine."""
    if not can_draw(spec):
        return ()
    return MODES if not window.problem() else MODES[:-1]


def tiled(frames: list[np.ndarray]) -> np.ndarray:
    """One frame of many of the same size, in as many rows as columns or one less."""
    columns = int(np.ceil(np.sqrt(len(frames))))
    rows = -(-len(frames) // columns)
    blank = np.zeros_like(frames[0])
    filled = frames + [blank] * (rows * columns - len(frames))
    return np.concatenate(
        [np.concatenate(filled[r * columns : (r + 1) * columns], axis=1) for r in range(rows)]
    )
