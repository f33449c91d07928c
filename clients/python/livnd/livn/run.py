"""What a run gives, in livn's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Run:
    """The recordings of one run; what was not recorded is None.

    Unpacks into livn's six: spike ids and times, voltage ids and values, current ids and values.
    """

    t0: float  # ms since the last clear
    duration: float
    spike_ids: np.ndarray | None = None  # uint32 [num_spikes], by time
    spike_times: np.ndarray | None = None  # float64 [num_spikes], ms since t0
    voltage_ids: np.ndarray | None = None  # uint32 [rows]: gids
    voltage: np.ndarray | None = None  # float32 [rows, samples], mV
    voltage_sections: np.ndarray | None = None  # [rows]: "soma", "dend", ...
    voltage_dt: float | None = None
    current_ids: np.ndarray | None = None  # uint32 [rows]: gids
    current: np.ndarray | None = None  # float32 [rows, samples], uA
    current_dt: float | None = None
    states: dict[str, np.ndarray] | None = None  # float32 [rows, samples] each
    electrode_potential: np.ndarray | None = None  # float32 [electrodes, samples], uV
    weights: np.ndarray | None = None  # float64 [connections, samples], as get_weights() orders

    def __iter__(self) -> Iterator[np.ndarray | None]:
        yield self.spike_ids
        yield self.spike_times
        yield self.voltage_ids
        yield self.voltage
        yield self.current_ids
        yield self.current
