"""What a picture needs of a recording that a server wrote (docs/recordings.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from livnd.datasets.formats.options import Converted, Options
from livnd.datasets.formats.stimuli import pulses_of
from livnd.datasets.formats.timeline import Timeline
from livnd.datasets.recordings import RecordingFile, Stream, array_of
from livnd.errors import bad_file, invalid_field
from livnd.plots.recorded import Choice, Pulse, Recording, Rewards, Stimulation, Traces, Weights

_MAX_SPIKES = 2_000_000  # that a picture can show, and memory holds
_MAX_PULSES = 8  # that are told one by one
_MAX_TRACES = 8
_MAX_SAMPLES = 20_000  # of a trace; of more the extremes of each bin are shown
_NUM_BINS = 2_000
_NUM_WEIGHT_TIMES = 300
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def is_recording(path: Path) -> bool:
    """Whether it is to be read as a recording of a server."""
    return path.is_file() and path.suffix in (".h5", ".hdf5")


def read_recording_file(path: Path, choice: Choice) -> Recording:
    """The episodes of one copy after each other, or one of them, or a span of time of either.

    Raises:
        BadFileError: it is no recording, or is damaged.
        InvalidFieldError: it has no such copy, episode or time, or too many spikes in it.
    """
    with RecordingFile(path) as recording:
        return _Reader(recording, choice).read()


class _Reader:
    """A window of the time of one copy."""

    def __init__(self, recording: RecordingFile, choice: Choice) -> None:
        self._recording, self._streams = recording, recording.streams
        options = Options(copy=choice.copy)
        self._timeline = timeline = Timeline(recording, options, Converted(recording.path, ""))
        self._tick_ms = recording.tick_ns / 1e6
        begin, end = 0, timeline.num_ticks
        self._title = f"{recording.path.name}, copy {timeline.copy}"
        if choice.episode is not None:
            known = [run.episode for run in timeline.runs]
            if choice.episode not in known:
                accepted = f"{known[0]} .. {known[-1]}"
                raise invalid_field("episode", choice.episode, accepted)
            index = known.index(choice.episode)
            begin = int(timeline.starts[index])
            end = begin + timeline.runs[index].num_ticks
            self._title += f", episode {choice.episode}"
        length_ms = (end - begin) * self._tick_ms
        if not 0 <= choice.begin_ms < length_ms:
            raise invalid_field("begin_ms", choice.begin_ms, f"from 0 on and below {length_ms:g}")
        if choice.begin_ms:
            self._title += f", from {choice.begin_ms / 1000:g} s on"
        self._begin = begin + round(choice.begin_ms / self._tick_ms)
        self._end = end
        if choice.span_ms is not None:
            self._end = min(end, self._begin + max(1, round(choice.span_ms / self._tick_ms)))
        if not recording.is_closed:
            self._title += " (not closed)"

    def read(self) -> Recording:
        ids, times, gids, of_channels = self._spikes()
        stimuli, stimulation = self._stimuli()
        starts = self._timeline.starts
        inside = (starts > self._begin) & (starts < self._end)
        return Recording(
            self._title, of_channels, np.arange(self._num_units(of_channels, ids)), ids, times,
            (self._end - self._begin) * self._tick_ms, gids, stimuli, self._traces(),
            starts_ms=self._ms(starts[inside]), stimulation=stimulation, rewards=self._rewards(),
            weights=self._weights(), heard=self._heard(), array=array_of(self._recording),
        )  # fmt: skip

    # --- events ----------------------------------------------------------------------------------

    def _rows(self, name: str, *columns: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The window's rows of a stream, and their times, part after part."""
        stream = self._streams.get(name)
        if stream is None:
            return
        stream.needs(*columns)
        for rows in stream.parts():
            own = self._timeline.own(rows)
            ticks = self._timeline.ticks(own)
            # A reward's tick is the end of its step, and an episode's may be that of the last.
            late = name == "rewards"
            inside = ticks > self._begin if late else ticks >= self._begin
            inside &= ticks <= self._end if late else ticks < self._end
            yield own[inside], ticks[inside]

    def _ms(self, ticks: np.ndarray) -> np.ndarray:
        return (ticks - self._begin) * self._tick_ms

    def _spikes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Ids, times, gids, and whether the ids are those of electrodes."""
        name, column = "spikes", "gid"
        if name not in self._streams:
            name, column = "channel_events", "channel"
            if name not in self._streams:
                there = ", ".join(self._streams) or "nothing"
                accepted = f"spikes or channel_events, beside {there}"
                raise bad_file(self._recording.path, "spikes", "missing", accepted)
        ids, times, count = [np.empty(0, np.int64)], [np.empty(0)], 0
        for rows, ticks in self._rows(name, column):
            ids.append(rows[column].astype(np.int64))
            times.append(self._ms(ticks))
            count += len(rows)
            if count > _MAX_SPIKES:
                value = f"{(self._end - self._begin) * self._tick_ms:g}"
                accepted = f"less, so that there are {_MAX_SPIKES:,} spikes at most"
                raise invalid_field("span_ms", value, accepted)
        found = np.concatenate(ids)
        of_channels = column == "channel"
        gids = np.full(len(found), -1) if of_channels else found
        return found, np.concatenate(times), gids, of_channels

    def _num_units(self, of_channels: bool, ids: np.ndarray) -> int:
        highest = int(ids.max(initial=-1)) + 1
        potentials = self._streams.get("potentials")
        if of_channels and potentials is not None and "values" in potentials.columns:
            highest = max(highest, potentials.columns["values"].length)
        return highest

    def _heard(self) -> np.ndarray | None:
        """Spikes that each electrode heard."""
        if "channel_events" not in self._streams:
            return None
        counts = np.zeros(0, np.int64)
        for rows, _ in self._rows("channel_events", "channel"):
            more = np.bincount(rows["channel"], minlength=len(counts))
            more[: len(counts)] += counts
            counts = more
        return counts

    def _stimuli(self) -> tuple[list[Pulse], Stimulation | None]:
        name = "stimuli"
        if name not in self._streams:
            return [], None
        found = []
        for rows, ticks in self._rows(name, "channel", "value", "num_ticks"):
            rows = rows.copy()
            rows["tick"] = ticks
            found.append(rows)
        pulses = pulses_of(np.concatenate(found))
        what = str(self._streams[name].attributes.get("channels") or "channel")
        times = self._ms(pulses.ticks)
        if len(pulses) > _MAX_PULSES:
            return [], Stimulation(pulses.channels, times, what)
        labels = [f"{what} {channel}" for channel in pulses.channels.tolist()]
        return [Pulse(one, label) for one, label in zip(times.tolist(), labels, strict=True)], None

    def _rewards(self) -> Rewards | None:
        times, values = [], []
        for rows, ticks in self._rows("rewards", "reward"):
            times.append(self._ms(ticks))
            values.append(rows["reward"])
        if not sum(map(len, times)):
            return None
        return Rewards(np.concatenate(times), np.concatenate(values))

    # --- samples ---------------------------------------------------------------------------------

    def _traces(self) -> Traces | None:
        for name, quantity, unit in (
            ("voltages", "membrane potential", "mV"),
            ("potentials", "electrode potential", "µV"),
        ):
            stream = self._streams.get(name)
            if stream is not None and "values" in stream.columns:
                values, times = self._first_columns(stream)
                if values.shape[1] < 2:
                    continue
                ids = np.arange(stream.columns["values"].length)
                labels = stream.labels
                column = "gid" if name == "voltages" else "channel"
                if labels is not None and column in labels.dtype.names and len(labels) == len(ids):
                    ids = labels[column]
                return Traces(ids, values, 0.0, quantity, unit, times)
        return None

    def _first_columns(self, stream: Stream) -> tuple[np.ndarray, np.ndarray]:
        """Samples [columns, samples] of the first few columns, and their times."""
        num = min(stream.columns["values"].length, _MAX_TRACES)
        kept, times, count = [np.empty((0, num))], [np.empty(0)], 0
        edges = np.linspace(0, (self._end - self._begin) * self._tick_ms, _NUM_BINS + 1)
        low = np.full((_NUM_BINS, num), np.inf)
        high = np.full((_NUM_BINS, num), -np.inf)
        for rows, ticks in self._rows(stream.name, "values"):
            values = rows["values"].reshape(len(rows), -1)[:, :num].astype(np.float64)
            ms = self._ms(ticks)
            count += len(rows)
            if count <= _MAX_SAMPLES:
                kept.append(values)
                times.append(ms)
            places = np.clip(np.searchsorted(edges, ms, side="right") - 1, 0, _NUM_BINS - 1)
            np.minimum.at(low, places, values)
            np.maximum.at(high, places, values)
        if count <= _MAX_SAMPLES:
            return np.concatenate(kept).T, np.concatenate(times)
        seen = np.isfinite(low[:, 0])
        middles = ((edges[1:] + edges[:-1]) / 2)[seen]
        both = np.stack([low[seen], high[seen]], axis=1).reshape(-1, num)
        return both.T, np.repeat(middles, 2)

    def _weights(self) -> Weights | None:
        stream = self._streams.get("learned_weights")
        if stream is None or "values" not in stream.columns or not stream.num_rows:
            return None
        total = sum(len(rows) for rows, _ in self._rows(stream.name, "values"))
        if not total:
            return None
        chosen = np.unique(np.linspace(0, total - 1, _NUM_WEIGHT_TIMES).round().astype(int))
        times, spread, first, last, done = [], [], None, None, 0
        for rows, ticks in self._rows(stream.name, "values"):
            own = chosen[(chosen >= done) & (chosen < done + len(rows))] - done
            done += len(rows)
            if not len(own):
                continue
            values = rows["values"].reshape(len(rows), -1)[own].astype(np.float64)
            times.append(self._ms(ticks[own]))
            spread.append(np.quantile(values, _QUANTILES, axis=1))
            first = values[0] if first is None else first
            last = values[-1]
        return Weights(np.concatenate(times), np.concatenate(spread, axis=1), first, last)
