"""The runs of one copy after each other, on one axis of time."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from livnd.datasets.formats.options import Converted, Options, only_copy, tell_repeated
from livnd.datasets.recordings import RecordingFile
from livnd.datasets.recordings.runs import Run, Runs

_STARTED = "start_unix_s"
_MAX_UNIX_S = 253_402_300_799  # the year 9999


class Timeline:
    """Where a copy's ticks lie: its episodes follow each other without a pause.

    An episode begins where the one before it ended. Where only its later part was recorded, what
    was before that has its place, too.

    Attributes:
        copy: whose.
        runs: its episodes, in their order.
        starts: tick at which each begins, int64.
        num_ticks: of all.
    """

    def __init__(self, recording: RecordingFile, options: Options, made: Converted) -> None:
        """Reads the keys of all streams; InvalidFieldError: there are several copies."""
        names = [name for name, stream in recording.streams.items() if stream.is_keyed]
        everything = Runs(recording, [], timing=names, progress=options.progress)
        self.copy = only_copy(recording, options.copy, everything.copies)
        self.runs: list[Run] = [run for run in everything if run.copy == self.copy]
        lengths = np.array([run.num_ticks for run in self.runs], np.int64)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
        self.num_ticks = int(lengths.sum())
        tell_repeated(everything, made)
        self._episodes = np.array([run.episode for run in self.runs], np.int64)

    def own(self, rows: np.ndarray) -> np.ndarray:
        """The rows of the copy."""
        return rows[rows["copy"] == self.copy]

    def ticks(self, rows: np.ndarray) -> np.ndarray:
        """Ticks of the copy's rows on the axis of time."""
        episode = np.searchsorted(self._episodes, rows["episode"])
        return self.starts[episode] + rows["tick"]


def start_time(recording: RecordingFile, options: Options, made: Converted) -> datetime:
    """When the recording was begun: as asked for, as it tells, or when it was last written."""
    if options.start_time is not None:
        return options.start_time
    told = recording.attributes.get(_STARTED)
    if isinstance(told, (int, float)) and 0 < told < _MAX_UNIX_S:
        return datetime.fromtimestamp(told, timezone.utc)
    made.notes.append(
        "the recording does not tell when it was begun: the time is when it was last written"
    )
    return datetime.fromtimestamp(recording.path.stat().st_mtime, timezone.utc)
