"""Conversions of recordings: the command, what is damaged, what is left when one fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from livnd.datasets import load_dataset, load_from_disk
from livnd.datasets.__main__ import main
from livnd.datasets.formats import FORMATS, convert
from livnd.datasets.formats.progress import ProgressLine
from livnd.datasets.recordings import RecordingFile
from livnd.errors import BadFileError, InvalidFieldError, MissingExtraError
from recorded_culture import Recorded, culture, spikes_of, text

ROOT = Path(__file__).resolve().parents[3]


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("to", FORMATS)
def test_the_command_makes_every_format(tmp_path, capsys, to):
    recorded = culture(1, num_copies=2)
    path = recorded.write(tmp_path / "recording.h5")
    out = tmp_path / f"out.{to}"
    assert main(["convert", str(path), "--to", to, "--out", str(out), "--copy", "1"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}: ") and told.out.count("\n") == 1
    assert " spikes" in told.out and "incomplete" not in told.out
    assert set(tmp_path.iterdir()) == {path, out}
    assert main(["convert", str(path), "--to", to, "--out", str(out), "--copy", "1"]) == 1
    assert "out is '" in capsys.readouterr().err
    again = ["--copy", "1", "--overwrite", "--json", "--quiet"]
    assert main(["convert", str(path), "--to", to, "--out", str(out), *again]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["out"] == str(out) and found["format"] == to and found["complete"] is True
    column = "channel_events" if to == "cl" else "spikes"
    rows = recorded.rows[column]
    assert found["spikes"] == (rows["copy"] == 1).sum()
    assert told.err == ""
    assert set(tmp_path.iterdir()) == {path, out}


def test_help_tells_everything(capsys):
    with pytest.raises(SystemExit) as end:
        main(["convert", "--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    options = "layout row-ms copy system start-time frames-per-second salvage overwrite json quiet"
    for word in (*FORMATS, *(f"--{option}" for option in options.split())):
        assert word in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "csv"], "invalid choice: 'csv'"),
        (["--to", "nwb", "--start-time", "yesterday"], "yesterday is no time with a time zone"),
        (["--to", "nwb", "--start-time", "2026-01-01T00:00:00"], "is no time with a time zone"),
        (["--to", "arrow", "--row-ms", "0"], "0 is no finite number above 0"),
        (["--to", "arrow", "--row-ms", "inf"], "inf is no finite number above 0"),
        (["--to", "nwb", "--copy", "-1"], "-1 is no copy's number"),
        ([], "required: --to"),
    ],
)
def test_wrong_usage_is_told(capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        main(["convert", "a.h5", "--out", "b", *arguments])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_read_is_told_in_a_line(tmp_path, capsys):
    (tmp_path / "text.h5").write_text("no recording")
    (tmp_path / "empty.h5").write_bytes(b"")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs["format"] = text("livnd recording")
        file.attrs["format_version"] = 2
    for name, told in (
        ("none.h5", "none.h5: no such file"),
        ("text.h5", "text.h5 is no HDF5 file; accepted: a recording of a livnd server"),
        ("empty.h5", "empty.h5 is empty (0 bytes); accepted: a recording of a livnd server"),
        ("other.h5", "other.h5: attribute format is missing; accepted: livnd recording"),
        ("newer.h5", "newer.h5: attribute format_version is 2; accepted: 1"),
    ):
        arguments = [str(tmp_path / name), "--to", "arrow", "--out", str(tmp_path / "out")]
        assert main(["convert", *arguments]) == 1
        assert capsys.readouterr().err == f"livnd.datasets: {tmp_path}/{told}\n"
    assert not (tmp_path / "out").exists()


def test_a_stream_of_another_form_is_told(tmp_path):
    recorded = culture(2)
    for name, rows, message in (
        (
            "spikes",
            np.zeros(3, [("gid", "<i4")]),
            r"spikes.copy is missing; accepted: columns copy",
        ),
        ("stimuli", recorded.rows["spikes"], r"stimuli.channel is missing; accepted: columns copy"),
    ):
        other = Recorded(dict(recorded.rows), recorded.units, recorded.stream_attributes)
        other.rows[name] = rows
        path = other.write(tmp_path / "recording.h5")
        with pytest.raises(BadFileError, match=message):
            convert(path, "arrow", tmp_path / "out")
    del recorded.attributes["tick_ns"]
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(
        BadFileError, match="attribute tick_ns is missing; accepted: ns that a tick"
    ):
        convert(path, "arrow", tmp_path / "out")
    recorded.attributes["tick_ns"] = 25000
    recorded.rows["spikes"]["tick"][5] = -1
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(BadFileError, match=r"spikes.tick is -1; accepted: ticks from 0 on"):
        convert(path, "arrow", tmp_path / "out")


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    path = culture(3).write(tmp_path / "recording.h5")
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(MissingExtraError, match=r"writing NWB needs pynwb .*'livnd\[nwb\]'"):
        convert(path, "nwb", tmp_path / "a.nwb")
    assert list(tmp_path.iterdir()) == [path]


# --- whole or not at all -------------------------------------------------------------------------


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_left_of_what_fails(tmp_path, to):
    """At whatever call of the progress function it fails."""
    path = culture(4).write(tmp_path / "recording.h5")
    told: list[tuple[str, int, int]] = []
    convert(path, to, tmp_path / "out", progress=lambda *one: told.append(one))
    assert all(0 <= done <= total for _, done, total in told)
    before = sorted(tmp_path.rglob("*"))
    for calls in {1, len(told) // 2, len(told)}:
        left = calls

        def fail(name: str, done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            convert(path, to, tmp_path / "out", overwrite=True, progress=fail)
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(KeyboardInterrupt):
            left = calls
            convert(path, to, tmp_path / "other", progress=fail)
        assert sorted(tmp_path.rglob("*")) == before


def test_what_was_there_goes_when_the_new_one_is_whole(tmp_path):
    one, other = culture(5), culture(6)
    path = one.write(tmp_path / "a.h5")
    convert(path, "arrow", tmp_path / "out")
    convert(other.write(tmp_path / "b.h5"), "arrow", tmp_path / "out", overwrite=True)
    row = load_from_disk(tmp_path / "out")[0]
    assert np.array_equal(row["it"], spikes_of(other, 0, 1)[0])
    convert(path, "parquet", tmp_path / "out", overwrite=True)
    assert np.array_equal(
        load_dataset(tmp_path / "out", split="train")[0]["it"], spikes_of(one, 0, 1)[0]
    )
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.h5", "b.h5", "out"]


def test_a_place_has_to_be_one(tmp_path):
    path = culture(7).write(tmp_path / "recording.h5")
    with pytest.raises(
        InvalidFieldError, match=r"out is .*; accepted: a path in a folder that exi"
    ):
        convert(path, "arrow", tmp_path / "none/out")
    with pytest.raises(InvalidFieldError, match=r"out is .*; accepted: another path than the rec"):
        convert(path, "parquet", path, overwrite=True)
    assert h5py.is_hdf5(path)


def test_permissions_are_the_usual_ones(tmp_path):
    path = culture(8).write(tmp_path / "recording.h5")
    before = os.umask(0o027)
    try:
        convert(path, "arrow", tmp_path / "folder")
        convert(path, "parquet", tmp_path / "file")
    finally:
        os.umask(before)
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_ended_leaves_nothing(tmp_path, number, to):
    rng = np.random.default_rng(1)
    made, count = Recorded(), 2_000_000
    keys = {"copy": np.zeros(count, int), "episode": np.ones(count, int)}
    made.add(
        "spikes",
        [("gid", "<i4")],
        {**keys, "tick": np.arange(count), "gid": rng.integers(0, 9, count)},
    )
    path = made.write(tmp_path / "recording.h5")
    with subprocess.Popen(
        [sys.executable, "-m", "livnd.datasets", "convert", path, "--to", to, "--out",
         tmp_path / "out", "--row-ms", "10"], stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        while not list(tmp_path.glob(".out.*.part")) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(number)
        told = process.communicate(timeout=60)[1]
    assert process.returncode in (128 + number, 130), told
    assert list(tmp_path.iterdir()) == [path]


# --- what is damaged -----------------------------------------------------------------------------


@pytest.mark.parametrize("to", FORMATS)
def test_what_a_dead_writer_had_flushed_is_converted(tmp_path, capsys, to):
    path = culture(9).write(tmp_path / "recording.h5", closed=0, dropped={"spikes": 12})
    made = convert(path, to, tmp_path / "out")
    assert not made.is_complete
    assert "the recording was not closed: this is what 7 flushes had written" in made.notes
    assert "spikes: 12 rows were never written" in made.notes
    assert main(["convert", str(path), "--to", to, "--out", str(tmp_path / "other")]) == 0
    told = capsys.readouterr()
    assert "livnd.datasets: the recording was not closed" in told.err
    assert told.out.endswith("; incomplete\n")


@pytest.mark.parametrize(
    ("attribute", "note"),
    [
        ("paused", "the recording is paused: its session may go on in it"),
        ("cut_short", "the server could not go on with the recording, and cut it short"),
    ],
)
def test_what_a_server_says_of_its_end_is_told(tmp_path, attribute, note):
    recorded = culture(12)
    recorded.attributes[attribute] = 1
    made = convert(recorded.write(tmp_path / "recording.h5"), "parquet", tmp_path / "out")
    assert note in made.notes and not made.is_complete


@pytest.mark.parametrize("to", ["arrow", "nwb", "cl"])
def test_a_restored_episode_is_told(tmp_path, to):
    recorded = culture(13)
    starts = recorded.rows["episode_starts"]
    recorded.rows["episode_starts"] = np.concatenate([starts, starts[1:2]])
    made = convert(recorded.write(tmp_path / "recording.h5"), to, tmp_path / "out")
    told = "episode 2 of copy 0 was gone on with after a Restore: rows from before it and after"
    assert sum(note.startswith(told) for note in made.notes) == 1


@pytest.fixture
def large(tmp_path) -> tuple[Recorded, Path]:
    """Spikes in several chunks."""
    rng = np.random.default_rng(1)
    made, count = Recorded(), 100_000
    keys = {"copy": np.zeros(count, int), "episode": np.ones(count, int)}
    ticks = np.sort(rng.integers(0, 40_000_000, count))
    made.add("spikes", [("gid", "<i4")], {**keys, "tick": ticks, "gid": rng.integers(0, 99, count)})
    return made, made.write(tmp_path / "recording.h5")


def damage(path: Path, stream: str, chunk: int) -> range:
    """Changes a byte of a chunk; returns its rows."""
    with h5py.File(path) as file:
        data = file[stream]
        info = data.id.get_chunk_info(chunk)
        rows = range(chunk * data.chunks[0], min((chunk + 1) * data.chunks[0], len(data)))
    with open(path, "r+b") as file:
        file.seek(info.byte_offset + info.size // 2)
        byte = file.read(1)[0]
        file.seek(info.byte_offset + info.size // 2)
        file.write(bytes([byte ^ 0xFF]))
    return rows


@pytest.mark.parametrize("to", ["arrow", "parquet", "nwb"])
@pytest.mark.parametrize("chunk", [0, 3, 6])
def test_damaged_rows_are_an_error_unless_they_may_be_left_out(tmp_path, large, to, chunk):
    made, path = large
    lost = damage(path, "spikes", chunk)
    with pytest.raises(
        BadFileError, match=r"recording.h5: spikes\[\d+:\d+\] is damaged \(.*; accep"
    ):
        convert(path, to, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]
    found = convert(path, to, tmp_path / "out", salvage=True)
    assert not found.is_complete
    assert f"spikes: rows {lost[0]} .. {lost[-1]} are damaged and left out" in found.notes
    assert found.counts["spikes"] == len(made.rows["spikes"]) - len(lost)
    if to != "nwb":
        row = load_dataset(tmp_path / "out", split="train")[0]
        rows = np.delete(made.rows["spikes"], lost)
        assert np.array_equal(row["it"], rows["gid"])


def test_a_file_that_is_cut_short_is_told(tmp_path, large):
    """What salvage makes of one is in tests/recordings: only the server writes for that."""
    path = large[1]
    whole = path.read_bytes()
    for left in (len(whole) - 1, len(whole) // 2, 600):
        path.write_bytes(whole[:left])
        told = (
            rf"cut short \({left} bytes\); accepted: all of its {len(whole)} bytes; salvage takes"
        )
        with pytest.raises(BadFileError, match=told):
            convert(path, "arrow", tmp_path / "out")


def test_any_byte_may_be_wrong(tmp_path):
    """Then it is refused or read as it was: 80 draws, whatever byte it is."""
    recorded = culture(10)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "parquet", tmp_path / "whole")
    expected = [row["it"].tolist() for row in load_dataset(tmp_path / "whole", split="train")]
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(80):
        changed = bytearray(data)
        changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            made = convert(
                path, "parquet", tmp_path / "out", overwrite=True, salvage=rng.random() < 0.5
            )
        except (BadFileError, InvalidFieldError):
            refused += 1
            continue
        if made.is_complete:
            found = [row["it"].tolist() for row in load_dataset(tmp_path / "out", split="train")]
            assert found == expected or made.counts["spikes"] < 1
    assert refused > 8


# --- how it is told ------------------------------------------------------------------------------


class Terminal:
    """A stream that keeps what is written."""

    def __init__(self, is_terminal: bool) -> None:
        self.text, self._is_terminal = "", is_terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_told_when_it_takes_long(monkeypatch, is_terminal):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    out = Terminal(is_terminal)
    line = ProgressLine(out)
    for second in range(0, 40):
        now[0] = float(second)
        line("writing rows", second, 40)
    line.close()
    if is_terminal:
        assert out.text.startswith("\rwriting rows: 5%\rwriting rows: 7%")
        assert out.text.endswith("\r" + " " * len("writing rows: 97%") + "\r")
    else:
        assert out.text.splitlines() == [
            f"livnd.datasets: writing rows: {100 * s // 40}%" for s in (2, 17, 32)
        ]


def test_reading_the_file_is_plain(tmp_path):
    recorded = culture(11)
    path = recorded.write(tmp_path / "recording.h5")
    with RecordingFile(path) as recording:
        assert recording.is_closed and recording.tick_ns == 25000
        spikes = recording.streams["spikes"]
        assert np.array_equal(spikes.read(), recorded.rows["spikes"])
        assert np.array_equal(np.concatenate(list(spikes.parts(100))), recorded.rows["spikes"])
        assert spikes.read(10, 20).tolist() == recorded.rows["spikes"][10:20].tolist()
        assert spikes.columns["tick"].unit == "tick"
        potentials = recording.streams["potentials"]
        assert (potentials.columns["values"].length, potentials.columns["values"].unit) == (4, "uV")
        assert recording.streams["voltages"].labels["gid"].tolist() == [2, 5, 5]
        assert potentials.labels is None
        assert recording.attributes["environment"] == "livnd/TargetRate-EI-mini-v0"
    with pytest.raises(BadFileError, match="spikes is closed"):
        spikes.read()
