"""What an Env records: chosen by its record_ methods, asked of the server, handed out in a Run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from livnd import checks
from livnd.culture import CultureInfo
from livnd.errors import invalid_field
from livnd.livn.channels import Events, Series
from livnd.livn.run import Run
from livnd.series import SeriesSelection

# livn records membrane currents of a cell at its soma and its first other section.
_CURRENT_SECTIONS = 2
# A Run's names of what is no state.
_CHANNELS = {
    "voltage_mv": "voltage",
    "membrane_current_ua": "current",
    "electrode_potential_uv": "electrode_potential",
    "learned_weight": "weights",
}


class Recordings:
    """What is recorded of one culture; nothing at first.

    A series is named by its quantity, a state's by "state NAME". Calls that add to one go on with
    its rows, and must ask for the same dt. A call that raises may have added a part of what it
    was asked for: add to a copy().
    """

    def __init__(self) -> None:
        # Whose spikes, in the order of the calls.
        self.spike_populations: list[str] = []
        # By what they record: rows (gid, section) in the order of the calls, and their dt.
        self._rows: dict[str, list[tuple[int, int]]] = {}
        self._dt_ms: dict[str, float] = {}
        # Series whose dt does not fit the culture's, and may fit that of the first run.
        self._waiting: set[str] = set()

    def copy(self) -> Recordings:
        other = Recordings()
        other.spike_populations = list(self.spike_populations)
        other._rows = {what: list(rows) for what, rows in self._rows.items()}
        other._dt_ms = dict(self._dt_ms)
        other._waiting = set(self._waiting)
        return other

    # --- series that wait for the first run ----------------------------------------------------

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def let_wait(self, before: Recordings) -> None:
        """What `before` lacks is first asked for by the next run, with its time step."""
        self._waiting |= self._rows.keys() - (before._rows.keys() - before._waiting)

    def without_waiting(self) -> Recordings:
        other = self.copy()
        for what in other._waiting:
            del other._rows[what], other._dt_ms[what]
        other._waiting = set()
        return other

    def with_waiting(self) -> Recordings:
        """The same, where nothing waits any longer."""
        other = self.copy()
        other._waiting = set()
        return other

    # --- choosing ------------------------------------------------------------------------------

    def add_spikes(self, info: CultureInfo, population: str | Sequence[str] | None) -> None:
        """Records the spikes of populations' cells; None: of all."""
        for p in _populations(info, population):
            if p.name not in self.spike_populations:
                self.spike_populations.append(p.name)

    def add_rows(
        self,
        info: CultureInfo,
        what: str,
        population: str | Sequence[str] | None,
        dt: float,
        gids: Iterable[int] | None,
        sections: str | Sequence[str] | None,
    ) -> None:
        """Records a quantity of sections every dt ms; None: of all populations, cells, sections."""
        dt = self._checked_dt(what, dt)
        chosen = _populations(info, population)
        wanted = None
        if gids is not None:
            wanted = set(checks.integers("gids", gids, "gids of cells, see env.gids").flat)
        if wanted is not None:
            missing = sorted(wanted - set(info.gids.tolist()))
            if missing or not wanted:
                raise invalid_field("gids", missing[:10], "gids of cells, see env.gids")
        names = None
        if sections is not None:
            known = {name for p in chosen for name in p.sections}
            accepted = ", ".join(sorted(known))
            names = checks.names("sections", sections, accepted)
            if unknown := sorted(set(names) - known):
                raise checks.wrong("sections", unknown, accepted)
        found = [
            (gid, section)
            for p in chosen
            for gid in p.gids.tolist()
            if wanted is None or gid in wanted
            for section, name in enumerate(p.sections)
            if names is None or name in names
        ]
        if not found:
            asked = {"population": population, "gids": gids, "sections": sections}
            asked = {name: value for name, value in asked.items() if value is not None}
            raise invalid_field(", ".join(asked), asked, "what some cell has")
        rows = self._rows.setdefault(what, [])
        taken = set(rows)
        rows += [row for row in found if row not in taken]
        self._dt_ms[what] = dt

    def add_membrane_currents(
        self, info: CultureInfo, population: str | Sequence[str] | None, dt: float
    ) -> None:
        """Records membrane currents every dt ms, two sections a cell."""
        for p in _populations(info, population):
            names = list(p.sections[:_CURRENT_SECTIONS])
            self.add_rows(info, "membrane_current_ua", p.name, dt, None, names)

    def add_all(self, what: str, dt: float) -> None:
        """Records a quantity that is no section's, all of it, every dt ms."""
        dt = self._checked_dt(what, dt)
        self._rows[what] = []
        self._dt_ms[what] = dt

    def _checked_dt(self, what: str, dt: Any) -> float:
        dt_ms = checks.number("dt", dt, "a number of ms above 0")
        if not 0 < dt_ms < math.inf:
            raise invalid_field("dt", dt, "a number of ms above 0")
        before = self._dt_ms.get(what)
        if before is None or abs(before - dt_ms) <= 1e-12:
            return dt_ms
        if what not in self._waiting:
            raise invalid_field("dt", dt, f"{before}: {what} is being recorded so already")
        # The server has not taken it yet: the later call is the one that was meant.
        self._waiting.discard(what)
        del self._rows[what]
        return dt_ms

    # --- asking and handing out ----------------------------------------------------------------

    @property
    def spikes(self) -> bool:
        return bool(self.spike_populations)

    def series(self) -> list[SeriesSelection]:
        """All but the spikes and what waits, as the server is asked for it."""
        series = []
        for what, rows in self._rows.items():
            if what in self._waiting:
                continue
            quantity, _, state = what.partition(" ")
            single = quantity != "learned_weight"
            series.append(
                SeriesSelection(
                    quantity,
                    rows,
                    self._dt_ms[what],
                    state,
                    np.float32 if single else np.float64,
                )
            )
        return series

    def to_run(
        self, info: CultureInfo, electrode_ids: np.ndarray, recording: Any, copy: int = 0
    ) -> Run:
        """What a run recorded of a copy, under livn's names; nothing waits any longer."""
        t0 = recording.start_tick * info.dt_ms
        duration = recording.num_ticks * info.dt_ms
        channels: dict[str, Events | Series] = {}
        if self.spikes:
            gids, times = recording.spikes(copy)
            channels["spikes"] = Events(gids.astype(np.uint32), times, t0, duration)
        for (what, rows), array in zip(self._rows.items(), recording.series, strict=True):
            quantity, _, state = what.partition(" ")
            ids: np.ndarray | None = np.array([gid for gid, _ in rows], dtype=np.uint32)
            sections: np.ndarray | None = np.array(_section_names(info, rows))
            if quantity == "electrode_potential_uv":
                ids, sections = electrode_ids, None
            elif quantity == "learned_weight":
                ids, sections = None, None
            name = state or _CHANNELS[quantity]
            channels[name] = Series(ids, array[copy], self._dt_ms[what], t0, sections)
        decoded = tuple({name: each[name][copy] for name in each} for each in recording.decoded)
        return Run(channels, t0, duration, decoded)


def _populations(info: CultureInfo, names: str | Sequence[str] | None) -> list[Any]:
    known = {p.name: p for p in info.populations}
    if names is None:
        return list(known.values())
    wanted = checks.names("population", names, ", ".join(known))
    if not wanted:
        raise invalid_field("population", wanted, ", ".join(known))
    for name in wanted:
        if name not in known:
            raise invalid_field("population", name, ", ".join(known))
    return [known[name] for name in wanted]


def _section_names(info: CultureInfo, rows: Sequence[tuple[int, int]]) -> list[str]:
    names = {gid: p.sections for p in info.populations for gid in p.gids.tolist()}
    return [names[gid][section] for gid, section in rows]
