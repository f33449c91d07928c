"""Samples as rows of livn's layouts (columns.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from livnd import extras
from livnd.channel_rows import Channels, channel_recording
from livnd.datasets.samples.folder import Part, SampleFolder
from livnd.system import System


class SampleRows:
    """The rows of a split, a batch for each file.

    In the layout trials a row is a sample, in others a trial of it.

    Attributes:
        schema: pyarrow.Schema of all batches.
        counts: rows, spikes and samples that were left out, for their numbers left their range.
    """

    def __init__(self, folder: SampleFolder, layout: str, system: System | None) -> None:
        self._folder, self._layout = folder, layout
        self._pa = extras.load("pyarrow", "data", "writing rows")
        self._heard: dict[int, np.ndarray] = {}
        if layout == "channels":
            assert system is not None
            mea = system.default_io()
            rows = mea.cell_measurement(system.neuron_coordinates)
            self._heard = {
                int(channel): rows[rows[:, 0] == channel, 1].astype(np.int64)
                for channel in mea.channel_ids
            }
        self.schema = self._schema()
        self.counts = {"rows": 0, "spikes": 0, "failed": 0}

    def batches(self, begin: int, end: int) -> Iterator[tuple[Any, int]]:
        """RecordBatches of samples begin .. end - 1, each with the sample that it ends before."""
        for part in self._folder.parts(begin, end):
            good = np.flatnonzero(np.isnan(part.failed_at_ms).all(axis=1))
            self.counts["failed"] += len(part) - len(good)
            until = int(part.index[-1]) + 1
            if len(good):
                yield self._batch(part, good), until

    def _schema(self) -> Any:
        pa, layout, plan = self._pa, self._layout, self._folder.plan
        ids, times, numbers = pa.list_(pa.int32()), pa.list_(pa.float64()), pa.list_(pa.float32())
        if layout == "trials":
            fields = [("trial_it", pa.list_(ids)), ("trial_t", pa.list_(times))]
            if plan["voltages"]:
                fields += [("trial_iv", pa.list_(ids)), ("trial_vv", pa.list_(pa.list_(numbers)))]
        elif layout == "channels":
            fields = [("cit", pa.list_(ids)), ("ctt", pa.list_(times))]
            if plan["potentials"]:
                fields += [("cp", pa.list_(numbers))]
        else:
            fields = [("it", ids), ("tt", times)]
            if plan["voltages"]:
                fields += [("iv", ids), ("vv", pa.list_(numbers))]
        length = "duration" if layout == "runs" else "t_end"
        fields += [("features", times), (length, pa.float64()), ("seed", pa.int64())]
        if layout == "trials":
            fields += [("trials", pa.int64())]
        if layout == "channels":
            fields += [("sample_id", pa.string())]
        return pa.schema(fields, {"livnd": json.dumps({"layout": layout})})

    def _batch(self, part: Part, good: np.ndarray) -> Any:
        pa, trials, layout = self._pa, self._folder.num_trials, self._layout
        of_trials = (good[:, None] * trials + np.arange(trials)).reshape(-1)
        gids, ticks, counts = _taken(part, of_trials)
        self.counts["spikes"] += len(gids)
        ms = ticks * self._folder.plan["tick_ms"]
        per_row = 1 if layout == "trials" else trials
        columns: dict[str, Any] = {}
        if layout == "trials":
            outer = np.full(len(good), trials)
            columns["trial_it"] = self._lists(self._lists(gids, counts), outer)
            columns["trial_t"] = self._lists(self._lists(ms, counts), outer)
            columns["trial_iv"], vv = self._voltages(part, good)
            columns["trial_iv"] = self._lists(columns["trial_iv"], outer)
            columns["trial_vv"] = self._lists(vv, outer)
        elif layout == "channels":
            gids, ms, lengths = self._by_channel(gids, ms, counts)
            outer = np.full(len(lengths), len(self._heard))
            columns["cit"] = self._lists(self._lists(gids, lengths.reshape(-1)), outer)
            columns["ctt"] = self._lists(self._lists(ms, lengths.reshape(-1)), outer)
            columns["cp"] = self._matrix(part.potentials[good])
        else:
            columns["it"], columns["tt"] = self._lists(gids, counts), self._lists(ms, counts)
            columns["iv"], columns["vv"] = self._voltages(part, good)
        features = np.repeat(part.features[good].astype(np.float64), per_row, axis=0)
        rows = len(features)
        numbers = np.full(rows, features.shape[1])
        columns["features"] = self._lists(features.reshape(-1), numbers)
        columns["duration"] = columns["t_end"] = np.full(rows, self._folder.plan["duration_ms"])
        columns["seed"] = np.repeat(part.seed[good].astype(np.int64), per_row)
        columns["trials"] = np.full(rows, trials)
        columns["sample_id"] = [
            f"{index:08d}" if trials == 1 else f"{index:08d}-{trial}"
            for index in part.index[good].tolist()
            for trial in range(per_row)
        ]
        self.counts["rows"] += rows
        arrays = []
        for field in self.schema:
            value = columns[field.name]
            arrays.append(value if isinstance(value, pa.Array) else pa.array(value, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _lists(self, values: Any, counts: np.ndarray) -> Any:
        pa = self._pa
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        inner = values if isinstance(values, pa.Array) else pa.array(values)
        return pa.ListArray.from_arrays(offsets, inner)

    def _matrix(self, values: np.ndarray) -> Any:
        """Of [samples, trials, sites, times] a matrix for each trial."""
        samples, trials, sites, times = values.shape
        flat = self._lists(
            np.ascontiguousarray(values).reshape(-1), np.full(samples * trials * sites, times)
        )
        return self._lists(flat, np.full(samples * trials, sites))

    def _voltages(self, part: Part, good: np.ndarray) -> tuple[Any, Any]:
        """The gids and the voltages of each trial."""
        gids = np.array(self._folder.plan["voltages"], np.int32)
        num = len(good) * self._folder.num_trials
        ids = self._lists(np.tile(gids, num), np.full(num, len(gids)))
        return ids, self._matrix(part.voltages[good])

    def _by_channel(
        self, gids: np.ndarray, ms: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids, times, lengths, begin = [np.empty(0, np.int32)], [np.empty(0)], [], 0
        for count in counts.tolist():
            rows = slice(begin, begin + count)
            begin += count
            found = channel_recording(self._heard, gids[rows], ms[rows])
            by_id, by_time = cast(tuple[Channels, Channels], found)
            ids += [by_id[channel] for channel in self._heard]
            times += [by_time[channel] for channel in self._heard]
            lengths.append([len(by_id[channel]) for channel in self._heard])
        heard = np.concatenate(ids).astype(np.int32)
        return heard, np.concatenate(times), np.array(lengths, np.int64)


def _taken(part: Part, of_trials: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The spikes of some trials, one after the other, and how many each has."""
    starts, counts = part.offsets[of_trials], np.diff(part.offsets)[of_trials]
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.repeat(starts, counts) + within
    return part.gids[rows].astype(np.int32), part.ticks[rows].astype(np.int64), counts
