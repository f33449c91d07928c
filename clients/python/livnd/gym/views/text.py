"""An environment as text: what render_mode="ansi" gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from livnd.gym.views.electrodes import heard_elements, played_elements
from livnd.specs import EnvironmentSpec, System

_ROWS = 12
_COLUMNS = 24  # places of electrodes in a row, two characters each
_LEGEND = "spikes heard in the last step (. none, * 10 or more), then the sign of the pulse"


class TextMap:
    """Writes the copies of an environment, one text a copy. Immutable.

    Args:
        spec: an environment whose elements name its electrodes.
        system: what it is on.
    """

    def __init__(self, spec: EnvironmentSpec, system: System) -> None:
        heard, played = heard_elements(spec), played_elements(spec)
        electrodes = [int(e) for e in system.electrode_ids]
        # Electrodes without an element read the 0 that is put after the last one.
        self._heard = np.array([heard.get(e, -1) for e in electrodes])
        self._played = np.array([played.get(e, -1) for e in electrodes])
        self._environment_id = spec.environment_id
        x, y, _ = system.electrode_positions_um.T
        self._columns = _places(x, _COLUMNS)
        self._rows = _places(-y, _ROWS)

    def text(
        self,
        observation: np.ndarray,
        action: np.ndarray | None,
        infos: Mapping[str, np.ndarray],
        reward: float | None,
    ) -> str:
        """One copy as it is.

        Args:
            observation: the copy's, as spec.observations[0] says.
            action: what it did in the step that led there, as spec.actions[0] says; None after a
                reset.
            infos: the copy's, by name.
            reward: of that step; None after a reset.
        """
        counts = np.append(np.ravel(observation), 0)[self._heard]
        pulses = np.zeros(len(self._played))
        if action is not None:
            pulses = np.append(np.ravel(action), 0)[self._played]
        places = [["  "] * _COLUMNS for _ in range(_ROWS)]
        for row, column, count, pulse in zip(
            self._rows, self._columns, counts, pulses, strict=True
        ):
            sign = "+" if pulse > 0 else "-" if pulse < 0 else " "
            places[row][column] = _digit(count) + sign
        numbers = [f"{name} {_short(value)}" for name, value in infos.items() if not np.ndim(value)]
        head = [self._environment_id]
        if reward is not None:
            head.append(f"reward {reward:.3f}")
        lines = ["  ".join(head), "  ".join(numbers)]
        lines += [" ".join(row).rstrip() for row in places]
        return "\n".join([*lines, _LEGEND, ""])


def _digit(count: float) -> str:
    if count <= 0:
        return "."
    return str(int(count)) if count < 10 else "*"


def _short(value: np.ndarray) -> str:
    return f"{float(value):.4g}"


def _places(positions: np.ndarray, num_places: int) -> np.ndarray:
    """Which of the places on a line each position is at; the middle one where all are the same."""
    if not len(positions):
        return np.zeros(0, np.int64)
    extent = np.ptp(positions)
    if extent == 0:
        return np.full(len(positions), num_places // 2)
    fraction = (positions - positions.min()) / extent
    return np.round(fraction * (num_places - 1)).astype(np.int64)
