"""What one signal of a run left: events of cells, or sampled rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from livnd.errors import invalid_field


@dataclass(frozen=True, eq=False)
class Events:
    """Events of cells, by time."""

    ids: np.ndarray  # [num_events]: gids
    times: np.ndarray  # float64 [num_events], ms since t0
    t0: float = 0.0  # ms since the last clear
    duration: float = 0.0

    @property
    def values(self) -> np.ndarray:
        """The times, under the name that Series has for its samples."""
        return self.times

    def concat(self, other: Events, shift: float) -> Events:
        """With the events of `other` after them, whose t0 moves by `shift` ms."""
        offset = other.t0 + shift - self.t0
        return replace(
            self,
            ids=np.concatenate([self.ids, other.ids]),
            times=np.concatenate([self.times, other.times + offset]),
            duration=offset + other.duration,
        )


@dataclass(frozen=True, eq=False)
class Series:
    """Samples at equal distances, a row a section, electrode or connection."""

    ids: np.ndarray | None  # [rows]: gids, or electrode ids; None: as get_weights() orders
    values: np.ndarray  # [rows, samples]
    dt: float  # ms
    t0: float = 0.0  # ms since the last clear
    sections: np.ndarray | None = None  # [rows]: "soma", "dend", ...

    @property
    def times(self) -> np.ndarray:
        """Of the samples, ms since t0."""
        return np.arange(self.values.shape[1]) * self.dt

    @property
    def duration(self) -> float:
        return float(self.values.shape[1] * self.dt)

    def concat(self, other: Series, shift: float) -> Series:
        """With the samples of `other` after its own. InvalidFieldError: other rows, or another dt.

        Samples follow each other whatever lies between the two in time, as in livn.
        """
        if abs(self.dt - other.dt) > 1e-9:
            raise invalid_field("dt", other.dt, f"{self.dt}, that of the first series")
        if len(self.values) != len(other.values):
            rows = f"{len(self.values)} rows, those of the first series"
            raise invalid_field("values", f"{len(other.values)} rows", rows)
        return replace(self, values=np.concatenate([self.values, other.values], axis=1))
