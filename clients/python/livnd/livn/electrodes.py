"""Which cells an electrode sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
    ii = np.asarray(ii)
    arrays = [np.asarray(recording) for recording in recordings]
    for index, array in enumerate(arrays):
        if len(array) != len(ii):
            raise invalid_field(
                f"recordings[{index}]", f"{len(array)} rows", f"{len(ii)}, one a gid of ii"
            )
    somata = system.positions_um[gids]
    found: tuple[dict[int, np.ndarray], ...] = tuple({} for _ in (ii, *arrays))
    positions = zip(system.electrode_ids.tolist(), system.electrode_positions_um, strict=True)
    for electrode, position in positions:
        seen = gids[np.sqrt(((position - somata) ** 2).sum(axis=1)) <= radius_um]
        rows = np.isin(ii, seen)
        for channels, array in zip(found, (ii, *arrays), strict=True):
            channels[electrode] = array[rows]
    return found if arrays else found[0]
