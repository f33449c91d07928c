"""Pulses of a recording's stimuli."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Pulses:
    """Pulses, by their onsets. A pulse is what one channel had without a pause: its phases.

    Attributes:
        channels: int64.
        ticks: of the onsets.
        values: of the first phase.
        num_ticks: how long, all phases together.
    """

    channels: np.ndarray
    ticks: np.ndarray
    values: np.ndarray
    num_ticks: np.ndarray

    def __len__(self) -> int:
        return len(self.ticks)


def pulses_of(rows: np.ndarray) -> Pulses:
    """The pulses of rows of one run's stimuli, in any order."""
    order = np.lexsort((rows["tick"], rows["channel"]))
    rows = rows[order]
    channels, ticks = rows["channel"].astype(np.int64), rows["tick"]
    ends = ticks + rows["num_ticks"]
    begins = np.ones(len(rows), bool)
    begins[1:] = (channels[1:] != channels[:-1]) | (ticks[1:] != ends[:-1])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows)) - 1
    found = (channels[first], ticks[first], rows["value"][first], ends[last] - ticks[first])
    by_onset = np.lexsort((found[0], found[1]))
    return Pulses(*(one[by_onset] for one in found))
