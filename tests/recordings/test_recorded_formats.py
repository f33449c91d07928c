"""What the server's writer leaves, however it ended, becomes the formats of others."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from random import Random

import h5py
import numpy as np
import pynwb
import pytest
import tables
from livnd.datasets import load_dataset
from livnd.datasets.formats import convert
from livnd.datasets.recordings import RecordingFile
from livnd.errors import BadFileError

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
WRITER = BINARIES / "tests/recordings/write_recording"
COPIES = 3


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closed") / "recording.h5"
    subprocess.run([WRITER, path, "10"], check=True, capture_output=True, timeout=60)
    return path


def killed(path: Path, seed: int) -> Path:
    """A recording whose writer was killed after its first flush."""
    with subprocess.Popen([WRITER, path, "0"], stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        time.sleep(Random(seed).uniform(0, 0.3))
        writer.kill()
    return path


def spikes_in(path: Path) -> np.ndarray:
    """Episode, copy, tick and gid of each spike of a file, in this order."""
    with h5py.File(path) as file:
        rows = file["spikes"][:]
    found = np.stack([rows["episode"], rows["copy"], rows["tick"], rows["gid"]], axis=1)
    return found[np.lexsort(found.T[::-1])]


def assert_rows(path: Path, out: Path, tick_ns: int) -> None:
    """Rows that hold the spikes of a recording."""
    found = []
    for row in load_dataset(out, split="train"):
        ticks = np.rint((row["tt"] + row["start_ms"]) * 1e6 / tick_ns).astype(np.int64)
        lead = np.tile([row["episode"], row["copy"]], (len(ticks), 1))
        found.append(np.concatenate([lead, ticks[:, None], row["it"][:, None]], axis=1))
    rows = np.concatenate(found)
    assert np.array_equal(rows[np.lexsort(rows.T[::-1])], spikes_in(path))


def assert_nwb(path: Path, out: Path, copy: int, tick_ns: int) -> None:
    """Units that have the spikes of a copy, episodes after each other."""
    spikes = spikes_in(path)
    spikes = spikes[spikes[:, 1] == copy]
    with pynwb.NWBHDF5IO(str(out), "r") as reader:
        file = reader.read()
        starts = np.rint(file.trials["start_time"][:] * 1e9 / tick_ns).astype(np.int64)
        episodes = np.array(file.trials["episode"][:])
        ticks = starts[np.searchsorted(episodes, spikes[:, 0])] + spikes[:, 2]
        units = dict(zip(file.units.id[:].tolist(), file.units["spike_times"][:], strict=True))
        assert sum(map(len, units.values())) == len(spikes)
        for gid, times in units.items():
            own = np.sort(ticks[spikes[:, 3] == gid])
            assert np.array_equal(np.rint(np.asarray(times) * 1e9 / tick_ns), own)


@pytest.mark.parametrize("to", ["arrow", "parquet"])
def test_rows_hold_the_same_spikes(closed, tmp_path, to):
    made = convert(closed, to, tmp_path / "out", row_ms=500)
    assert made.is_complete
    assert made.counts["spikes"] == 30_000
    assert_rows(closed, tmp_path / "out", 25_000)
    # 40,000 sites in single rows: the samples of a run.
    voltages = sum(row["vv"].size for row in load_dataset(tmp_path / "out", split="train"))
    assert voltages == 10 * 40_000


@pytest.mark.parametrize("copy", range(COPIES))
def test_nwb_holds_the_same_spikes(closed, tmp_path, copy):
    convert(closed, "nwb", tmp_path / "a.nwb", copy=copy)
    assert not pynwb.validate(path=str(tmp_path / "a.nwb"))
    assert_nwb(closed, tmp_path / "a.nwb", copy, 25_000)


def test_cl_holds_the_samples(closed, tmp_path):
    """There are no channel events in it; electrodes are known from their potentials."""
    with pytest.raises(ValueError, match="system is None; accepted: the system, whose electrodes"):
        convert(closed, "cl", tmp_path / "cl.h5", copy=1)
    with RecordingFile(closed) as recording:
        assert recording.streams["potentials"].columns["values"].length == 64


@pytest.mark.parametrize("seed", range(4))
def test_what_a_killed_writer_had_flushed_is_converted(tmp_path, seed):
    path = killed(tmp_path / "recording.h5", seed)
    for to, out, copy in (("arrow", "rows", None), ("nwb", "a.nwb", 2)):
        made = convert(path, to, tmp_path / out, copy=copy)
        assert not made.is_complete
        assert made.notes[-1].startswith("the recording was not closed: this is what ")
    assert_rows(path, tmp_path / "rows", 25_000)
    assert_nwb(path, tmp_path / "a.nwb", 2, 25_000)


def test_a_recording_can_be_converted_while_it_is_written(tmp_path):
    """By a writer that flushes some times a second, and not without a pause as this one would."""
    path = tmp_path / "recording.h5"
    with subprocess.Popen([WRITER, path, "0"], stdout=subprocess.PIPE, text=True) as writer:
        told, ended = 0, threading.Event()

        def slow_down() -> None:
            while not ended.wait(0.25):
                writer.send_signal(signal.SIGCONT)
                time.sleep(0.01)
                writer.send_signal(signal.SIGSTOP)

        writer.stdout.readline()
        writer.send_signal(signal.SIGSTOP)
        slow = threading.Thread(target=slow_down)
        slow.start()
        try:
            index, until = 0, time.monotonic() + 90
            while index < 3 or (told < 9000 and time.monotonic() < until):
                made = convert(path, "parquet", tmp_path / str(index))
                assert made.counts["spikes"] >= max(told, 3000)
                assert made.counts["spikes"] % 3000 == 0
                assert not made.is_complete
                told, index = made.counts["spikes"], index + 1
        finally:
            ended.set()
            slow.join()
            writer.kill()
    assert told > 3000
    assert_first_spikes(path, tmp_path / str(index - 1), told)


def assert_first_spikes(path: Path, out: Path, count: int) -> None:
    """Rows that hold the first so many spikes of a recording."""
    with h5py.File(path) as file:
        rows = file["spikes"][:count]
    expected = np.stack([rows["episode"], rows["copy"], rows["gid"]], axis=1)
    found = [
        np.stack(
            [
                np.full(len(row["it"]), row["episode"]),
                np.full(len(row["it"]), row["copy"]),
                row["it"],
            ],
            1,
        )
        for row in load_dataset(out, split="train")
    ]
    rows = np.concatenate(found)
    assert np.array_equal(rows[np.lexsort(rows.T[::-1])], expected[np.lexsort(expected.T[::-1])])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.9999])
def test_what_is_left_of_a_file_can_be_salvaged(closed, tmp_path, share):
    whole = closed.read_bytes()
    path = tmp_path / "recording.h5"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadFileError, match=r"recording.h5 is cut short \(\d+ bytes\)"):
        convert(path, "parquet", tmp_path / "out")
    made = convert(path, "parquet", tmp_path / "out", salvage=True)
    assert not made.is_complete
    with RecordingFile(path, salvage=True) as recording:
        kept = recording.streams["spikes"].read()
        lost = [one for one in recording.lost if one.stream == "spikes"]
    with h5py.File(closed) as file:
        rows = file["spikes"][:]
    expected = np.delete(
        rows, np.concatenate([np.arange(0), *(np.arange(one.begin, one.end) for one in lost)])
    )
    assert np.array_equal(kept, expected)
    assert made.counts["spikes"] == len(kept) > 0
    told = [
        f"{one.stream}: rows {one.begin} .. {one.end - 1} are damaged and left out" for one in lost
    ]
    assert set(told) <= set(made.notes)
    assert tables.is_hdf5_file(str(closed))
