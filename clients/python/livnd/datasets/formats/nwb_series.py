"""Samples of a recording, as NWB's time series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from livnd import extras
from livnd.datasets.formats.options import Converted, Options
from livnd.datasets.formats.streamed import streamed
from livnd.datasets.formats.timeline import Timeline
from livnd.datasets.recordings import RecordingFile, Stream

# NWB's unit, and what a value is multiplied with to be in it.
_UNITS = {
    "mV": ("volts", 1e-3),
    "uV": ("volts", 1e-6),
    "uA": ("amperes", 1e-6),
    "nA": ("amperes", 1e-9),
}
_PLAIN = "n.a."
_TEXTS = {
    "voltages": ("membrane_potentials", "Membrane potentials of cells."),
    "membrane_currents": ("membrane_currents", "Membrane currents of cells."),
    "potentials": ("electrode_potentials", "Potentials that electrodes record."),
    "learned_weights": ("learned_weights", "Weights of connections that learn."),
}
ECEPHYS = ("ecephys", "What electrodes hear")  # a module
_TABLES = ("spikes", "channel_events", "stimuli", "episode_starts")


def add_series(
    file: Any,
    recording: RecordingFile,
    timeline: Timeline,
    options: Options,
    made: Converted,
    electrodes: np.ndarray,
) -> None:
    """All streams of values: voltages and potentials are acquired, the others are processed."""
    for name, stream in recording.streams.items():
        if name in _TABLES or not stream.is_keyed or not stream.num_rows:
            continue
        column = "reward" if name == "rewards" else "values"
        if column not in stream.columns:
            made.notes.append(f"{name}: nothing in NWB holds its columns")
            continue
        one = _Series(stream, column, recording, timeline, options)
        if one.num_samples:
            one.add(file, electrodes)
            made.counts[one.name] = one.num_samples


class _Series:
    """The samples of one stream that belong to the copy."""

    def __init__(
        self,
        stream: Stream,
        column: str,
        recording: RecordingFile,
        timeline: Timeline,
        options: Options,
    ) -> None:
        self._stream, self._column, self._timeline = stream, column, timeline
        self._recording, self._options = recording, options
        kind = stream.name.split(".")[0]
        known, text = _TEXTS.get(kind, (kind, kind.capitalize() + " of the environment."))
        self._kind = kind
        self.name = ".".join([known, *stream.name.split(".")[1:]])
        self._text = str(stream.attributes.get("description") or text)
        self._dtype, self._length = stream.columns[column].dtype, stream.columns[column].length
        unit = stream.columns[column].unit
        self._unit, self._conversion = _UNITS.get(unit, (unit or _PLAIN, 1.0))
        self._find_times()

    def add(self, file: Any, electrodes: np.ndarray) -> None:
        """Adds it to the file, where its kind belongs."""
        pynwb = extras.load("pynwb", "nwb", "writing NWB")
        values = {
            "name": self.name,
            "description": self._text,
            "data": streamed(self._values, self.num_samples, self._row, self._dtype),
            "conversion": self._conversion,
            "comments": f"stream {self._stream.name} of the recording",
            **self._times(),
        }
        if self._kind == "potentials":
            region = file.create_electrode_table_region(
                list(range(len(electrodes))), "all electrodes, in the order of the columns"
            )
            # Neo refuses a file that has one of these among what was acquired.
            _module(file, self._kind).add(
                pynwb.ecephys.ElectricalSeries(electrodes=region, **values)
            )
            return
        series = pynwb.TimeSeries(unit=self._unit, **values)
        if self._kind in ("voltages", "membrane_currents"):
            file.add_acquisition(series)
        else:
            _module(file, self._kind).add(series)
        self._add_labels(file)

    # --- values ----------------------------------------------------------------------------------

    @property
    def _row(self) -> tuple[int, ...]:
        return () if self._length == 1 else (self._length,)

    def _values(self) -> Iterator[np.ndarray]:
        done = 0
        for rows in self._stream.parts():
            done += len(rows)
            own = self._timeline.own(rows)[self._column]
            yield own.reshape(len(own), *self._row)
            self._options.progress(f"writing {self.name}", done, self._stream.num_rows)

    # --- times -----------------------------------------------------------------------------------

    def _find_times(self) -> None:
        """How many samples there are, and whether they are evenly spaced."""
        self.num_samples, self._first, self._step = 0, 0, 0
        self._is_even, last = True, None
        for ticks in self._ticks():
            self.num_samples += len(ticks)
            if not len(ticks):
                continue
            if last is None:
                self._first = int(ticks[0])
            steps = np.diff(ticks if last is None else np.concatenate([[last], ticks]))
            if len(steps) and not self._step:
                self._step = int(steps[0])
            self._is_even &= bool((steps == self._step).all())
            last = ticks[-1]
        self._is_even &= self._step > 0

    def _ticks(self) -> Iterator[np.ndarray]:
        for rows in self._stream.parts():
            yield self._timeline.ticks(self._timeline.own(rows))

    def _times(self) -> dict[str, Any]:
        tick_ns = self._recording.tick_ns
        if self._is_even:
            start = self._first * tick_ns / 1e9
            return {"starting_time": start, "rate": 1e9 / (self._step * tick_ns)}

        def seconds() -> Iterator[np.ndarray]:
            for ticks in self._ticks():
                yield ticks * tick_ns / 1e9

        return {"timestamps": streamed(seconds, self.num_samples, (), np.float64)}

    # --- labels ----------------------------------------------------------------------------------

    def _add_labels(self, file: Any) -> None:
        """What the columns of the values are: cells and their sections, names of elements."""
        columns: list[tuple[str, Any]] = []
        labels = self._stream.labels
        if labels is not None and len(labels) == self._length:
            columns = [(name, labels[name]) for name in labels.dtype.names]
        names = self._stream.attributes.get("element_names")
        if isinstance(names, list) and len(names) == self._length:
            columns.append(("element", names))
        if not columns:
            return
        common = extras.load("hdmf.common", "nwb", "writing NWB")
        _module(file, self._kind).add(
            common.DynamicTable(
                name=f"{self.name}_columns",
                description=f"What the columns of {self.name} are, a row each.",
                columns=[
                    common.VectorData(name=name, description=f"{name} of the column", data=data)
                    for name, data in columns
                ],
            )
        )


def _module(file: Any, kind: str) -> Any:
    """The module of a kind of series."""
    name, text = "misc", "Of cells and their connections"
    if kind in ("actions", "observations", "rewards"):
        name, text = "behavior", "Actions, observations and rewards of the task"
    elif kind == "potentials":
        name, text = ECEPHYS
    return file.processing.get(name) or file.create_processing_module(name, text)
