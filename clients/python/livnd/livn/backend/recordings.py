"""What is recorded of a culture, in livn's rows and on livn's grid of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livnd.series import SeriesSelection

Site = tuple[int, int]  # (gid, section)


class Rows:
    """The sampled sections of one signal, in the order in which they were asked for.

    Attributes:
        dt: ms, by population.
        gids: uint32 [rows].
        sections: [rows], names.
        version: another one after every change.
    """

    def __init__(self, quantity: str) -> None:
        self.quantity = quantity
        self.dt: dict[str, float] = {}
        self.version = 0
        self._sites: dict[Site, tuple[str, str]] = {}  # population, name of the section
        self._arrange()

    def __len__(self) -> int:
        return len(self._sites)

    def add(self, population: str, dt: float, sites: Mapping[Site, str]) -> None:
        """Records more of a population.

        Args:
            population: its name.
            dt: ms between samples.
            sites: what to record, and the names of the sections.

        Raises:
            ValueError: dt is not above 0.
        """
        dt = float(dt)
        if not 0.0 < dt < math.inf:
            raise ValueError(f"the sampling step dt is {dt}; it has to be above 0 ms")
        self.dt[population] = dt
        for site, name in sites.items():
            self._sites.setdefault(site, (population, name))
        self._arrange()

    def row_of(self) -> dict[Site, int]:
        return {site: row for row, site in enumerate(self._sites)}

    def sampled_dt(self) -> float:
        """Of the populations the smallest one; 0.1 ms before there are any."""
        return min(self.dt.values(), default=0.1)

    def _arrange(self) -> None:
        self.version += 1
        self.gids = np.array([gid for gid, _ in self._sites], dtype=np.uint32)
        self.sections = np.array([name for _, name in self._sites.values()], dtype=np.str_)
        # Rows and their sites, by the distance of their samples.
        self.grids: dict[float, tuple[np.ndarray, list[Site]]] = {}
        rows: dict[float, list[int]] = {}
        for row, (population, _) in enumerate(self._sites.values()):
            rows.setdefault(self.dt[population], []).append(row)
        sites = list(self._sites)
        for dt, members in rows.items():
            self.grids[dt] = (np.array(members), [sites[row] for row in members])


@dataclass(frozen=True)
class Part:
    """A series that a run asks for."""

    rows: Rows
    sample_dt: float
    stride: int  # steps between the server's samples
    samples: np.ndarray | None  # which of them are livn's; None: all

    def to_selection(self, dt: float) -> SeriesSelection:
        sites = self.rows.grids[self.sample_dt][1]
        return SeriesSelection(self.rows.quantity, sites, self.stride * dt, dtype=np.float32)


class Recordings:
    """Nothing at first."""

    def __init__(self) -> None:
        self.spikes: list[str] = []  # populations
        self.voltage = Rows("voltage_mv")
        self.current = Rows("membrane_current_ua")

    def parts(self, start_tick: int, num_ticks: int, dt: float) -> list[Part]:
        """What to ask of a run of the culture's ticks, dt ms each."""
        parts = []
        for rows in (self.voltage, self.current):
            for sample_dt in rows.grids:
                ticks = sample_ticks(start_tick, num_ticks, sample_dt, dt)
                stride = max(1, round(sample_dt / dt))
                if np.array_equal(ticks, np.arange(0, num_ticks, stride)):
                    parts.append(Part(rows, sample_dt, stride, None))
                else:
                    parts.append(Part(rows, sample_dt, 1, ticks))
        return parts

    def bytes_per_ms(self, dt: float) -> float:
        """About how large an answer is, per ms of a run, spikes and weights aside."""
        total = 0.0
        for rows in (self.voltage, self.current):
            for sample_dt, (members, _) in rows.grids.items():
                steps = sample_dt / dt
                is_even = steps > 0.5 and abs(steps - round(steps)) < 1e-6
                total += 4 * len(members) / (sample_dt if is_even else dt)
        return total


def sample_ticks(start_tick: int, num_ticks: int, sample_dt: float, dt: float) -> np.ndarray:
    """The ticks of livn's samples that lie in a run, since the run's start.

    Sample j is that of the first step at j sample_dt or after; a step can have several.
    """
    low = math.floor((start_tick - 1) * dt / sample_dt)
    high = math.ceil((start_tick + num_ticks) * dt / sample_dt) + 1
    samples = np.arange(max(0, low), high + 1)
    ticks = np.ceil(samples * (sample_dt / dt) - 1e-6).astype(np.int64) - start_tick
    return ticks[(ticks >= 0) & (ticks < num_ticks)]


def assemble(rows: Rows, parts: Sequence[Part], answers: Sequence[np.ndarray]) -> np.ndarray:
    """A signal's samples [rows, samples] of one run, cut to those that all rows have."""
    found = [
        (
            rows.grids[part.sample_dt][0],
            answer[0] if part.samples is None else answer[0][:, part.samples],
        )
        for part, answer in zip(parts, answers, strict=True)
        if part.rows is rows
    ]
    if len(found) == 1:
        return found[0][1]
    width = min((values.shape[1] for _, values in found), default=0)
    out = np.empty((len(rows), width), dtype=np.float32)
    for members, values in found:
        out[members] = values[:, :width]
    return out
