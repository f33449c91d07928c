"""Recordings in the CL API's HDF5 layout, read with PyTables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import tables
from livnd.datasets.formats import convert
from livnd.datasets.formats.msgpack import packed
from livnd.errors import BadFileError, InvalidFieldError
from livnd.system import System
from recorded_culture import Recorded, culture, series

ROOT = Path(__file__).resolve().parents[3]
MINI = System(ROOT / "systems/EI-mini")
BEGUN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
STARTS = np.array([0, 24, 49, 73]) * 400


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The root of a file, as PyTables has it."""
    file = tables.open_file(str(path))
    try:
        yield file.root
    finally:
        file.close()


def events_of(recorded: Recorded, name: str, copy: int) -> tuple[np.ndarray, np.ndarray]:
    """Ticks and channels of a stream, by time."""
    rows = recorded.rows[name]
    rows = rows[rows["copy"] == copy]
    ticks = STARTS[rows["episode"] - 1] + rows["tick"]
    order = np.lexsort((rows["channel"], ticks))
    return ticks[order], rows["channel"][order]


def rows_by_time(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps and channels; the timestamps rise already."""
    rows = table[:]
    assert (np.diff(rows["timestamp"]) >= 0).all()
    order = np.lexsort((rows["channel"], rows["timestamp"]))
    return rows["timestamp"][order], rows["channel"][order]


@pytest.mark.parametrize("copy", [0, 1])
@pytest.mark.parametrize("frames_per_second", [None, 25_000, 20_000, 1_000])
def test_spikes_and_stims_are_those_of_the_recording(tmp_path, copy, frames_per_second):
    recorded = culture(1, num_copies=2)
    path = recorded.write(tmp_path / "recording.h5")
    made = convert(
        path, "cl", tmp_path / "cl.h5", copy=copy, frames_per_second=frames_per_second,
        start_time=BEGUN,
    )  # fmt: skip
    rate = frames_per_second or 40_000
    with opened(tmp_path / "cl.h5") as root:
        assert type(root.spikes).__name__ == type(root.stims).__name__ == "Table"
        assert root.spikes.coldtypes["samples"] == np.dtype((np.float32, (75,)))
        for name, stream in (("spikes", "channel_events"), ("stims", "stimuli")):
            ticks, channels = events_of(recorded, stream, copy)
            if stream == "stimuli":  # a pulse of two phases is one
                ticks, channels = ticks[::2], channels[::2]
            frames, found = rows_by_time(root._f_get_child(name))
            order = np.lexsort((channels, ticks * rate // 40_000))
            assert np.array_equal(frames, (ticks * rate // 40_000)[order])
            assert np.array_equal(found, channels[order])
            assert made.counts[name] == len(ticks)
        attributes = root._v_attrs
        assert attributes.frames_per_second == attributes.sampling_frequency == rate
        assert attributes.duration_frames == attributes.end_timestamp == 73 * 400 * rate // 40_000
        assert attributes.duration_seconds == 0.73
        assert attributes.channel_count == 4
        assert attributes.start_timestamp == 0
        assert attributes.created_utc == BEGUN.isoformat()
        assert attributes.ended_utc == "2026-05-04T03:02:01.730000+00:00"
        told = json.loads(attributes.file_format)
        assert told["stim_and_spike_timestamps_relative_to_start"] is True
        assert json.loads(attributes.application)["environment"].startswith("livnd/TargetRate")


def test_nothing_is_pickled(tmp_path):
    path = culture(2).write(tmp_path / "recording.h5")
    convert(path, "cl", tmp_path / "cl.h5", start_time=BEGUN)
    with opened(tmp_path / "cl.h5") as root:
        for node in root._v_file.walk_nodes("/"):
            for name in node._v_attrs._f_list():
                assert isinstance(node._v_attrs[name], (np.generic, str, int, float)), name


def test_data_streams_are_episodes_and_rewards(tmp_path):
    recorded = culture(3)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "cl", tmp_path / "cl.h5", start_time=BEGUN)
    with opened(tmp_path / "cl.h5") as root:

        def events(name: str) -> list[tuple[int, dict]]:
            group = root.data_stream._f_get_child(name)
            assert group._v_attrs.name == name
            data = group.data[:].tobytes()
            rows = group.index[:]
            assert (np.diff(rows["timestamp"]) > 0).all()
            return [
                (
                    int(row["timestamp"]),
                    msgpack.unpackb(data[row["start_index"] : row["end_index"]]),
                )
                for row in rows
            ]

        assert events("episodes") == [
            (int(STARTS[i]), {"episode": i + 1, "seed": 3001 + i}) for i in range(3)
        ]
        rows = recorded.rows["rewards"]
        ticks = STARTS[rows["episode"] - 1] + rows["tick"]
        assert [frame for frame, _ in events("rewards")] == ticks.tolist()
        assert [one["reward"] for _, one in events("rewards")] == rows["reward"].tolist()
        assert [one["terminated"] for _, one in events("rewards")] == rows["terminated"].tolist()


def test_samples_are_the_potentials(tmp_path):
    """Where there is one for each frame."""
    recorded = culture(4)
    path = recorded.write(tmp_path / "recording.h5")
    assert (
        "potentials are 40 frames apart, and no samples of frames; frames_per_second=1000 takes"
        in (" ".join(convert(path, "cl", tmp_path / "a.h5", start_time=BEGUN).notes))
    )
    made = convert(path, "cl", tmp_path / "b.h5", frames_per_second=1000, start_time=BEGUN)
    assert not made.notes
    with opened(tmp_path / "a.h5") as root:
        assert "samples" not in root
        assert np.isnan(root.spikes[:]["samples"]).all()
    with opened(tmp_path / "b.h5") as root:
        assert type(root.samples).__name__ == "EArray"
        assert root.samples.dtype == np.int16
        scale = root._v_attrs.uV_per_sample_unit
        assert scale == 0.195
        values = recorded.rows["potentials"]["values"]
        assert root.samples.shape == values.shape
        assert np.abs(root.samples[:] * scale - values).max() <= scale / 2 + 1e-5
        centred = root.samples[:] * scale - values.mean(axis=0)
        padded = np.pad(centred, ((25, 50), (0, 0)))
        for row in root.spikes[::7]:
            frame, channel = int(row["timestamp"]), int(row["channel"])
            # 25 before the frame, and 50 from it on; 0 before the first and after the last.
            expected = padded[frame : frame + 75, channel].copy()
            inside = np.arange(frame - 25, frame + 50)
            expected[(inside < 0) | (inside >= len(centred))] = 0
            assert np.allclose(row["samples"], expected, atol=1e-3)


def test_large_potentials_have_a_coarser_unit(tmp_path):
    recorded = culture(5)
    recorded.rows["potentials"]["values"] *= 1000
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "cl", tmp_path / "cl.h5", frames_per_second=1000, start_time=BEGUN)
    values = recorded.rows["potentials"]["values"]
    with opened(tmp_path / "cl.h5") as root:
        scale = root._v_attrs.uV_per_sample_unit
        assert scale == pytest.approx(np.abs(values).max() / 32767)
        assert np.abs(root.samples[:] * scale - values).max() <= 0.51 * scale


def test_spikes_of_cells_are_heard_by_the_systems_electrodes(tmp_path):
    mea = MINI.default_io()
    recorded = culture(6, num_cells=MINI.num_neurons, num_electrodes=mea.num_channels)
    del recorded.rows["channel_events"]
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(InvalidFieldError, match="system is None; accepted: the system, whose"):
        convert(path, "cl", tmp_path / "cl.h5", start_time=BEGUN)
    convert(path, "cl", tmp_path / "cl.h5", system=MINI, start_time=BEGUN)
    rows = recorded.rows["spikes"]
    ticks = STARTS[rows["episode"] - 1] + rows["tick"]
    _, heard = mea.channel_recording(MINI.neuron_coordinates, rows["gid"], ticks)
    with opened(tmp_path / "cl.h5") as root:
        found = root.spikes[:]
        for channel in mea.channel_ids.tolist():
            own = found["timestamp"][found["channel"] == channel]
            assert np.array_equal(own, np.sort(heard[channel]))


def test_what_the_layout_cannot_hold_is_refused(tmp_path):
    spikes = Recorded()
    spikes.add("spikes", [("gid", "<i4")], {"copy": [0], "episode": [1], "tick": [5], "gid": [1]})
    with pytest.raises(
        BadFileError, match="electrodes is missing; accepted: potentials, channel_ev"
    ):
        convert(spikes.write(tmp_path / "a.h5"), "cl", tmp_path / "cl.h5", start_time=BEGUN)
    many = Recorded()
    one_sample = series(np.array([[0, 1, 0]]), np.zeros((1, 300)))
    many.add("potentials", [("values", "<f4", (300,))], one_sample, ["uV"], sample_dt_ms=0.025)
    with pytest.raises(BadFileError, match=r"channels is up to 299; accepted: 0 \.\. 255"):
        convert(many.write(tmp_path / "b.h5"), "cl", tmp_path / "cl.h5", start_time=BEGUN)
    assert not (tmp_path / "cl.h5").exists()


def test_messages_are_those_of_msgpack():
    for value in (
        {}, {"a": 1, "b": -1, "c": 2**64 - 1, "d": -(2**63), "e": 0.5, "f": None, "g": True},
        {"long": "é" * 300, "nested": {"x": False}}, {str(i): i for i in range(70_000)},
    ):  # fmt: skip
        assert msgpack.unpackb(packed(value)) == value
    with pytest.raises(OverflowError, match="64 bits"):
        packed(2**64)
    with pytest.raises(TypeError, match="no MessagePack for list"):
        packed([1])
