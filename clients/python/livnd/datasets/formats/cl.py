"""Recordings in the HDF5 layout of Cortical Labs' CL API (its documentation, and cl-sdk 1.0).

Tables `spikes` (timestamp, channel, 75 samples) and `stims` (timestamp, channel), the array
`samples` (frames x channels, int16), a group for each data stream, attributes of the root. PyTables
opens it. What cl-sdk stores as pickled dictionaries (`application`, `file_format`) is JSON here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.datasets.formats import pytables
from livnd.datasets.formats.cl_samples import Samples
from livnd.datasets.formats.msgpack import packed
from livnd.datasets.formats.nwb_places import electrode_ids
from livnd.datasets.formats.options import Converted, Options, text_of
from livnd.datasets.formats.stimuli import pulses_of
from livnd.datasets.formats.timeline import Timeline, start_time
from livnd.datasets.recordings import RecordingFile, array_of
from livnd.datasets.recordings.runs import Runs
from livnd.errors import bad_file, invalid_field

_SPIKE = [("timestamp", "<i8"), ("channel", "u1"), ("samples", "<f4", (75,))]
_STIM = [("timestamp", "<i8"), ("channel", "u1")]
_INDEX = [("timestamp", "<i8"), ("start_index", "<u8"), ("end_index", "<u8")]
_MAX_CHANNEL = 255
# Spikes are put in order within windows of so many ms; what is in memory at once.
_WINDOW_MS = 10_000
_GROUP_ROWS = 200_000


def write_cl(recording: RecordingFile, path: Path, options: Options, made: Converted) -> None:
    """One copy's episodes, one after the other, as one recording."""
    h5py = extras.load("h5py", "data", "writing HDF5")
    timeline = Timeline(recording, options, made)
    clock = _Clock(recording, options)
    ids = electrode_ids(recording, options)
    if not len(ids):
        accepted = "potentials, channel_events, stimuli by electrode; or spikes and a system"
        raise bad_file(recording.path, "electrodes", "missing", accepted)
    if ids.max() > _MAX_CHANNEL or ids.min() < 0:
        accepted = f"0 .. {_MAX_CHANNEL}, as the layout has a byte for them"
        raise bad_file(recording.path, "channels", f"up to {ids.max()}", accepted)
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        pytables.mark_file(file)
        samples = Samples(recording, timeline, clock.frames, ids, options, made)
        scale = samples.write(file, clock.frame(timeline.num_ticks))
        _write_spikes(file, recording, timeline, clock, samples, options, made)
        _write_stims(file, recording, timeline, clock, made)
        _write_streams(file, recording, timeline, clock)
        begun = start_time(recording, options, made)
        num_frames = int(clock.frame(timeline.num_ticks))
        seconds = timeline.num_ticks * recording.tick_ns / 1e9
        ended = begun + timedelta(seconds=seconds)
        told = {"version": "livnd", "stim_and_spike_timestamps_relative_to_start": True}
        rate = clock.frames_per_second
        rate = round(rate) if rate == round(rate) else rate
        pytables.set_attributes(
            file,
            {
                "application": json.dumps(recording.attributes, sort_keys=True),
                "file_format": json.dumps(told),
                "hostname": "livnd",
                "project_id": text_of(recording, "environment") or "livnd",
                "cell_batch_id": text_of(recording, "system") or "livnd",
                "created_localtime": begun.isoformat(),
                "created_utc": begun.astimezone(timezone.utc).isoformat(),
                "ended_localtime": ended.isoformat(),
                "ended_utc": ended.astimezone(timezone.utc).isoformat(),
                **{f"git_{name}": "" for name in ("hash", "branch", "tags", "status")},
                "channel_count": int(ids.max()) + 1,
                "sampling_frequency": rate,
                "frames_per_second": rate,
                "uV_per_sample_unit": scale,
                "start_timestamp": 0,
                "end_timestamp": num_frames,
                "duration_frames": num_frames,
                "duration_seconds": seconds,
            },
        )
        made.counts |= {"frames": num_frames, "episodes": len(timeline.runs)}


class _Clock:
    """Frames of the layout, from ticks.

    Attributes:
        frames_per_second: of the file.
    """

    def __init__(self, recording: RecordingFile, options: Options) -> None:
        self._tick_ns = recording.tick_ns
        self.frames_per_second = options.frames_per_second or 1e9 / self._tick_ns

    def frames(self, ticks: np.ndarray) -> np.ndarray:
        """The frames in which ticks lie."""
        # A tick that is a frame's beginning must not fall before it by rounding.
        exact = ticks * self._tick_ns * self.frames_per_second / 1e9
        return np.floor(exact + 1e-6).astype(np.int64)

    def frame(self, tick: int) -> int:
        """The frame of one tick."""
        return int(self.frames(np.array([tick], np.int64))[0])


def _write_spikes(
    file: Any,
    recording: RecordingFile,
    timeline: Timeline,
    clock: _Clock,
    samples: Samples,
    options: Options,
    made: Converted,
) -> None:
    table = pytables.new_table(file, "spikes", _SPIKE)
    made.counts["spikes"] = 0
    for ticks, channels in _heard(recording, timeline, options):
        rows = np.zeros(len(ticks), table.dtype)
        rows["timestamp"], rows["channel"] = clock.frames(ticks), channels
        rows["samples"] = samples.around(rows["timestamp"], channels)
        pytables.append(table, rows)
        made.counts["spikes"] += len(rows)


def _heard(
    recording: RecordingFile, timeline: Timeline, options: Options
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ticks and electrodes of the spikes that electrodes hear, in the order of time."""
    name, column, heard = "channel_events", "channel", {}
    if name not in recording.streams:
        name, column = "spikes", "gid"
        if name not in recording.streams:
            return
        mea = array_of(recording, options.system)
        if mea is None or options.system is None:
            accepted = "the system, whose electrodes hear its cells: there are no channel_events"
            raise invalid_field("system", None, accepted)
        for row in mea.cell_measurement(options.system.neuron_coordinates):
            heard.setdefault(int(row[1]), []).append(int(row[0]))
    recording.streams[name].needs(column)
    runs = Runs(
        recording,
        [name],
        copy=timeline.copy,
        window_ticks=max(1, round(_WINDOW_MS * 1e6 / recording.tick_ns)),
        progress=options.progress,
    )
    for begin, end in runs.groups({name: _GROUP_ROWS}):
        rows, _ = runs.rows(name, begin, end)
        ticks, units = timeline.ticks(rows), rows[column].astype(np.int64)
        options.progress("writing spikes", end, len(runs))
        if name == "channel_events":
            yield ticks, units
            continue
        counts = np.array([len(heard.get(unit, ())) for unit in units.tolist()], np.int64)
        channels = [channel for unit in units.tolist() for channel in heard.get(unit, ())]
        yield np.repeat(ticks, counts), np.array(channels, np.int64)


def _write_stims(
    file: Any, recording: RecordingFile, timeline: Timeline, clock: _Clock, made: Converted
) -> None:
    """A row for each pulse, at its onset."""
    table = pytables.new_table(file, "stims", _STIM)
    stream = recording.streams.get("stimuli")
    if stream is None:
        return
    if stream.attributes.get("channels") != "electrode":
        made.notes.append("stimuli are not those of electrodes, and left out")
        return
    stream.needs("channel", "value", "num_ticks")
    parts = [timeline.own(rows) for rows in stream.parts()]
    found = np.concatenate([np.empty(0, stream.dtype), *parts])
    found["tick"] = timeline.ticks(found)
    pulses = pulses_of(found)
    rows = np.zeros(len(pulses), table.dtype)
    rows["timestamp"], rows["channel"] = clock.frames(pulses.ticks), pulses.channels
    pytables.append(table, rows)
    made.counts["stims"] = len(rows)


def _write_streams(file: Any, recording: RecordingFile, timeline: Timeline, clock: _Clock) -> None:
    """Data streams: episodes, and rewards where there are any."""
    streams = pytables.new_group(file, "data_stream")
    starts = clock.frames(timeline.starts).tolist()
    episodes = [
        (start, {"episode": run.episode, "seed": run.seed})
        for start, run in zip(starts, timeline.runs, strict=True)
    ]
    _write_stream(streams, "episodes", episodes)
    if "rewards" not in recording.streams:
        return
    source = recording.streams["rewards"].needs("reward", "terminated", "truncated")
    rewards = []
    for rows in source.parts():
        rows = timeline.own(rows)
        frames = clock.frames(timeline.ticks(rows))
        for frame, row in zip(frames.tolist(), rows, strict=True):
            ended = {name: bool(row[name]) for name in ("terminated", "truncated")}
            rewards.append((frame, {"reward": float(row["reward"]), **ended}))
    _write_stream(streams, "rewards", rewards)


def _write_stream(streams: Any, name: str, events: list[tuple[int, dict[str, Any]]]) -> None:
    group = pytables.new_group(streams, name)
    pytables.set_attributes(group, {"name": name, "application": "{}"})
    index = pytables.new_table(group, "index", _INDEX)
    data = pytables.new_array(group, "data", (), np.uint8)
    packs = [packed(value) for _, value in events]
    ends = np.cumsum([len(one) for one in packs], dtype=np.uint64)
    rows = np.zeros(len(events), index.dtype)
    rows["timestamp"] = [frame for frame, _ in events]
    rows["end_index"] = ends
    rows["start_index"] = ends - np.array([len(one) for one in packs], np.uint64)
    pytables.append(index, rows)
    pytables.append(data, np.frombuffer(b"".join(packs), np.uint8))
