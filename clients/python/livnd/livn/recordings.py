"""What an Env records: chosen by its record_ methods, asked of the server, handed out in a Run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from livnd.culture import CultureInfo, SeriesSelection
from livnd.errors import invalid_field
from livnd.livn.run import Run

# livn records membrane currents of a cell at its soma and its first other section.
_CURRENT_SECTIONS = 2


class Recordings:
    """What is recorded of one culture; nothing at first.

    A series is named by its quantity, a state's by "state NAME". Calls that add to one go on with
    its rows, and must ask for the same dt.
    """

    def __init__(self) -> None:
        self.spikes = False
        # Whether the server knows of all this; the Env says so.
        self.sent = True
        # By what they record: rows (gid, section) in the order of the calls, and their dt.
        self._rows: dict[str, list[tuple[int, int]]] = {}
        self._dt_ms: dict[str, float] = {}

    def forget(self) -> None:
        """Records nothing more."""
        self.spikes = False
        self._rows, self._dt_ms = {}, {}

    # --- choosing ------------------------------------------------------------------------------

    def add_spikes(self, info: CultureInfo, population: str | Sequence[str] | None) -> None:
        """Records the spikes of all cells."""
        _populations(info, population)
        self.spikes = True
        self.sent = False

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
        self._check_dt(what, dt)
        chosen = _populations(info, population)
        wanted = None if gids is None else {int(gid) for gid in gids}
        if wanted is not None:
            missing = sorted(wanted - set(info.gids.tolist()))
            if missing or not wanted:
                raise invalid_field("gids", missing[:10], "gids of cells, see env.gids")
        names = [sections] if isinstance(sections, str) else sections
        if names is not None:
            known = {name for p in chosen for name in p.sections}
            if unknown := sorted(set(names) - known):
                raise invalid_field("sections", unknown, ", ".join(sorted(known)))
        rows = self._rows.setdefault(what, [])
        taken = set(rows)
        for p in chosen:
            for gid in p.gids.tolist():
                if wanted is not None and gid not in wanted:
                    continue
                for section, name in enumerate(p.sections):
                    if (names is None or name in names) and (gid, section) not in taken:
                        rows.append((gid, section))
        self._dt_ms[what] = dt
        self.sent = False

    def add_membrane_currents(
        self, info: CultureInfo, population: str | Sequence[str] | None, dt: float
    ) -> None:
        """Records membrane currents every dt ms, two sections a cell."""
        for p in _populations(info, population):
            names = list(p.sections[:_CURRENT_SECTIONS])
            self.add_rows(info, "membrane_current_ua", p.name, dt, None, names)

    def add_all(self, what: str, dt: float) -> None:
        """Records a quantity that is no section's, all of it, every dt ms."""
        self._check_dt(what, dt)
        self._rows[what] = []
        self._dt_ms[what] = dt
        self.sent = False

    def _check_dt(self, what: str, dt: float) -> None:
        before = self._dt_ms.get(what)
        if before is not None and abs(before - dt) > 1e-12:
            raise invalid_field("dt", dt, f"{before}: {what} is being recorded so already")

    # --- asking and handing out ----------------------------------------------------------------

    def series(self) -> list[SeriesSelection]:
        """All but the spikes, as the server is asked for it."""
        series = []
        for what, rows in self._rows.items():
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

    def to_run(self, info: CultureInfo, recording: Any, t0: float, duration: float) -> Run:
        """What a run of `duration` ms from `t0` recorded, under livn's names."""
        found: dict[str, Any] = {"t0": t0, "duration": duration}
        if self.spikes:
            gids, times = recording.spikes()
            found |= {"spike_ids": gids.astype(np.uint32), "spike_times": times}
        states: dict[str, np.ndarray] = {}
        for (what, rows), array in zip(self._rows.items(), recording.series, strict=True):
            quantity, _, state = what.partition(" ")
            ids = np.array([gid for gid, _ in rows], dtype=np.uint32)
            if quantity == "voltage_mv":
                found |= {"voltage_ids": ids, "voltage": array[0]}
                found["voltage_dt"] = self._dt_ms[what]
                found["voltage_sections"] = np.array(_section_names(info, rows))
            elif quantity == "membrane_current_ua":
                found |= {"current_ids": ids, "current": array[0]}
                found["current_dt"] = self._dt_ms[what]
            elif quantity == "state":
                states[state] = array[0]
            elif quantity == "electrode_potential_uv":
                found["electrode_potential"] = array[0]
            else:
                found["weights"] = array[0]
        return Run(**found, states=states or None)


def _populations(info: CultureInfo, names: str | Sequence[str] | None) -> list[Any]:
    known = {p.name: p for p in info.populations}
    if names is None:
        return list(known.values())
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in known:
            raise invalid_field("population", name, ", ".join(known))
    return [known[name] for name in wanted]


def _section_names(info: CultureInfo, rows: Sequence[tuple[int, int]]) -> list[str]:
    names = {gid: p.sections for p in info.populations for gid in p.gids.tolist()}
    return [names[gid][section] for gid, section in rows]
