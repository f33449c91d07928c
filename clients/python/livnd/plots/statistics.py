"""How spikes follow each other: intervals and bursts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Bursts:
    """The bursts of all units, each an element."""

    units: np.ndarray  # int64
    starts_ms: np.ndarray
    ends_ms: np.ndarray  # of their last spikes
    num_spikes: np.ndarray  # int64

    def __len__(self) -> int:
        return len(self.units)

    @property
    def durations_ms(self) -> np.ndarray:
        return self.ends_ms - self.starts_ms


def intervals(ids: np.ndarray, times_ms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The intervals between the spikes of each unit, ms, and whose they are.

    Args:
        ids: unit of each spike.
        times_ms: of each spike, in any order.
    """
    ids, times_ms = _ordered(ids, times_ms)
    same = ids[1:] == ids[:-1]
    return np.diff(times_ms)[same], ids[1:][same]


def interval_cv(ids: np.ndarray, times_ms: np.ndarray, min_intervals: int = 4) -> np.ndarray:
    """The coefficient of variation of each unit's intervals, of units with enough of them."""
    between, owners = intervals(ids, times_ms)
    found = []
    for unit in np.unique(owners):
        own = between[owners == unit]
        if len(own) >= min_intervals and own.mean() > 0:
            found.append(own.std() / own.mean())
    return np.array(found)


def find_bursts(
    ids: np.ndarray, times_ms: np.ndarray, max_interval_ms: float = 100.0, min_spikes: int = 5
) -> Bursts:
    """Runs of a unit's spikes that follow each other closely.

    A burst is at least `min_spikes` spikes, none of them more than `max_interval_ms` after the one
    before (a fixed interval, as in Chiappalone et al., Neurocomputing 65, 2005).
    """
    ids, times_ms = _ordered(ids, times_ms)
    if not len(ids):
        none = np.empty(0)
        return Bursts(none.astype(np.int64), none, none, none.astype(np.int64))
    follows = (ids[1:] == ids[:-1]) & (np.diff(times_ms) <= max_interval_ms)
    first = np.flatnonzero(np.concatenate([[True], ~follows]))
    last = np.concatenate([first[1:], [len(ids)]]) - 1
    counts = last - first + 1
    kept = counts >= min_spikes
    first, last = first[kept], last[kept]
    return Bursts(ids[first], times_ms[first], times_ms[last], counts[kept])


def _ordered(ids: np.ndarray, times_ms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ids, times_ms = np.asarray(ids, np.int64), np.asarray(times_ms, np.float64)
    order = np.lexsort((times_ms, ids))
    return ids[order], times_ms[order]
