"""Runs of a recording as rows of livn's layouts (columns.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from livnd import extras
from livnd.channel_rows import channel_recording
from livnd.datasets.formats.options import Converted, Options, check_copy, tell_repeated
from livnd.datasets.formats.stimuli import pulses_of
from livnd.datasets.recordings import RecordingFile, array_of
from livnd.datasets.recordings.runs import Run, Runs
from livnd.errors import bad_file, invalid_field

# Of one row; more do not fit into the lists of other readers, nor into memory with comfort.
MAX_SPIKES = 10_000_000
_MAX_VALUES = 1 << 27
# What is in memory at once.
_GROUP_SPIKES = 500_000
_GROUP_BYTES = 64 << 20
# Column names of a layout, by what they hold.
_NAMES = {
    "runs": {"gids": "it", "times": "tt", "voltages": ("iv", "vv"), "length": "duration"},
    "trials": {
        "gids": "trial_it", "times": "trial_t", "voltages": ("trial_iv", "trial_vv"),
        "length": "t_end",
    },
    "channels": {"gids": "cit", "times": "ctt", "length": "t_end"},
}  # fmt: skip
# Series that a layout has a place for.
_SERIES = {
    "runs": ("voltages", "membrane_currents"), "trials": ("voltages",), "channels": ("potentials",),
}  # fmt: skip
_TIMING = ("rewards", "episode_starts")


class RunRows:
    """The rows of a recording, a batch after the other.

    Attributes:
        schema: pyarrow.Schema of all batches.
        metadata: what livn's conversion_metadata.json says of such rows.
        num_rows: in all.
    """

    def __init__(self, recording: RecordingFile, options: Options, made: Converted) -> None:
        """Finds the runs.

        Raises:
            BadFileError: the recording has no spikes, or no rows at all.
            InvalidFieldError: a row would be too long.
        """
        self._recording, self._options, self._made = recording, options, made
        self._pa = extras.load("pyarrow", "data", "writing rows")
        if "spikes" not in recording.streams:
            there = ", ".join(recording.streams) or "nothing"
            raise bad_file(recording.path, "spikes", "missing", f"spikes, beside {there}")
        self._heard = self._heard_by_channel() if options.layout == "channels" else {}
        streams = ["spikes", "stimuli", *_SERIES[options.layout]]
        streams = [name for name in streams if name in recording.streams]
        for name in streams:
            columns = {"spikes": ["gid"], "stimuli": ["channel", "value", "num_ticks"]}
            recording.streams[name].needs(*columns.get(name, ["values"]))
        self._series = [name for name in streams if name not in ("spikes", "stimuli")]
        self._runs = Runs(
            recording,
            streams,
            timing=[name for name in _TIMING if name in recording.streams],
            copy=options.copy,
            window_ticks=self._window_ticks(),
            progress=options.progress,
        )
        check_copy(recording, options.copy, self._runs.copies)
        tell_repeated(self._runs, made)
        self._check_sizes()
        self._labels = {name: self._gids_of(name) for name in self._series}
        self.schema = self._schema()
        self.metadata = self._metadata()
        self.num_rows = len(self._runs)
        self._tell_what_is_left_out(streams)

    def batches(self) -> Iterator[Any]:
        """All rows as pyarrow.RecordBatch, each of some tens of MB at most, or of one row."""
        streams = self._recording.streams
        most = {"spikes": _GROUP_SPIKES}
        for name in self._series:
            most[name] = max(1, _GROUP_BYTES // streams[name].dtype.itemsize)
        for begin, end in self._runs.groups(most):
            yield self._batch(begin, end)
            self._options.progress("writing rows", end, self.num_rows)

    # --- what there is ---------------------------------------------------------------------------

    def _window_ticks(self) -> int:
        if self._options.row_ms is None:
            return 0
        ticks = round(self._options.row_ms * 1e6 / self._recording.tick_ns)
        if ticks < 1:
            accepted = f"{self._recording.tick_ns / 1e6:g} ms at least, a tick"
            raise invalid_field("row_ms", self._options.row_ms, accepted)
        return ticks

    def _check_sizes(self) -> None:
        limits = {"spikes": MAX_SPIKES}
        for name in self._series:
            length = self._recording.streams[name].columns["values"].length
            limits[name] = _MAX_VALUES // max(length, 1)
        for name, most in limits.items():
            counts = self._runs.counts(name)
            index = int(np.argmax(counts))
            if counts[index] > most:
                run = self._runs[index]
                raise invalid_field(
                    "row_ms",
                    f"{self._options.row_ms}, and episode {run.episode} of copy {run.copy} "
                    f"has {counts[index]:,} rows of {name}",
                    f"ms after which a row ends, so that none has more than {most:,}",
                )

    def _heard_by_channel(self) -> dict[int, np.ndarray]:
        if self._options.system is None:
            raise invalid_field("system", None, "the system, whose electrodes hear its cells")
        system = self._options.system
        mea = array_of(self._recording, system)
        if mea is None:
            raise invalid_field("system", str(system.uri), "one with electrodes")
        rows = mea.cell_measurement(system.neuron_coordinates)
        return {
            int(channel): rows[rows[:, 0] == channel, 1].astype(np.int64)
            for channel in mea.channel_ids
        }

    def _gids_of(self, name: str) -> np.ndarray:
        stream = self._recording.streams[name]
        length, labels = stream.columns["values"].length, stream.labels
        if labels is not None and "gid" in labels.dtype.names and len(labels) == length:
            return labels["gid"].astype(np.int32)
        if name != "potentials":
            self._made.notes.append(f"{name}: no labels tell its cells; they are numbered from 0")
        return np.arange(length, dtype=np.int32)

    def _tell_what_is_left_out(self, streams: list[str]) -> None:
        known = {*streams, *_TIMING, "channel_events"}
        left = [
            name
            for name, stream in self._recording.streams.items()
            if name not in known and stream.is_keyed and stream.num_rows
        ]
        if left:
            self._made.notes.append(f"livn's rows have no place for {', '.join(left)}")

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {"warmup_ms": 0}
        for name in ("system", "environment", "physics_version", "tick_ns"):
            if value := self._recording.attributes.get(name):
                found[name] = value
        sampled = "potentials" if self._options.layout == "channels" else "voltages"
        if sampled in self._series:
            step_ms = self._recording.streams[sampled].attributes.get("sample_dt_ms")
            if isinstance(step_ms, (int, float)) and step_ms > 0:
                hz = 1000 / step_ms
                found["sampling_frequency"] = round(hz) if abs(hz - round(hz)) < 1e-9 else hz
        if self._heard:
            found["num_channels"] = len(self._heard)
        return found

    def _schema(self) -> Any:
        pa, names = self._pa, _NAMES[self._options.layout]
        nested = self._options.layout != "runs"

        def lists(inner: Any, deeper: bool = nested) -> Any:
            return pa.list_(pa.list_(inner)) if deeper else pa.list_(inner)

        fields = [(names["gids"], lists(pa.int32())), (names["times"], lists(pa.float64()))]
        ids_and_values = {"voltages": names.get("voltages"), "membrane_currents": ("im", "mp")}
        for name in self._series:
            inner = pa.from_numpy_dtype(self._recording.streams[name].columns["values"].dtype)
            if name == "potentials":
                fields.append(("cp", pa.list_(pa.list_(inner))))
                continue
            ids, values = ids_and_values[name]
            fields += [(ids, lists(pa.int32())), (values, lists(pa.list_(inner)))]
        fields += [("features", pa.list_(pa.float64())), (names["length"], pa.float64())]
        fields += [("seed", pa.uint64())]
        if self._options.layout == "trials":
            fields.append(("trials", pa.int64()))
        if self._options.layout == "channels":
            fields.append(("sample_id", pa.string()))
        fields += [("copy", pa.int64()), ("episode", pa.int64()), ("start_ms", pa.float64())]
        return pa.schema(fields, {"livnd": json.dumps({"layout": self._options.layout})})

    # --- batches ---------------------------------------------------------------------------------

    def _batch(self, begin: int, end: int) -> Any:
        pa, names, layout = self._pa, _NAMES[self._options.layout], self._options.layout
        runs = [self._runs[index] for index in range(begin, end)]
        columns: dict[str, Any] = {}
        spikes, counts = self._runs.rows("spikes", begin, end)
        self._made.counts["spikes"] = self._made.counts.get("spikes", 0) + len(spikes)
        self._made.counts["rows"] = self._made.counts.get("rows", 0) + len(runs)
        starts = np.array([run.begin_tick for run in runs], np.int64)
        times_ms = self._ms(spikes["tick"] - np.repeat(starts, counts))
        gids = spikes["gid"].astype(np.int32)
        if layout == "channels":
            gids, times_ms, counts = self._by_channel(gids, times_ms, counts)
        columns[names["gids"]] = self._lists(gids, counts)
        columns[names["times"]] = self._lists(times_ms, counts)
        for name in self._series:
            self._add_series(name, begin, end, columns)
        columns["features"] = self._features(begin, end, starts)
        columns[names["length"]] = self._ms(np.array([run.num_ticks for run in runs], np.int64))
        columns["seed"] = pa.array([run.seed for run in runs], pa.uint64())
        columns["trials"] = np.ones(len(runs), np.int64)
        columns["sample_id"] = [_name_of(run) for run in runs]
        columns["copy"] = np.array([run.copy for run in runs], np.int64)
        columns["episode"] = np.array([run.episode for run in runs], np.int64)
        columns["start_ms"] = self._ms(starts)
        arrays = []
        for field in self.schema:
            value = columns[field.name]
            array = value if isinstance(value, pa.Array) else pa.array(value, field.type)
            if layout == "trials" and field.name.startswith("trial_"):
                array = self._wrapped(array)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _ms(self, ticks: np.ndarray) -> np.ndarray:
        return ticks * self._recording.tick_ns / 1e6

    def _lists(self, values: np.ndarray, counts: np.ndarray) -> Any:
        """Lists of values; `counts` [lists], or [rows, lists] for lists of them."""
        pa = self._pa
        flat = pa.ListArray.from_arrays(_offsets(counts.reshape(-1)), pa.array(values))
        if counts.ndim == 1:
            return flat
        outer = np.full(counts.shape[0], counts.shape[1])
        return pa.ListArray.from_arrays(_offsets(outer), flat)

    def _wrapped(self, array: Any) -> Any:
        """Each value as a list of one: a run is a trial."""
        return self._pa.ListArray.from_arrays(_offsets(np.ones(len(array), np.int64)), array)

    def _by_channel(
        self, gids: np.ndarray, times_ms: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids, times, lengths, begin = [], [], [], 0
        for count in counts.tolist():
            rows = slice(begin, begin + count)
            begin += count
            by_id, by_time = channel_recording(self._heard, gids[rows], times_ms[rows])
            ids += [by_id[channel] for channel in self._heard]
            times += [by_time[channel] for channel in self._heard]
            lengths.append([len(by_id[channel]) for channel in self._heard])
        none = np.empty(0)
        return (
            np.concatenate([none.astype(np.int32), *ids]).astype(np.int32),
            np.concatenate([none, *times]),
            np.array(lengths, np.int64).reshape(len(counts), len(self._heard)),
        )

    def _add_series(self, name: str, begin: int, end: int, columns: dict[str, Any]) -> None:
        """The ids and the samples of a series, [sites, samples] a run."""
        pa = self._pa
        rows, counts = self._runs.rows(name, begin, end)
        stream = self._recording.streams[name]
        num_sites = stream.columns["values"].length
        values = rows["values"].reshape(len(rows), num_sites)
        self._check_even(name, rows, counts)
        ends = np.cumsum(counts)
        flat = [values[stop - n : stop].T.reshape(-1) for n, stop in zip(counts, ends, strict=True)]
        samples = np.repeat(counts, num_sites)
        dtype = stream.columns["values"].dtype
        inner = pa.array(np.concatenate(flat) if flat else np.empty(0, dtype))
        of_sites = pa.ListArray.from_arrays(_offsets(samples), inner)
        sites = np.full(len(counts), num_sites)
        matrix = pa.ListArray.from_arrays(_offsets(sites), of_sites)
        if name == "potentials":
            columns["cp"] = matrix
            return
        ids = self._lists(np.tile(self._labels[name], len(counts)), sites)
        names = ("im", "mp")
        if name == "voltages":
            names = _NAMES[self._options.layout]["voltages"]
        columns[names[0]], columns[names[1]] = ids, matrix

    def _check_even(self, name: str, rows: np.ndarray, counts: np.ndarray) -> None:
        steps = np.diff(rows["tick"])
        ends = np.cumsum(counts)[:-1]
        within = np.ones(len(steps), bool)
        within[ends[(ends > 0) & (ends <= len(steps))] - 1] = False
        steps = steps[within]
        note = f"{name}: samples are not evenly spaced, and rows do not tell when they were"
        if len(steps) and steps.min() != steps.max() and note not in self._made.notes:
            self._made.notes.append(note)

    def _features(self, begin: int, end: int, starts: np.ndarray) -> Any:
        """Channel, onset (ms) and amplitude of each pulse, as the published sets have of one."""
        rows, counts = self._runs.rows("stimuli", begin, end)
        values, lengths, stop = [np.empty(0)], [], 0
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
            own, stop = rows[stop : stop + count], stop + count
            if not count:
                lengths.append(0)
                continue
            pulses = pulses_of(own)
            onsets_ms = self._ms(pulses.ticks - start)
            values.append(np.stack([pulses.channels, onsets_ms, pulses.values], 1).reshape(-1))
            lengths.append(3 * len(pulses))
        return self._lists(np.concatenate(values), np.array(lengths, np.int64))


def _offsets(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _name_of(run: Run) -> str:
    name = f"{run.copy}-{run.episode}"
    return f"{name}-{run.begin_tick}" if run.begin_tick else name


def metadata_json(metadata: Mapping[str, Any]) -> str:
    """What conversion_metadata.json has in it."""
    return json.dumps(dict(metadata), indent=2) + "\n"
