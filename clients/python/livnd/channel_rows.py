"""Rows of recordings, by the channels that hear their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from livnd import checks
from livnd.errors import invalid_field


class Channels(dict[int, np.ndarray]):
    """Rows by channel, {channel id: array}, of the channels that hear a cell.

    A channel of the array that hears none is not in it, as in livn, but can be asked for: its rows
    are empty.
    """

    def __init__(self, rows: Mapping[int, np.ndarray], silent: Mapping[int, np.ndarray]) -> None:
        super().__init__(rows)
        self._silent = dict(silent)

    def __missing__(self, channel: int) -> np.ndarray:
        return self._silent[channel]

    def __reduce__(self) -> tuple[Any, ...]:
        return Channels, (dict(self), self._silent)


def channel_recording(
    heard: Mapping[int, Any] | np.ndarray, ii: Any, *recordings: Any
) -> Channels | tuple[Channels, ...]:
    """Rows of recordings by channel.

    Args:
        heard: {channel id: gids of the cells that it hears}, or such rows as
            MEA.cell_measurement() gives.
        ii: gid of each row.
        recordings: arrays of as many rows.

    Returns:
        {channel id: its rows' gids}; with recordings a tuple of it and one such of each. Channels
        are in the order of their ids.
    """
    if not isinstance(heard, Mapping):
        rows = checks.array("heard", heard, accepted="rows of channel id, gid")
        heard = {int(c): rows[rows[:, 0] == c, 1].astype(np.int64) for c in np.unique(rows[:, 0])}
    given = rows_of(ii, recordings)
    empty = tuple(array[:0] for array in given)
    found: list[dict[int, np.ndarray]] = [{} for _ in given]
    silent: list[dict[int, np.ndarray]] = [{} for _ in given]
    for channel in sorted(heard):
        hears = len(heard[channel]) > 0
        mask = np.isin(given[0], heard[channel]) if hears else None
        for index, array in enumerate(given):
            if hears:
                found[index][channel] = array[mask]
            else:
                silent[index][channel] = empty[index]
    channels = tuple(Channels(*both) for both in zip(found, silent, strict=True))
    return channels if recordings else channels[0]


def rows_of(ii: Any, recordings: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """Gids and recordings as arrays of equally many rows; InvalidFieldError."""
    ii = checks.integers("ii", ii, "gids of cells").ravel()
    arrays = [np.asarray(recording) for recording in recordings]
    for index, array in enumerate(arrays):
        if array.ndim == 0 or len(array) != len(ii):
            raise invalid_field(
                f"recordings[{index}]", f"shape {array.shape}", f"{len(ii)} rows, one a gid of ii"
            )
    return (ii, *arrays)
