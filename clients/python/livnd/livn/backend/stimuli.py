"""What drives the cells: livn's stimuli, held until they are over and sent as a run needs them.

livn lays all samples of a mode on one grid from time 0. Arrays replace what was there before, and
deferred stimuli, which are rendered window by window, are added to it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd.culture import CultureStimulus

_LOG = logging.getLogger("livnd.livn")

QUANTITIES = {
    "extracellular": "extracellular_mv",
    "current": "current_na",
    "current_density": "current_density_ma_cm2",
    "irradiance": "photon_flux",
}
# Of samples in one request; the server takes some times as much.
MAX_BYTES = 16 * 2**20
Site = tuple[int, int]  # gid, section
_AHEAD = 2  # samples past the end of a run that its last steps may look at


@dataclass
class _Item:
    """One stimulus: an array, or what renders windows of it."""

    start: int  # sample of the grid that it begins with
    num_samples: int
    sites: list[Site]  # of its columns that act
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
                f"Stimulus dt mismatch: it is {stimulus.dt} ms, and an earlier one of this mode "
                f"had {self.dt} ms; call clear() before it changes"
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
        return max(1, self._most_samples() - 2 * _AHEAD) * self.dt

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
            until = min(extent, max(needed, first + self._most_samples()))
        if until <= first:
            return None
        sites, samples = self._render(first, until)
        self._sent_until = until
        quantity = QUANTITIES[self.name]
        return CultureStimulus(quantity, samples, self.dt, sites, timing="livn")

    def rows(self) -> dict[Site, int]:
        """The sites that stimuli act on, and their rows in block()."""
        sites = dict.fromkeys(site for item in self._items for site in item.sites)
        return {site: row for row, site in enumerate(sites)}

    def block(self) -> np.ndarray | None:
        """Samples of what is held as arrays [rows, samples since time 0]; None: nothing is."""
        held = [(item, item.array) for item in self._items if item.array is not None]
        if not held:
            return None
        rows = self.rows()
        dtype = np.result_type(np.float32, *(array for _, array in held))
        block = np.zeros((len(rows), max(item.end for item, _ in held)), dtype)
        for item, array in held:
            own = [rows[site] for site in item.sites]
            block[own, item.start : item.end] = array[:, item.columns].T
        return block

    def streams(self) -> list[dict[str, Any]]:
        """What is rendered window by window, as livn's native backend keeps it."""
        rows = self.rows()
        return [
            {
                "stimulus": item.stimulus,
                "rows": np.array([rows[site] for site in item.sites]),
                "columns": item.columns,
                "start_step": item.start,
                "n_steps": item.num_samples,
                "chunk_steps": self._most_samples(),
            }
            for item in self._items
            if item.array is None
        ]

    def forget_sent(self) -> None:
        """What was sent last did not arrive."""
        self._sent_until = 0

    def _most_samples(self) -> int:
        """Of one window: as many as fit into a request, and into livn's LIVN_STIMULUS_CHUNK_MB."""
        from livn.stimulus import chunk_bytes

        return max(1, int(min(MAX_BYTES, chunk_bytes())) // (8 * self._width()))

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


def input_trains(
    system: Any, gids: Sequence[int], path: str, namespace: str, attribute: str
) -> dict[int, np.ndarray]:
    """Spike times, ms, of event sources in a NeuroH5 file; those without any are left out.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is no HDF5 file.
    """
    from livn.backend.native.env import _read_spike_trains

    with open(path, "rb"):
        pass
    sources: dict[str, list[int]] = {}
    for gid in gids:
        for population, (start, count) in system.population_ranges.items():
            if start <= gid < start + count:
                sources.setdefault(population, []).append(gid)
    trains: dict[int, np.ndarray] = {}
    for population, own in sources.items():
        first_gid = int(system.population_ranges[population][0])
        try:
            trains |= _read_spike_trains(path, namespace, attribute, population, own, first_gid)
        except KeyError:
            _LOG.warning("%s has no %s/%s of %s", path, namespace, attribute, population)
    return trains


def photons_per_mw_s(wavelength_nm: float) -> float:
    """Photons/s/mm2 of 1 mW/mm2 of light, with livn's constants."""
    return 1.0 / (6.626e-34 * 3e8 / (wavelength_nm * 1e-9) * 1e3)
