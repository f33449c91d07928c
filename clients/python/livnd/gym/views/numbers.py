"""Views of tasks that are numbers: what a frame shows beside the culture."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np

from livnd.gym.views import canvas
from livnd.gym.views.activity import History
from livnd.specs import EnvironmentSpec

_MARGIN = 8
_LINE = 11  # pixels from a line of text to the next
_ROW = 22  # of a number with its curve
_NUMBERS_WIDTH = 168


class TaskView(Protocol):
    """Draws how a copy's task stands. It keeps nothing: all it draws is in the history."""

    def draw(self, on: np.ndarray, history: History) -> None:
        """Draws on a picture, uint8 [height, width, 3], of GROUND; any height and width."""


class NumbersView:
    """The scalars of the infos, each with its curve over the last steps, and the reward.

    Args:
        spec: gives their names and units.
        without: names that something else shows.
    """

    def __init__(self, spec: EnvironmentSpec, without: Collection[str] = ()) -> None:
        self._numbers = [
            (s.name, s.unit) for s in spec.infos if s.shape == () and s.name not in without
        ]

    def draw(self, on: np.ndarray, history: History) -> None:
        """One below the other, as many as there is room for."""
        top = _MARGIN
        rows = [("reward", "1", history.rewards())]
        rows += [(name, unit, history.numbers(name)) for name, unit in self._numbers]
        for name, unit, values in rows:
            if top + _ROW > on.shape[0]:
                return
            _draw_number(on, top, name, unit, values)
            top += _ROW


class WantedAndGot:
    """Two numbers of the infos on one scale, what is wanted and what there is; then the others.

    Args:
        spec: gives their units and bounds.
        wanted, got: names of infos.
    """

    def __init__(self, spec: EnvironmentSpec, wanted: str, got: str) -> None:
        self._wanted, self._got = wanted, got
        (self._unit,) = (s.unit for s in spec.infos if s.name == got)
        self._rest = NumbersView(spec, (wanted, got))

    def draw(self, on: np.ndarray, history: History) -> None:
        """The curves above, the other numbers below."""
        wanted, got = history.numbers(self._wanted), history.numbers(self._got)
        write_number(on, _MARGIN, self._got, got[-1], self._unit, canvas.GREEN)
        write_number(on, _MARGIN + _LINE, self._wanted, wanted[-1], self._unit, canvas.RED)
        bottom = max(on.shape[0] - 3 * _ROW, 3 * _LINE)
        box = on[_MARGIN + 2 * _LINE : bottom, _MARGIN : on.shape[1] - _MARGIN]
        draw_curves(box, [(wanted, canvas.RED), (got, canvas.GREEN)], low=0.0)
        self._rest.draw(on[bottom:], history)


class Marked:
    """A number of the infos whose curve is shaded where another is not 0; then the others.

    Args:
        spec: gives their units.
        number, mark: names of infos.
    """

    def __init__(self, spec: EnvironmentSpec, number: str, mark: str) -> None:
        self._number, self._mark = number, mark
        (self._unit,) = (s.unit for s in spec.infos if s.name == number)
        self._rest = NumbersView(spec, (number, mark))

    def draw(self, on: np.ndarray, history: History) -> None:
        """The curve above, the other numbers below."""
        values, marks = history.numbers(self._number), history.numbers(self._mark)
        write_number(on, _MARGIN, self._number, values[-1], self._unit, canvas.GREEN)
        canvas.write(on, _MARGIN + _LINE, _MARGIN, _spoken(self._mark), canvas.ORANGE)
        bottom = max(on.shape[0] - 3 * _ROW, 3 * _LINE)
        box = on[_MARGIN + 2 * _LINE : bottom, _MARGIN : on.shape[1] - _MARGIN]
        draw_curves(box, [(values, canvas.GREEN)], low=0.0)
        columns = np.linspace(0, box.shape[1] - 1, max(len(marks), 1)).astype(np.int64)
        for column in columns[np.nan_to_num(marks) != 0]:
            box[:4, max(column - 1, 0) : column + 2] = canvas.ORANGE
        self._rest.draw(on[bottom:], history)


def write_number(
    on: np.ndarray, top: int, name: str, value: float, unit: str, colour: canvas.Colour
) -> None:
    """A line with a name and its value."""
    canvas.write(on, top, _MARGIN, f"{_spoken(name)}: {_shown(value, unit)}", colour)


def draw_curves(
    box: np.ndarray,
    curves: list[tuple[np.ndarray, canvas.Colour]],
    low: float | None = None,
    high: float | None = None,
) -> None:
    """Curves on one scale, from their least value to their greatest unless that is given."""
    box[:] = canvas.PAPER
    known = [values[np.isfinite(values)] for values, _ in curves]
    everything = np.concatenate([*known, np.zeros(0)])
    if not len(everything):
        return
    low = float(everything.min()) if low is None else low
    high = float(everything.max()) if high is None else high
    for values, colour in curves:
        canvas.curve(box, values, low, high, colour)


def draw_head(on: np.ndarray, history: History, max_episode_steps: int) -> int:
    """How far the episode is and what it has paid; the first row below."""
    steps = f"step {history.num_steps}"
    if max_episode_steps:
        steps += f" of {max_episode_steps}"
    canvas.write(on, _MARGIN, _MARGIN, f"{steps}   return {history.total_reward:.3f}")
    return _MARGIN + _LINE + 3


def _draw_number(on: np.ndarray, top: int, name: str, unit: str, values: np.ndarray) -> None:
    """A name, its last value with the unit, and its curve to the right of them."""
    canvas.write(on, top, _MARGIN, _spoken(name)[:27])
    last = values[-1] if len(values) else np.nan
    canvas.write(on, top + 9, _MARGIN, _shown(last, unit), canvas.GREEN)
    box = on[top : top + _ROW - 5, _NUMBERS_WIDTH : on.shape[1] - _MARGIN]
    draw_curves(box, [(values, canvas.GREEN)])


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: float, unit: str) -> str:
    number = "-" if np.isnan(value) else f"{value:.4g}"
    return number if unit in ("1", "mixed", "") else f"{number} {unit}"
