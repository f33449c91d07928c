"""What an electrode sees and hears of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from livnd import checks
from livnd.channel_rows import rows_of
from livnd.culture import ElectrodeHearing
from livnd.errors import invalid_field
from livnd.specs import System


def by_channel(
    system: System, gids: np.ndarray, radius_um: float, ii: Any, recordings: Sequence[Any]
) -> dict[int, np.ndarray] | tuple[dict[int, np.ndarray], ...]:
    """Rows of recordings by the electrodes within whose radius their cells' somata are.

    Args:
        system: with the positions of cells and electrodes.
        gids: of the cells that electrodes see.
        radius_um: how far, inclusive.
        ii: gid of each row.
        recordings: arrays of as many rows.

    Returns:
        {electrode id: its rows' gids}; with recordings a tuple of it and one such of each.
    """
    ii, *arrays = rows_of(ii, recordings)
    somata = system.positions_um[gids]
    found: tuple[dict[int, np.ndarray], ...] = tuple({} for _ in (ii, *arrays))
    positions = zip(system.electrode_ids.tolist(), system.electrode_positions_um, strict=True)
    for electrode, position in positions:
        seen = gids[np.sqrt(((position - somata) ** 2).sum(axis=1)) <= radius_um]
        rows = np.isin(ii, seen)
        for channels, array in zip(found, (ii, *arrays), strict=True):
            channels[electrode] = array[rows]
    return found if arrays else found[0]


def potentials(hearing: ElectrodeHearing, currents: Any, gids: Any | None) -> np.ndarray:
    """What electrodes hear of membrane currents, uV, [electrodes, samples].

    Args:
        hearing: of the culture.
        currents: uA, [rows, samples].
        gids: of each row; the n-th row of a cell is the n-th of its sites. None: all sites.
    """
    accepted = "numbers, [rows, samples]"
    currents = checks.array("membrane_currents", currents, accepted=accepted)
    if currents.ndim != 2:
        raise invalid_field("membrane_currents", f"{currents.ndim} axes", "[rows, samples]")
    sites = np.arange(len(hearing.gids))
    if gids is not None:
        sites_of: dict[int, list[int]] = {}
        for site, gid in enumerate(hearing.gids.tolist()):
            sites_of.setdefault(gid, []).append(site)
        rows = checks.integers("gids", gids, "gids of cells").ravel().tolist()
        for row, gid in enumerate(rows):
            if not sites_of.get(gid):
                accepted = "gids of built cells, each as often as the cell has sites"
                raise invalid_field(f"gids[{row}]", gid, accepted)
            rows[row] = sites_of[gid].pop(0)
        sites = np.array(rows, dtype=int)
    if len(currents) != len(sites):
        raise invalid_field(
            "membrane_currents", f"{len(currents)} rows", f"{len(sites)}, one a recorded site"
        )
    return hearing.gains[:, sites] @ currents
