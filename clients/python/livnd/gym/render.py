"""What render() of an environment gives, in each of its modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from livnd.client import Client
from livnd.gym import window
from livnd.gym.views import canvas
from livnd.gym.views.activity import Moment
from livnd.gym.views.scene import Scene, Stage
from livnd.results import RenderResult, StepResult
from livnd.specs import EnvironmentSpec

# What an environment can offer; human only where a window can be opened.
MODES = ("rgb_array", "rgb_array_list", "ansi", "human")


class Renderer:
    """What an environment's render() shows: its copies as the last reset or step left them.

    The server is asked when something is drawn, and not before: an environment with a render mode
    whose render() nobody calls does, beside a copy of what it is given, nothing.

    Args:
        client: to ask for the system.
        spec: the environment's.
        render_mode: one of `modes`, or None.
        look: asks the server for what the copies' last step was.

    Attributes:
        modes: what the environment offers here.

    Raises:
        ValueError: render_mode is another.
        NoDisplayError: it is "human", and no window can be opened.
    """

    def __init__(
        self,
        client: Client,
        spec: EnvironmentSpec,
        render_mode: str | None,
        look: Callable[[], RenderResult],
    ) -> None:
        self.modes = modes_of(spec)
        self._spec = spec
        self._mode = render_mode
        self._look = look
        self._window: window.Window | None = None
        self._stage: Stage | None = None
        if render_mode is not None:
            self._check(render_mode)
            self._stage = Stage(spec, client.system(spec.system))
        self._scenes: list[Scene] = []  # of each copy
        self._lists: list[list[np.ndarray]] = []  # of each copy, since the last render()
        self._unseen: _Unseen | None = None  # what the scenes have not been told

    def _check(self, render_mode: str) -> None:
        if render_mode in self.modes:
            return
        if render_mode == "human" and self.modes:
            raise window.no_display(window.problem())
        accepted = ", ".join(("None", *map(repr, self.modes)))
        raise ValueError(
            f"render_mode is {render_mode!r}; {self._spec.environment_id} accepts: {accepted}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """A copy of an environment opens a window of its own."""
        return self.__dict__ | {"_window": None}

    def keep_reset(
        self, observations: np.ndarray, infos: dict[str, np.ndarray], mask: np.ndarray
    ) -> None:
        """After a reset of the copies of the mask: they have played nothing yet."""
        if self._stage is None:
            return
        self.keep_seen(observations, infos, mask)
        for copy in np.flatnonzero(mask):
            self._lists[copy].clear()
        self._show(mask)

    def keep_seen(
        self, observations: np.ndarray, infos: dict[str, np.ndarray], began: np.ndarray
    ) -> None:
        """What the copies show, of which some are in an episode that was not seen before."""
        if self._stage is None:
            return
        if not self._scenes:
            self._scenes = [Scene(self._stage) for _ in observations]
            self._lists = [[] for _ in observations]
            began = np.ones(len(observations), np.bool_)
        infos = _copied(infos)
        for copy in np.flatnonzero(began):
            self._catch_up(copy)
            moment = Moment(observations[copy].copy(), {n: v[copy] for n, v in infos.items()})
            self._scenes[copy].begin(moment)

    def keep_step(self, result: StepResult, actions: np.ndarray) -> None:
        """After a step; the copies whose episode it began have played nothing in theirs."""
        if self._stage is None:
            return
        self._unseen = _Unseen(result, actions, self._unseen)
        self._show(np.ones(len(self._scenes), np.bool_))

    def _catch_up(self, copy: int, seen: RenderResult | None = None) -> None:
        """Tells a copy's scene of the last step, of those before it that nobody looked at."""
        unseen = self._unseen
        if unseen is None or not unseen.of_copy[copy]:
            return
        unseen.of_copy[copy] = False
        scene = self._scenes[copy]
        if seen is None:  # the step is over and gone
            scene.skip(unseen.missed[copy] + 1)
            return
        scene.skip(unseen.missed[copy])
        unseen.tell(scene, copy, seen)

    def _look_at_all(self) -> None:
        if self._unseen is None:
            return
        if self._unseen.of_copy.any():
            seen = self._look()
            for copy in range(len(self._scenes)):
                self._catch_up(copy, seen)
        self._unseen = None

    def _show(self, mask: np.ndarray) -> None:
        """What is shown without being asked for, of the copies that have changed."""
        if self._mode == "rgb_array_list":
            self._look_at_all()
            for copy in np.flatnonzero(mask):
                self._lists[copy].append(self._scenes[copy].frame())
        elif self._mode == "human":
            self._look_at_all()
            if self._window is None:
                fps = 1000.0 / self._spec.step_duration_ms
                self._window = window.Window(self._spec.environment_id, fps)
            if self._window.is_open:
                self._window.show(tiled([scene.frame() for scene in self._scenes]))

    def frames(self) -> tuple[Any, ...] | None:
        """What render() gives, of each copy: a frame, a text, or the frames since the last call.

        None in mode "human", whose window shows every reset and step by itself; and, with a
        warning, without a mode.

        Raises:
            gymnasium.error.ResetNeeded: reset first.
            ServerTooOldError: the server has no Render.
        """
        if self._stage is None:
            gymnasium.logger.warn(
                'render() shows nothing without a render_mode; make(..., render_mode="rgb_array")'
            )
            return None
        if not self._scenes:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        if self._mode == "human":
            return None
        self._look_at_all()
        if self._mode == "rgb_array_list":
            frames, self._lists = self._lists, [[] for _ in self._scenes]
            return tuple(frames)
        if self._mode == "ansi":
            return tuple(scene.text() for scene in self._scenes)
        return tuple(scene.frame() for scene in self._scenes)

    def close(self) -> None:
        """Closes the window. Idempotent."""
        if self._window is not None:
            self._window.close()


class _Unseen:
    """A step that scenes have not been told of.

    Attributes:
        of_copy: bool [num_envs]: which.
        missed: int64 [num_envs]: how many steps before it nobody looked at.
    """

    def __init__(self, result: StepResult, actions: Any, before: _Unseen | None) -> None:
        num_envs = len(result.rewards)
        self.of_copy = np.ones(num_envs, np.bool_)
        self.missed = np.zeros(num_envs, np.int64)
        if before is not None:
            self.missed = np.where(before.of_copy, before.missed + 1, 0)
        self._observations = result.observations[0].copy()
        self._infos = _copied(result.infos)
        self._actions = np.array(actions)
        self._rewards = result.rewards.copy()
        self._began = result.began
        self._ended = result.terminated | result.truncated
        self._final_observations = result.final_observations
        self._final_infos = result.final_infos

    def tell(self, scene: Scene, copy: int, seen: RenderResult) -> None:
        """What it did to a copy, and what it began."""
        reward, action = float(self._rewards[copy]), self._actions[copy]
        last = self._moment(copy)
        if not self._began[copy]:
            scene.step(last.after(action, reward), seen.copy(copy))
            return
        if self._ended[copy]:  # SAME_STEP: the old episode's end, then the new one's start
            row = int(self._ended[:copy].sum())
            infos = {name: values[row] for name, values in self._final_infos.items()}
            end = Moment(self._final_observations[0][row], infos)
            scene.step(end.after(action, reward), seen.copy(copy))
        scene.begin(last)

    def _moment(self, copy: int) -> Moment:
        infos = {name: values[copy] for name, values in self._infos.items()}
        return Moment(self._observations[copy], infos)


def _copied(infos: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values.copy() for name, values in infos.items()}


def modes_of(spec: EnvironmentSpec) -> tuple[str, ...]:
    """The modes of an environment on this machine; none where it has no culture."""
    if not spec.system:
        return ()
    return MODES if not window.problem() else MODES[:-1]


def tiled(frames: list[np.ndarray]) -> np.ndarray:
    """One frame of many of the same size, in as many rows as columns or one less."""
    columns = int(np.ceil(np.sqrt(len(frames))))
    rows = -(-len(frames) // columns)
    height, width = frames[0].shape[:2]
    filled = frames + [canvas.picture(height, width, (0, 0, 0))] * (rows * columns - len(frames))
    return np.concatenate(
        [np.concatenate(filled[r * columns : (r + 1) * columns], axis=1) for r in range(rows)]
    )
