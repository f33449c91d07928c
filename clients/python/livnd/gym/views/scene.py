"""A copy's frame: its culture, its task and its raster side by side."""

from __future__ import annotations

import numpy as np

from livnd.gym.views import canvas, numbers, registry
from livnd.gym.views.activity import Cells, History, Moment
from livnd.gym.views.electrodes import SIDE, ElectrodeMap
from livnd.gym.views.raster import Raster
from livnd.gym.views.text import TextMap
from livnd.results import CopyActivity
from livnd.specs import EnvironmentSpec, System

HEIGHT = SIDE
WIDTH = 2 * SIDE
_TASK_HEIGHT = 176
_MARGIN = 8
_TITLE = 14


class Stage:
    """What the scenes of all copies of an environment share. Immutable.

    Args:
        spec: of an environment with a task.
        system: what it is on.
    """

    def __init__(self, spec: EnvironmentSpec, system: System) -> None:
        self.spec = spec
        self.cells = Cells(system)
        self.electrode_map = ElectrodeMap(system, self.cells)
        self.text_map = TextMap(spec, system, self.cells)
        self.task_view = registry.view_of(spec)
        self.num_electrodes = len(system.electrode_ids)
        self.step_ticks = round(spec.step_duration_ms * 1e6 / spec.tick_ns) if spec.tick_ns else 1


class Scene:
    """One copy's frames. Knows of its past what the raster and the curves show.

    Args:
        stage: its environment's.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._history = History()
        self._activity = CopyActivity.of_nothing()
        height = HEIGHT - _TASK_HEIGHT - _TITLE - _MARGIN
        spec = stage.spec
        self._raster = Raster(
            stage.cells, stage.step_ticks, spec.step_duration_ms, height, SIDE - 2 * _MARGIN
        )
        # Amplitudes are drawn beside the largest that the task plays, or that was seen.
        self._full_scale_ua = spec.settings.get("max_amplitude_ua", 0.0)
        self._title = f"{stage.cells.num} cells, the last {self._raster.window_ms / 1000:.3g} s"

    def begin(self, moment: Moment) -> None:
        """An episode begins, or another one is seen from its middle on."""
        if self._history.moments:
            self._raster.mark()
        self._history.begin(moment)
        self._activity = CopyActivity.of_nothing()

    def step(self, moment: Moment, activity: CopyActivity) -> None:
        """A step later."""
        self._history.add(moment)
        self._activity = activity
        self._raster.add(activity)
        if len(activity.pulse_ua):
            loudest = float(np.abs(activity.pulse_ua).max())
            self._full_scale_ua = max(self._full_scale_ua, loudest)

    def skip(self, num_steps: int) -> None:
        """Steps that nobody looked at."""
        self._raster.skip(num_steps)

    def text(self) -> str:
        """What the culture and the task did, as text."""
        return self._stage.text_map.text(self._history, self._activity)

    def frame(self) -> np.ndarray:
        """uint8 [HEIGHT, WIDTH, 3]; the caller's own."""
        frame = canvas.picture(HEIGHT, WIDTH, canvas.GROUND)
        scale_ua = self._full_scale_ua or 1.0
        frame[:, :SIDE] = self._stage.electrode_map.frame(self._activity, scale_ua)
        head = f"{self._stage.spec.environment_id}   {self._stage.num_electrodes} electrodes"
        canvas.write(frame, HEIGHT - 12, _MARGIN, head)
        task = frame[:_TASK_HEIGHT, SIDE:]
        top = numbers.draw_head(task, self._history, self._stage.spec.max_episode_steps)
        self._stage.task_view.draw(task[top:], self._history)
        canvas.write(frame, _TASK_HEIGHT + 3, SIDE + _MARGIN, self._title)
        raster = self._raster.picture
        top = _TASK_HEIGHT + _TITLE
        frame[top : top + raster.shape[0], SIDE + _MARGIN : WIDTH - _MARGIN] = raster
        return frame
