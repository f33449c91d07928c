"""A raster: which cells fired in the last seconds, and when electrodes played."""

from __future__ import annotations

import numpy as np

from livnd.gym.views import canvas
from livnd.gym.views.activity import Cells
from livnd.results import CopyActivity

_WINDOW_MS = 2000.0  # of culture time at least
_LEAST_STEPS = 20  # in the window
_STRIP = 8  # rows for pulses, above the cells
_COLOURS = np.array([[7, 50, 59], [150, 60, 160]], np.uint8)  # excitatory, inhibitory
_UNSEEN = (226, 230, 234)
_EDGE = (150, 160, 168)


class Raster:
    """The raster of one copy; it moves to the left as time goes on.

    Cells lie one below the other in the order of gids, several in a row where there are more than
    rows; a spike is a dark stroke, of an inhibitory cell a purple one. Above them a red stroke is a
    pulse whose first phase is positive, a blue one a pulse whose first phase is negative. A thin
    line is the start of an episode. Grey is what was not seen.

    Args:
        cells: the culture's.
        step_ticks: of a step.
        step_ms: the same.
        height, width: of the picture, pixels.
    """

    def __init__(
        self, cells: Cells, step_ticks: int, step_ms: float, height: int, width: int
    ) -> None:
        self._cells = cells
        self._step_ticks = max(step_ticks, 1)
        num_steps = max(round(_WINDOW_MS / step_ms), _LEAST_STEPS)
        self._step_width = max(width // num_steps, 1)
        self.window_ms = width / self._step_width * step_ms
        self.picture = canvas.picture(height, width, _UNSEEN)
        self._rows = height - _STRIP
        self._thickness = max(self._rows // max(cells.num, 1), 1)
        self._colours = _COLOURS[cells.is_inhibitory.astype(np.int64)]

    def skip(self, num_steps: int) -> None:
        """Steps that nobody looked at."""
        if num_steps > 0:
            self._move(num_steps * self._step_width)[:] = _UNSEEN

    def mark(self) -> None:
        """An episode begins."""
        self._move(1)[:] = _EDGE

    def add(self, activity: CopyActivity) -> None:
        """A step later."""
        room = self._move(self._step_width)
        room[:] = canvas.PAPER
        room[:_STRIP] = canvas.GROUND
        strokes = self._columns(activity.pulse_ticks)
        # Weak ones first: they give way to strong ones.
        for i in np.argsort(np.abs(activity.pulse_ua), kind="stable"):
            colour = canvas.RED if activity.pulse_ua[i] > 0 else canvas.BLUE
            room[: _STRIP - 1, strokes[i]] = colour
        numbers = self._cells.numbers_of(activity.spike_gids)
        rows = _STRIP + numbers * self._rows // max(self._cells.num, 1)
        columns = self._columns(activity.spike_ticks)
        for below in range(self._thickness):
            at = np.minimum(rows + below, len(room) - 1)
            room[at, columns] = self._colours[numbers]

    def _columns(self, ticks: np.ndarray) -> np.ndarray:
        """Where in a step's room, for ticks since it began."""
        inside = np.clip(ticks, 0, self._step_ticks - 1)
        return inside * self._step_width // self._step_ticks

    def _move(self, num: int) -> np.ndarray:
        """Takes everything to the left; the room at the right edge that this makes."""
        width = self.picture.shape[1]
        num = min(num, width)
        self.picture[:, : width - num] = self.picture[:, num:]
        return self.picture[:, width - num :]
