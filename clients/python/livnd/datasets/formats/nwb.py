"""Recordings as NWB 2 files: Neurodata Without Borders."""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.datasets.formats.nwb_places import add_electrodes, cell_columns, electrode_ids
from livnd.datasets.formats.nwb_series import ECEPHYS, add_series
from livnd.datasets.formats.options import Converted, Options, text_of
from livnd.datasets.formats.spike_trains import SpikeTrains
from livnd.datasets.formats.streamed import streamed
from livnd.datasets.formats.timeline import Timeline, start_time
from livnd.datasets.recordings import RecordingFile

# "unidentified", in the taxonomy of NCBI.
_SPECIES = "http://purl.obolibrary.org/obo/NCBITaxon_32644"
# The inspector fails at tables of units without any spike.
_SILENT = "no cell has a spike, and there are no units"
_EVENTS_NOTE = "units are electrodes: the recording has no spikes of cells"


def write_nwb(recording: RecordingFile, path: Path, options: Options, made: Converted) -> None:
    """One copy's episodes, one after the other, as one session.

    It has no keywords, since Neo refuses files with some.
    """
    pynwb = extras.load("pynwb", "nwb", "writing NWB")
    timeline = Timeline(recording, options, made)
    begun = start_time(recording, options, made)
    of = text_of(recording, "environment") or text_of(recording, "system")
    file = pynwb.NWBFile(
        session_description=f"A simulated culture, recorded by livnd: {of}".rstrip(": "),
        identifier=_identifier(recording, timeline.copy),
        session_start_time=begun,
        experiment_description="A simulation: a culture of neurons on an electrode array.",
        notes=json.dumps(recording.attributes, sort_keys=True),
        source_script_file_name="livnd.datasets",
        source_script="python -m livnd.datasets convert",
    )
    file.subject = pynwb.file.Subject(
        subject_id=(text_of(recording, "system") or "culture").replace("/", "-"),
        description="A simulated culture of neurons. There is no animal, and so neither age nor "
        "sex nor species.",
        species=_SPECIES,
        sex="U",
        age="P0D",
    )
    ids = electrode_ids(recording, options)
    if len(ids):
        add_electrodes(file, ids, recording, options.system)
    writer = _Units(recording, timeline, options, made, path.parent)
    writer.add_all(file, ids)
    _add_trials(file, recording, timeline, made)
    _add_stimuli(file, recording, timeline, made, ids)
    add_series(file, recording, timeline, options, made, ids)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names without a suffix, while it is new
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(file)


def _identifier(recording: RecordingFile, copy: int) -> str:
    """The same for the same recording."""
    told = json.dumps(recording.attributes, sort_keys=True)
    counts = {name: stream.num_rows for name, stream in recording.streams.items()}
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"livnd {told} {counts} {copy}"))


class _Units:
    """Spikes as units: of cells, and of what electrodes hear."""

    def __init__(
        self,
        recording: RecordingFile,
        timeline: Timeline,
        options: Options,
        made: Converted,
        folder: Path,
    ) -> None:
        self._recording, self._timeline = recording, timeline
        self._options, self._made, self._folder = options, made, folder

    def add_all(self, file: Any, electrodes: np.ndarray) -> None:
        streams, system = self._recording.streams, self._options.system
        if "spikes" in streams:
            gids = None if system is None else system.gids
            trains = self._trains("spikes", "gid", gids)
            self._made.counts["spikes"] = len(trains)
            if not len(trains):
                self._made.notes.append(_SILENT)
            else:
                about = "Cells of the culture, and all of their spikes: the truth, not sorted."
                units = self._table("units", about, trains)
                for name, text, values in cell_columns(trains.units, system):
                    units.add_column(name=name, description=text, data=values)
                file.units = units
        if "channel_events" not in streams:
            return
        trains = self._trains("channel_events", "channel", electrodes)
        self._made.counts["channel_events"] = len(trains)
        if not len(trains):
            return
        about = "Spikes of the cells within reach of each electrode."
        if "spikes" not in streams:
            self._made.notes.append(_EVENTS_NOTE)
            file.units = self._table("units", about, trains)
        else:
            ecephys = file.create_processing_module(*ECEPHYS)
            ecephys.add(self._table("electrode_units", about, trains))

    def _trains(self, stream: str, column: str, units: np.ndarray | None) -> SpikeTrains:
        return SpikeTrains(
            self._recording, stream, column, self._timeline, units,
            self._folder / f"{stream}.spool", self._options.progress,
        )  # fmt: skip

    def _table(self, name: str, about: str, trains: SpikeTrains) -> Any:
        misc = extras.load("pynwb.misc", "nwb", "writing NWB")
        common = extras.load("hdmf.common", "nwb", "writing NWB")
        tick_ns = self._recording.tick_ns

        def seconds() -> Iterator[np.ndarray]:
            for ticks in trains.parts():
                yield ticks * tick_ns / 1e9

        data = streamed(seconds, len(trains), (), np.float64)
        times = common.VectorData(name="spike_times", description="of each unit, s", data=data)
        index = common.VectorIndex(name="spike_times_index", target=times, data=trains.ends)
        count = len(trains.units)
        first = min(run.begin_tick for run in self._timeline.runs)
        span = np.array([first, self._timeline.num_ticks]) * tick_ns / 1e9
        seen = common.VectorData(
            name="obs_intervals",
            description="when it was recorded, s",
            data=np.tile(span, (count, 1)),
        )
        seen_index = common.VectorIndex(
            name="obs_intervals_index", target=seen, data=np.arange(1, count + 1)
        )
        return misc.Units(
            name=name,
            description=about,
            resolution=tick_ns / 1e9,
            id=trains.units.tolist(),
            columns=[index, times, seen_index, seen],  # an index before what has no length yet
            colnames=["spike_times", "obs_intervals"],
        )


def _add_trials(file: Any, recording: RecordingFile, timeline: Timeline, made: Converted) -> None:
    """Episodes as trials."""
    epoch = extras.load("pynwb.epoch", "nwb", "writing NWB")
    common = extras.load("hdmf.common", "nwb", "writing NWB")
    runs, scale = timeline.runs, recording.tick_ns / 1e9
    lengths = np.array([run.num_ticks for run in runs])
    columns: list[tuple[str, str, Any]] = [
        ("start_time", "s", timeline.starts * scale),
        ("stop_time", "s", (timeline.starts + lengths) * scale),
        ("episode", "counted from 1; of a culture: after which Clear", [r.episode for r in runs]),
    ]
    if all(run.seed is not None for run in runs):
        seeds = np.array([run.seed for run in runs], np.uint64)
        columns.append(("seed", "from which all that is random in the episode follows", seeds))
    if "rewards" in recording.streams:
        columns += _outcomes(recording, timeline)
    file.trials = epoch.TimeIntervals(
        name="trials",
        description="Episodes of the environment, or what is between two Clears of a culture.",
        columns=[common.VectorData(name=n, description=d, data=data) for n, d, data in columns],
    )
    made.counts["episodes"] = len(runs)


def _outcomes(recording: RecordingFile, timeline: Timeline) -> list[tuple[str, str, Any]]:
    stream = recording.streams["rewards"].needs("reward", "terminated", "truncated")
    episodes = np.array([run.episode for run in timeline.runs])
    steps, total = np.zeros(len(episodes), np.int64), np.zeros(len(episodes))
    ended = {name: np.zeros(len(episodes), bool) for name in ("terminated", "truncated")}
    for rows in stream.parts():
        rows = timeline.own(rows)
        which = np.searchsorted(episodes, rows["episode"])
        steps += np.bincount(which, minlength=len(episodes))
        np.add.at(total, which, rows["reward"])
        for name, flags in ended.items():
            flags[which[rows[name] != 0]] = True
    return [
        ("num_steps", "of the environment that were recorded", steps),
        ("total_reward", "of these steps", total),
        ("terminated", "the task ended it", ended["terminated"]),
        ("truncated", "it was cut off", ended["truncated"]),
    ]


def _add_stimuli(
    file: Any, recording: RecordingFile, timeline: Timeline, made: Converted, ids: np.ndarray
) -> None:
    """Stretches in which a channel has the same value, as intervals."""
    if "stimuli" not in recording.streams:
        return
    epoch = extras.load("pynwb.epoch", "nwb", "writing NWB")
    common = extras.load("hdmf.common", "nwb", "writing NWB")
    stream = recording.streams["stimuli"].needs("channel", "value", "num_ticks")
    parts = [timeline.own(rows) for rows in stream.parts()]
    rows = np.concatenate([np.empty(0, stream.dtype), *parts])
    made.counts["stimuli"] = len(rows)
    if not len(rows):
        return
    ticks, scale = timeline.ticks(rows), recording.tick_ns / 1e9
    order = np.lexsort((rows["channel"], ticks))
    rows, ticks = rows[order], ticks[order]
    what = stream.attributes.get("channels") or "channel"
    unit = stream.columns["value"].unit
    # `name` is taken by tables; NWB wants no unit in a name.
    columns = [
        ("start_time", "s", ticks * scale),
        ("stop_time", "s", (ticks + rows["num_ticks"]) * scale),
        (str(what), f"which {what} has it", rows["channel"].astype(np.int64)),
        ("amplitude", f"from start to stop, {unit or 'a plain number'}", rows["value"]),
    ]
    file.add_time_intervals(
        epoch.TimeIntervals(
            name="stimuli",
            description="What was given, phase by phase: a pulse of two phases is two rows.",
            columns=[common.VectorData(name=n, description=d, data=data) for n, d, data in columns],
        )
    )
