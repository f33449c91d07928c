"""Recordings open with plain h5py, whatever happened to their writer."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from random import Random

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
WRITER = BINARIES / "tests/recordings/write_recording"

# Rows of each stream in a round, as write_recording.cc has them.
COUNTS = {"spikes": 3000, "potentials": 40, "rewards": 1, "voltages": 1, "voltages.labels": 7}
KEYED = [name for name in COUNTS if not name.endswith(".labels")]


def expect_rows(f: h5py.File, name: str, num_rows: int) -> None:
    """Every row is a function of its number (io/recording/testing)."""
    rows = f[name][:]
    assert len(rows) == num_rows
    number = np.arange(num_rows)
    if name == "voltages.labels":
        assert np.array_equal(rows["gid"], number)
        assert np.array_equal(rows["section"], number % 2)
        return
    assert np.array_equal(rows["copy"], number % 3)
    assert np.array_equal(rows["episode"], 1 + number // 1000)
    assert np.array_equal(rows["tick"], number % 1000 * 40)
    if name == "voltages":
        expected = -65.0 + (number[:, None] + np.arange(40000)) % 7
        assert np.array_equal(rows["values"], expected)
    elif name == "potentials":
        assert rows["values"].shape == (num_rows, 64)
        assert np.all((rows["values"] >= 0) & (rows["values"] < 200))
    elif name == "spikes":
        assert np.all((rows["gid"] >= 0) & (rows["gid"] < 1000))
        assert num_rows == 0 or len(np.unique(rows["gid"])) > 900
    elif name == "rewards":
        assert np.array_equal(rows["terminated"], number % 1000 == 999)
        assert not rows["truncated"].any()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closed") / "recording.h5"
    subprocess.run([WRITER, path, "30"], check=True, capture_output=True, timeout=60)
    return path


@pytest.mark.parametrize("name", COUNTS)
def test_every_row_is_there(closed: Path, name: str) -> None:
    with h5py.File(closed) as f:
        assert f.attrs["closed"] == 1
        expect_rows(f, name, 30 * COUNTS[name])


def test_attributes_have_the_types_that_the_documentation_tells(closed: Path) -> None:
    with h5py.File(closed) as f:
        assert f.attrs["format"].decode() == "livnd recording"
        assert f.attrs["format_version"] == 1
        assert f.attrs["system"].decode() == "EI-µ"
        assert f.attrs["tick_ns"] == 25000
        assert f.attrs["tick_ns"].dtype == np.int64
        assert f.attrs["step_ms"] == 2.5
        assert [text.decode() for text in f.attrs["names"]] == ["a", "", "ccc"]
        assert f.attrs["empty"].decode() == ""
        assert [unit.decode() for unit in f["potentials"].attrs["units"]] == ["", "", "tick", "uV"]
        assert f["voltages"].attrs["sample_dt_ms"] == 0.1


def test_data_sets_are_stored_as_the_documentation_tells(closed: Path) -> None:
    with h5py.File(closed) as f:
        spikes = f["spikes"]
        assert spikes.dtype == np.dtype(
            [("copy", "<i4"), ("episode", "<i8"), ("tick", "<i8"), ("gid", "<i4")]
        )
        assert spikes.maxshape == (None,)
        assert spikes.chunks == (16384,)
        assert (spikes.shuffle, spikes.compression, spikes.compression_opts) == (True, "gzip", 1)
        assert spikes.fletcher32
        assert f["potentials"].dtype["values"] == np.dtype(("<f4", (64,)))


def test_slices_are_those_of_the_whole(closed: Path) -> None:
    random = Random(1)
    with h5py.File(closed) as f:
        spikes = f["spikes"][:]
        for _ in range(50):
            begin, end = sorted(random.sample(range(len(spikes) + 1), 2))
            step = random.randint(1, 5)
            assert np.array_equal(f["spikes"][begin:end:step], spikes[begin:end:step])


@pytest.mark.parametrize("name", KEYED)
def test_the_index_has_the_spans_of_the_full_chunks(closed: Path, name: str) -> None:
    with h5py.File(closed) as f:
        rows, index = f[name], f[name + ".index"][:]
        (chunk,) = rows.chunks
        assert len(index) == len(rows) // chunk
        for i, span in enumerate(index):
            part = rows[i * chunk : (i + 1) * chunk]
            for column in ("episode", "tick"):
                assert span["min_" + column] == part[column].min()
                assert span["max_" + column] == part[column].max()


@pytest.mark.parametrize("seed", range(12))
def test_a_killed_writer_leaves_what_it_had_flushed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "recording.h5"
    random = Random(seed)
    with subprocess.Popen([WRITER, path, "0"], stdout=subprocess.PIPE, text=True) as writer:
        while not path.exists():
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.4))
        writer.kill()
        told = [int(line.split()[1]) for line in writer.stdout if line.endswith("\n")]
    with h5py.File(path) as f:
        assert f.attrs["closed"] == 0
        num_rounds = f.attrs["num_flushes"]
        assert num_rounds >= len(told)
        for name, count in COUNTS.items():
            expect_rows(f, name, num_rounds * count)


def test_opens_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "recording.h5"
    with subprocess.Popen([WRITER, path, "0"], stdout=subprocess.PIPE, text=True) as writer:
        try:
            for _ in range(20):
                told = int(writer.stdout.readline().split()[1])
                with h5py.File(path) as f:
                    assert len(f["spikes"]) >= (told + 1) * COUNTS["spikes"]
        finally:
            writer.kill()
