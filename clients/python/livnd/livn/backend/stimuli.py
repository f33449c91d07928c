"""What drives the cells: livn's stimuli, held until they are over and sent as a run needs them.

livn lays all samples of a mode on one grid from time 0. Arrays replace what was there before, and
deferred stimuli, which are rendered window by window, are added to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd.culture import CultureStimulus

QUANTITIES = {
    "extracellular": "extracellular_mv",
    "current": "current_na",
    "current_density": "current_density_ma_cm2",
    "irradiance": "photon_flux",
}
# Of samples in one request; the server takes some times as much.
MAX_BYTES = 16 * 2**20
_AHEAD = 2  # samples past the end of a run that its last steps may look at


@dataclass
class _Item:
    """One stimulus: an array, or what renders windows of it."""

    start: int  # sample of the grid that it begins with
    num_samples: int
    sites: list[tuple[int, int]]  # (gid, section) of its columns that act
    columns: np.ndarray  # which those are
    array: np.ndarray | None
    stimulus: Any

    @property
    def end(self) -> int:
        return self.start + self.num_samples


class Mode:
    """The stimuli of one of livn's input modes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dt: float | None = None
        self.scale: float | None = None
        self._bounds: tuple[float, float] | None = None
        self._units: str | None = None
        self._items: list[_Item] = []
        self._sent_until = 0  # the server has all samples before this one

    @property
    def is_active(self) -> bool:
        return bool(self._items)

    def add(
        self,
        stimulus: Any,
        sites: Sequence[tuple[int, tuple[int, int]]],
        time_ms: float,
        bounds: tuple[float, float] | None,
        scale: float,
    ) -> None:
        """Lets a stimulus act from `time_ms` on.

        Args:
            stimulus: livn's, of this mode.
            sites: (column, (gid, section)) of those that act, in order; a later one of the same
                site replaces an earlier one.
            time_ms: of the culture.
            bounds: of its values, as livn's models declare them.
            scale: factor of its values.

        Raises:
            ValueError: its dt is another one than that of an earlier stimulus; it is out of bounds.
        """
        from livn.stimulus import check_bounds

        if self.dt is None:
            self.dt = float(stimulus.dt)
        elif not math.isclose(self.dt, stimulus.dt, rel_tol=0.0, abs_tol=1e-12):
            raise ValueError(
                f"the dt of the stimulus is {stimulus.dt} ms, and an earlier one of this mode had "
                f"{self.dt} ms; clear() before it changes"
            )
        self._units, self._bounds, self.scale = stimulus.units, bounds, scale
        column_of = {site: column for column, site in sites}
        if not column_of:
            return
        array = None
        if stimulus.deferred:
            num_samples = round(stimulus.duration / stimulus.dt)
        else:
            array = np.asarray(stimulus.array)
            check_bounds(array, bounds, self.name, stimulus.units)
            num_samples = array.shape[0]
        start = round(time_ms / stimulus.dt)
        columns = np.array(list(column_of.values()))
        item = _Item(start, num_samples, list(column_of), columns, array, stimulus)
        self._items.append(item)
        self._sent_until = min(self._sent_until, start)

    def prune(self, time_ms: float) -> None:
        """Forgets what is over."""
        if self._items:
            now = int(time_ms / self.dt)
            self._items = [item for item in self._items if now < item.end]

    def max_ms(self) -> float:
        """How long a run may be for its samples to fit into one request."""
        if not self._items:
            return math.inf
        return max(1, MAX_BYTES // (8 * self._width()) - 2 * _AHEAD) * self.dt

    def window(self, time_ms: float, end_ms: float) -> CultureStimulus | None:
        """What the server still lacks for a run from one time to another; None: nothing.

        Args:
            time_ms: where the run begins, by the durations that the server was told.
            end_ms: where it ends.

        Raises:
            ValueError: what was rendered is out of bounds, or has other columns than it should.
        """
        if not self._items:
            return None
        extent = max(item.end for item in self._items)
        needed = min(extent, math.ceil(end_ms / self.dt) + _AHEAD)
        if needed <= self._sent_until:
            return None
        first = round(time_ms / self.dt)
        until = needed
        if all(item.array is not None for item in self._items):
            until = min(extent, max(needed, first + MAX_BYTES // (8 * self._width())))
        if until <= first:
            return None
        sites, samples = self._render(first, until)
        self._sent_until = until
        quantity = QUANTITIES[self.name]
        return CultureStimulus(quantity, samples, self.dt, sites, timing="livn")

    def forget_sent(self) -> None:
        """What was sent last did not arrive."""
        self._sent_until = 0

    def _width(self) -> int:
        return max(1, len({site for item in self._items for site in item.sites}))

    def _render(self, first: int, until: int) -> tuple[list[tuple[int, int]], np.ndarray]:
        """Sites, and their samples [until - first, sites]."""
        from livn.stimulus import check_bounds

        row_of: dict[tuple[int, int], int] = {}
        for item in self._items:
            for site in item.sites:
                row_of.setdefault(site, len(row_of))
        field = np.zeros((until - first, len(row_of)))
        for deferred in (False, True):
            for item in self._items:
                low, high = max(first, item.start), min(until, item.end)
                if (item.array is None) != deferred or high <= low:
                    continue
                rows = [row_of[site] for site in item.sites]
                if item.array is not None:
                    values = item.array[low - item.start : high - item.start]
                    field[low - first : high - first, rows] = values[:, item.columns]
                    continue
                dt = item.stimulus.dt
                window = ((low - item.start) * dt, (high - item.start) * dt)
                values = np.asarray(item.stimulus.window(*window))[: high - low]
                if values.shape[0]:
                    check_bounds(values, self._bounds, self.name, self._units)
                    at = slice(low - first, low - first + values.shape[0])
                    field[at, rows] += values[:, item.columns]
        if self.scale != 1.0:
            field *= self.scale
        return list(row_of), field


def columns_that_act(
    stimulus: Any, num_sections: Mapping[int, int], lit: frozenset[int] | None
) -> list[tuple[int, tuple[int, int]]]:
    """(column, (gid, section)) of the columns that belong to something; the others do nothing.

    Args:
        stimulus: livn's, which names its cells.
        num_sections: of each cell that is there.
        lit: gids of the cells that see light, with their somata; None: it is no light.
    """
    found = []
    for column, (gid, section) in enumerate(stimulus.columns()):
        if section < num_sections.get(gid, 0) and (lit is None or (section == 0 and gid in lit)):
            found.append((column, (gid, section)))
    return found


def photons_per_mw_s(wavelength_nm: float) -> float:
    """Photons/s/mm2 of 1 mW/mm2 of light, with livn's constants."""
    return 1.0 / (6.626e-34 * 3e8 / (wavelength_nm * 1e-9) * 1e3)
