"""Spikes in the order of units, of recordings that are larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from livnd.datasets.formats.timeline import Timeline
from livnd.datasets.recordings import RecordingFile
from livnd.datasets.recordings.runs import Progress

_PART_ROWS = 1 << 20


class SpikeTrains:
    """The ticks of each unit's spikes, one unit after the other, each in order.

    They are gathered in a file of 8 bytes a spike, which is mapped into memory.

    Args:
        recording: open.
        stream: "spikes" or "channel_events".
        column: of it, with the units.
        timeline: of the copy.
        units: ids of all; None: those that have spikes.
        spool: a path for that file, where there is nothing.
        progress: is told how far it has come.

    Attributes:
        units: int64, rising.
        counts: spikes of each.
    """

    def __init__(
        self,
        recording: RecordingFile,
        stream: str,
        column: str,
        timeline: Timeline,
        units: np.ndarray | None,
        spool: Path,
        progress: Progress,
    ) -> None:
        source = recording.streams[stream].needs(column)
        counts: dict[int, int] = {}
        done = 0
        for rows in source.parts():
            found, numbers = np.unique(timeline.own(rows)[column], return_counts=True)
            for unit, number in zip(found.tolist(), numbers.tolist(), strict=True):
                counts[unit] = counts.get(unit, 0) + number
            done += len(rows)
            progress(f"counting {stream}", done, source.num_rows)
        known = set() if units is None else {int(unit) for unit in units}
        self.units = np.array(sorted(known | set(counts)), np.int64)
        self.counts = np.array([counts.get(unit, 0) for unit in self.units.tolist()], np.int64)
        self._ends = np.cumsum(self.counts)
        self._ticks = np.empty(0, np.int64)
        if len(self):
            self._ticks = np.memmap(spool, np.int64, "w+", shape=(len(self),))
            self._gather(source.parts(), column, timeline, stream, source.num_rows, progress)

    def __len__(self) -> int:
        """Of all spikes."""
        return int(self.counts.sum())

    @property
    def ends(self) -> np.ndarray:
        """Where each unit's spikes end."""
        return self._ends

    def parts(self) -> Iterator[np.ndarray]:
        """The ticks, some at a time."""
        for begin in range(0, len(self), _PART_ROWS):
            yield np.asarray(self._ticks[begin : begin + _PART_ROWS])

    def _gather(
        self,
        parts: Iterator[np.ndarray],
        column: str,
        timeline: Timeline,
        stream: str,
        total: int,
        progress: Progress,
    ) -> None:
        filled, done = self._ends - self.counts, 0
        for rows in parts:
            done += len(rows)
            own = timeline.own(rows)
            which = np.searchsorted(self.units, own[column])
            ticks = timeline.ticks(own)
            order = np.lexsort((ticks, which))
            which, ticks = which[order], ticks[order]
            numbers = np.bincount(which, minlength=len(self.units))
            # Of each unit the first free place, and then on.
            within = np.arange(len(which)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
            self._ticks[filled[which] + within] = ticks
            filled += numbers
            progress(f"sorting {stream}", done, total)
        # Rows come in the order of time, but nothing says that they must.
        for begin, end in zip(
            (self._ends - self.counts).tolist(), self._ends.tolist(), strict=True
        ):
            own = self._ticks[begin:end]
            if len(own) > 1 and (np.diff(own) < 0).any():
                own.sort()
