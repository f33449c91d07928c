"""A copy as text: what render_mode="ansi" gives."""

from __future__ import annotations

import numpy as np

from livnd.gym.views.activity import Cells, History
from livnd.gym.views.electrodes import strongest
from livnd.results import CopyActivity
from livnd.specs import EnvironmentSpec, System

_ROWS = 12
_COLUMNS = 24  # places of electrodes in a row, two characters each
_LEGEND = "spikes heard in the last step (. none, * 10 or more), then the sign of the pulse"


class TextMap:
    """Writes the electrodes where they are, and the numbers of the infos. Immutable.

    Args:
        spec: the environment's.
        system: what it is on.
        cells: the same system's.
    """

    def __init__(self, spec: EnvironmentSpec, system: System, cells: Cells) -> None:
        self._environment_id = spec.environment_id
        self._cells = cells
        x, y, _ = system.electrode_positions_um.T
        self._columns = _places(x, _COLUMNS)
        self._rows = _places(-y, _ROWS)

    def text(self, history: History, activity: CopyActivity) -> str:
        """A copy as its last step left it."""
        heard = self._cells.heard(self._cells.counts(activity.spike_gids))
        played = strongest(activity, len(self._rows))
        places = [["  "] * _COLUMNS for _ in range(_ROWS)]
        for row, column, count, ua in zip(self._rows, self._columns, heard, played, strict=True):
            sign = "+" if ua > 0 else "-" if ua < 0 else " "
            places[row][column] = _digit(count) + sign
        now = history.now
        head = [self._environment_id, f"step {history.num_steps}"]
        if now.reward is not None:
            head.append(f"reward {now.reward:.3f}")
        numbers = [
            f"{name} {float(value):.4g}" for name, value in now.infos.items() if not np.ndim(value)
        ]
        lines = ["  ".join(head), "  ".join(numbers)]
        lines += [" ".join(row).rstrip() for row in places]
        return "\n".join([*lines, _LEGEND, ""])


def _digit(count: int) -> str:
    if count <= 0:
        return "."
    return str(count) if count < 10 else "*"


def _places(positions: np.ndarray, num_places: int) -> np.ndarray:
    """Which of the places on a line each position is at; the middle one where all are the same."""
    if not len(positions):
        return np.zeros(0, np.int64)
    extent = np.ptp(positions)
    if extent == 0:
        return np.full(len(positions), num_places // 2)
    fraction = (positions - positions.min()) / extent
    return np.round(fraction * (num_places - 1)).astype(np.int64)
