"""Which runs a recording has, and the rows of one run after the other.

A run is what one copy did in one of its episodes, or in a window of it. Streams have their rows in
the order in which they came, copies among each other: finding a run's rows is a matter of one pass
over the keys of all, after which only parts that have some of them are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livnd.datasets.recordings.file import RecordingFile
from livnd.datasets.recordings.stream import Stream
from livnd.errors import bad_file, invalid_field

# What of a stream is read at once: (its name, rows read, rows in all).
Progress = Callable[[str, int, int], None]

_MAX_RUNS = 10_000_000
_MAX_GROUP = 4096
# Their ticks are the beginning or the end of something.
_INSTANTS = ("rewards", "episode_starts")
_BETWEEN = ("actions.", "observations.")


@dataclass(frozen=True)
class Run:
    """A run, or a window of one.

    Attributes:
        copy: of the session.
        episode: of the copy.
        begin_tick: since the episode began, of the window; 0 of a whole run.
        num_ticks: how long it is, as far as its rows tell.
        seed: of the episode, if that was recorded.
    """

    copy: int
    episode: int
    begin_tick: int
    num_ticks: int
    seed: int | None = None


class Runs:
    """The runs of a recording, by episode, window and copy.

    Memory is proportional to the number of runs and of parts, not of rows.

    Args:
        recording: open.
        streams: names of those whose rows are asked for.
        timing: of others, which only tell which runs there are and how long they were.
        copy: only this one; None: all.
        window_ticks: cuts runs into windows of so many ticks; 0: whole runs.
        progress: is told how far the pass has come.

    Attributes:
        copies: of which there are rows, whether asked for or not.
        repeated: copy and episode of those that were gone on with after a Restore: rows from before
            it and after it cannot be told apart.
    """

    def __init__(
        self,
        recording: RecordingFile,
        streams: Sequence[str],
        *,
        timing: Sequence[str] = (),
        copy: int | None = None,
        window_ticks: int = 0,
        progress: Progress = lambda name, done, total: None,
    ) -> None:
        self._recording, self._copy, self._window = recording, copy, window_ticks
        self._streams = {name: recording.streams[name].needs() for name in streams}
        read = {**self._streams, **{name: recording.streams[name].needs() for name in timing}}
        total, done = sum(stream.num_rows for stream in read.values()), 0
        self.copies: set[int] = set()
        # Of each run: its first tick, and the one after its last.
        self._bounds: dict[tuple[int, int], tuple[int, int]] = {}
        self._seeds: dict[tuple[int, int], int] = {}
        self.repeated: list[tuple[int, int]] = []
        counts: dict[str, dict[tuple[int, int, int], int]] = {name: {} for name in streams}
        parts: dict[str, list[tuple[range, np.ndarray]]] = {name: [] for name in streams}
        for name, stream in read.items():
            for span in stream.spans():
                keys, found = self._scan(stream, stream.read(span.start, span.stop))
                done += len(span)
                progress("finding runs", done, total)
                if name in counts:
                    for key, count in zip(map(tuple, keys.tolist()), found.tolist(), strict=True):
                        counts[name][key] = counts[name].get(key, 0) + count
                    if len(keys):
                        parts[name].append((span, keys))
        keys = self._all_keys()
        self._index = {key: index for index, key in enumerate(keys)}
        self._runs = [self._run(*key) for key in keys]
        self._sums = {
            name: np.concatenate([[0], np.cumsum([own.get(key, 0) for key in keys])]).astype(int)
            for name, own in counts.items()
        }
        # Of each part that is read at once: the first and the last run that it has rows of.
        self._spans = {
            name: [(span, *self._ends(found)) for span, found in own] for name, own in parts.items()
        }

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index: int) -> Run:
        return self._runs[index]

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def counts(self, stream: str) -> np.ndarray:
        """Rows of a stream in each run."""
        sums = self._sums.get(stream)
        return np.zeros(len(self._runs), np.int64) if sums is None else np.diff(sums)

    def rows(self, stream: str, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows of runs begin .. end - 1, in their order and by ticks, and how many each has."""
        if stream not in self._streams:
            return np.empty(0), np.zeros(end - begin, np.int64)
        source, kept, owners = self._streams[stream], [], []
        for span, low, high in self._spans[stream]:
            if high < begin or low >= end:
                continue
            rows = source.read(span.start, span.stop)
            owner = self._owners(rows)
            own = (owner >= begin) & (owner < end)
            kept.append(rows[own])
            owners.append(owner[own])
        if not kept:
            return np.empty(0, source.dtype), np.zeros(end - begin, np.int64)
        rows, owner = np.concatenate(kept), np.concatenate(owners)
        order = np.lexsort((rows["tick"], owner))
        return rows[order], np.bincount(owner - begin, minlength=end - begin)

    def groups(self, max_rows: Mapping[str, int]) -> Iterator[tuple[int, int]]:
        """Runs begin .. end - 1 after each other that have at most so many rows of each stream.

        A run with more than that is alone.
        """
        begin = 0
        while begin < len(self._runs):
            end = min(begin + _MAX_GROUP, len(self._runs))
            for name, most in max_rows.items():
                sums = self._sums.get(name)
                if sums is not None:
                    fitting = int(np.searchsorted(sums, sums[begin] + most, side="right")) - 1
                    end = min(end, fitting)
            end = max(end, begin + 1)
            yield begin, end
            begin = end

    def _scan(self, stream: Stream, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The keys that rows have, and how many rows each; notes where runs begin and end."""
        keys, owner = self._keys(rows)
        chosen = owner >= 0
        if not len(keys):
            return keys, np.empty(0, np.int64)
        rows, owner = rows[chosen], owner[chosen]
        ticks = rows["tick"]
        if ticks.min() < 0:
            accepted = "ticks from 0 on"
            raise bad_file(self._recording.path, f"{stream.name}.tick", ticks.min(), accepted)
        lowest = np.full(len(keys), np.iinfo(np.int64).max)
        highest = np.zeros(len(keys), np.int64)
        np.minimum.at(lowest, owner, ticks)
        np.maximum.at(highest, owner, ticks + self._ticks_of_row(stream, rows))
        for key, low, high in zip(keys.tolist(), lowest.tolist(), highest.tolist(), strict=True):
            run = (key[2], key[0])
            before = self._bounds.get(run, (low, high))
            self._bounds[run] = (min(before[0], low), max(before[1], high))
        if stream.name == "episode_starts" and "seed" in stream.columns:
            for copy, episode, seed in zip(
                rows["copy"], rows["episode"], rows["seed"], strict=True
            ):
                run = (int(copy), int(episode))
                if run in self._seeds and run not in self.repeated:
                    self.repeated.append(run)
                self._seeds[run] = int(seed)
        return keys, np.bincount(owner, minlength=len(keys))

    def _ticks_of_row(self, stream: Stream, rows: np.ndarray) -> np.ndarray | int:
        """How long after its tick what a row tells is over."""
        if stream.name in _INSTANTS or stream.name.startswith(_BETWEEN):
            return 0
        if "num_ticks" in stream.columns:
            return rows["num_ticks"]
        step_ms = stream.attributes.get("sample_dt_ms")
        if isinstance(step_ms, (int, float)) and step_ms > 0:
            return max(1, round(step_ms * 1e6 / self._recording.tick_ns))
        return 1

    def _keys(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The different keys (episode, window, copy) of rows, and which of them each row has.

        -1 for rows of copies that nobody asked for.
        """
        if not len(rows):
            return np.empty((0, 3), np.int64), np.empty(0, np.int64)
        window = rows["tick"] // self._window if self._window else np.zeros(len(rows), np.int64)
        episode, copy = rows["episode"], rows["copy"].astype(np.int64)
        new = (np.diff(episode) != 0) | (np.diff(window) != 0) | (np.diff(copy) != 0)
        starts = np.concatenate([[0], np.flatnonzero(new) + 1])
        stretches = np.stack([episode[starts], window[starts], copy[starts]], axis=1)
        keys, which = np.unique(stretches, axis=0, return_inverse=True)
        which = which.reshape(-1)
        self.copies.update(keys[:, 2].tolist())
        if self._copy is not None:
            chosen = keys[:, 2] == self._copy
            renamed = np.where(chosen, np.cumsum(chosen) - 1, -1)
            keys, which = keys[chosen], renamed[which]
        return keys, np.repeat(which, np.diff(np.append(starts, len(rows))))

    def _owners(self, rows: np.ndarray) -> np.ndarray:
        keys, which = self._keys(rows)
        index = np.array([self._index[tuple(key)] for key in keys.tolist()] + [-1], np.int64)
        return index[which]

    def _all_keys(self) -> list[tuple[int, int, int]]:
        """Of each run, and of all its windows from its first tick on, silent ones, too."""
        if not self._window:
            return sorted((episode, 0, copy) for copy, episode in self._bounds)
        found: list[tuple[int, int, int]] = []
        for (copy, episode), (low, high) in self._bounds.items():
            first, last = low // self._window, -(-max(high, low + 1) // self._window)
            if len(found) + last - first > _MAX_RUNS:
                value = f"{self._window} ticks"
                raise invalid_field("window", value, f"no more than {_MAX_RUNS:,} windows")
            found += [(episode, window, copy) for window in range(first, last)]
        return sorted(found)

    def _run(self, episode: int, window: int, copy: int) -> Run:
        begin = window * self._window
        ticks = self._bounds[copy, episode][1] - begin
        if self._window:
            ticks = min(ticks, self._window)
        return Run(copy, episode, begin, max(ticks, 1), self._seeds.get((copy, episode)))

    def _ends(self, keys: np.ndarray) -> tuple[int, int]:
        indices = [self._index[tuple(key)] for key in keys.tolist()]
        return min(indices), max(indices)
