"""Recordings as rows of livn's layouts: the same spikes, by whoever reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from livnd.datasets import load_dataset, load_from_disk, open_files
from livnd.datasets.formats import convert, rows
from livnd.errors import BadFileError, InvalidFieldError
from livnd.system import System
from published_rows import plain
from recorded_culture import TICK_NS, Recorded, culture, spikes_of

ROOT = Path(__file__).resolve().parents[3]
MINI = System(ROOT / "systems/EI-mini")
GIDS = {"runs": "it", "trials": "trial_it"}
TIMES = {"runs": "tt", "trials": "trial_t"}
LENGTH = {"runs": "duration", "trials": "t_end", "channels": "t_end"}


def assert_same_spikes(found: object, recorded: Recorded, layout: str) -> None:
    """Each row has the spikes of its window of its episode, and no others."""
    num_spikes = 0
    for row in found:
        gids, ticks = spikes_of(recorded, row["copy"], row["episode"])
        begin = round(row["start_ms"] * 1e6 / TICK_NS)
        own = ticks >= begin
        own &= ticks < begin + round(row[LENGTH[layout]] * 1e6 / TICK_NS)
        ids, times_ms = row[GIDS[layout]], row[TIMES[layout]]
        if layout == "trials":
            assert len(ids) == len(times_ms) == row["trials"] == 1
            ids, times_ms = ids[0], times_ms[0]
        assert np.array_equal(np.rint(np.array(times_ms) * 1e6 / TICK_NS), ticks[own] - begin)
        assert np.array_equal(ids, gids[own])
        num_spikes += len(ids)
    assert num_spikes == len(recorded.rows["spikes"])


@pytest.mark.parametrize("row_ms", [None, 30, 1000])
@pytest.mark.parametrize("to", ["arrow", "parquet"])
@pytest.mark.parametrize("layout", ["runs", "trials"])
@pytest.mark.parametrize("num_copies", [1, 3])
def test_rows_have_the_spikes_of_the_recording(tmp_path, num_copies, layout, to, row_ms):
    recorded = culture(2, num_copies=num_copies)
    path = recorded.write(tmp_path / "recording.h5")
    made = convert(path, to, tmp_path / "out", layout=layout, row_ms=row_ms)
    found = load_dataset(tmp_path / "out", split="train")
    assert found.layout.name == layout
    assert_same_spikes(found, recorded, layout)
    assert made.is_complete
    assert made.counts["spikes"] == len(recorded.rows["spikes"])
    assert made.counts["rows"] == len(found)
    if row_ms is None:
        keys = [(row["episode"], row["copy"]) for row in found]
        assert keys == [(e, c) for e in (1, 2, 3) for c in range(num_copies)]


def test_datasets_and_livn_read_the_same_rows(tmp_path):
    import datasets
    from livn.decoding import ArrowDataset

    path = culture(3, num_copies=2).write(tmp_path / "recording.h5")
    convert(path, "arrow", tmp_path / "out")
    ours = [{name: plain(value) for name, value in row.items()} for row in open_folder(tmp_path)]
    theirs = datasets.load_from_disk(str(tmp_path / "out"))
    assert list(theirs) == ours
    livns = ArrowDataset(duration=100, directory=str(tmp_path / "out")).dataset()
    assert list(livns) == ours
    assert theirs.train_test_split(0.5, seed=1)["train"].num_rows == 3


def open_folder(tmp_path: Path) -> object:
    return load_from_disk(tmp_path / "out")


def test_rows_have_all_that_a_layout_has_a_place_for(tmp_path):
    recorded = culture(4, num_copies=2)
    recorded.add(
        "membrane_currents", [("values", "<f4", (3,))],
        {name: recorded.rows["voltages"][name] for name in ("copy", "episode", "tick", "values")},
        ["uA"], sample_dt_ms=1.0,
    )  # fmt: skip
    path = recorded.write(tmp_path / "recording.h5")
    made = convert(path, "arrow", tmp_path / "out")
    assert made.notes == [
        "membrane_currents: no labels tell its cells; they are numbered from 0",
        "livn's rows have no place for actions.stimulus, learned_weights, observations.rates, "
        "potentials",
    ]
    for row in load_from_disk(tmp_path / "out"):
        copy, episode = row["copy"], row["episode"]
        own = recorded.rows["voltages"]
        own = own[(own["copy"] == copy) & (own["episode"] == episode)]
        assert np.array_equal(row["vv"], own["values"].T)
        assert np.array_equal(row["mp"], own["values"].T.astype(np.float32))
        assert row["iv"].tolist() == [2, 5, 5]
        steps = 25 - episode % 2
        assert row["duration"] == steps * 400 * TICK_NS / 1e6
        assert row["seed"] == 4000 + episode
        stimuli = recorded.rows["stimuli"]
        stimuli = stimuli[(stimuli["copy"] == copy) & (stimuli["episode"] == episode)]
        pulses = np.array(row["features"]).reshape(-1, 3)
        # Two phases are a pulse; its amplitude is that of the first.
        assert np.array_equal(pulses[:, 0], stimuli["channel"][::2])
        assert np.allclose(pulses[:, 1], stimuli["tick"][::2] * TICK_NS / 1e6, rtol=0, atol=1e-9)
        assert (pulses[:, 2] == -2.5).all()
    assert load_from_disk(tmp_path / "out").metadata == {
        "warmup_ms": 0, "system": "EI-mini", "environment": "livnd/TargetRate-EI-mini-v0",
        "physics_version": "1", "tick_ns": TICK_NS, "sampling_frequency": 1000,
    }  # fmt: skip


def test_rows_by_channel_are_what_electrodes_hear(tmp_path):
    mea = MINI.default_io()
    recorded = culture(5, num_electrodes=mea.num_channels, num_cells=MINI.num_neurons)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "arrow", tmp_path / "out", layout="channels", system=MINI)
    for row in load_from_disk(tmp_path / "out"):
        gids, ticks = spikes_of(recorded, 0, row["episode"])
        ids, times = mea.channel_recording(MINI.neuron_coordinates, gids, ticks * TICK_NS / 1e6)
        assert len(row["cit"]) == mea.num_channels
        for channel in mea.channel_ids.tolist():
            assert np.array_equal(row["cit"][channel], ids[channel])
            assert np.array_equal(row["ctt"][channel], times[channel])
        own = recorded.rows["potentials"]
        assert np.array_equal(row["cp"], own[own["episode"] == row["episode"]]["values"].T)
        assert row["sample_id"] == f"0-{row['episode']}"
    with pytest.raises(InvalidFieldError, match="system is None; accepted: the system"):
        convert(path, "arrow", tmp_path / "other", layout="channels")


def test_a_system_is_known_by_its_name_or_folder(tmp_path):
    path = culture(7, num_episodes=1, num_electrodes=8).write(tmp_path / "recording.h5")
    made = []
    for system in (MINI, "EI-mini", str(ROOT / "systems/EI-mini"), ROOT / "systems/EI-mini"):
        out = tmp_path / f"{len(made)}.parquet"
        convert(path, "parquet", out, layout="channels", system=system)
        made.append(out.read_bytes())
    assert len(set(made)) == 1
    with pytest.raises(FileNotFoundError, match="no system 'EI-nano'"):
        convert(path, "parquet", tmp_path / "out", system="EI-nano")


def test_one_copy_can_be_asked_for(tmp_path):
    recorded = culture(6, num_copies=3)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "parquet", tmp_path / "one.parquet", copy=1)
    found = open_files(tmp_path / "one.parquet")
    assert {row["copy"] for row in found} == {1}
    for row in found:
        gids, _ = spikes_of(recorded, 1, row["episode"])
        assert np.array_equal(row["it"], gids)


def test_silence_has_rows(tmp_path):
    """Windows without a spike, and episodes of which there are rewards alone."""
    recorded = culture(7, rate=0.0)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "parquet", tmp_path / "a", row_ms=50)
    assert [len(row["it"]) for row in open_files(tmp_path / "a")] == [0] * 15
    few = Recorded()
    columns = [("gid", "<i4")]
    few.add("spikes", columns, {"copy": [0] * 3, "episode": [1] * 3, "tick": [4, 9000, 9001],
                                "gid": [1, 2, 3]})  # fmt: skip
    few.write(tmp_path / "few.h5")
    convert(tmp_path / "few.h5", "parquet", tmp_path / "b", row_ms=50)
    found = open_files(tmp_path / "b")
    assert [row["it"].tolist() for row in found] == [[1], [], [], [], [2, 3]]
    assert [row["start_ms"] for row in found] == [0, 50, 100, 150, 200]
    assert found[4]["duration"] == pytest.approx(25.05)  # to the tick after the last


def test_rows_come_in_order_whatever_the_order_of_the_file(tmp_path):
    recorded = culture(8, num_copies=2)
    order = np.random.default_rng(1).permutation(len(recorded.rows["spikes"]))
    path = recorded.write(tmp_path / "a.h5")
    convert(path, "parquet", tmp_path / "a")
    expected = [plain(row["tt"]) for row in open_files(tmp_path / "a")]
    recorded.rows["spikes"] = recorded.rows["spikes"][order]
    convert(recorded.write(tmp_path / "b.h5"), "parquet", tmp_path / "b")
    assert [plain(row["tt"]) for row in open_files(tmp_path / "b")] == expected


def test_a_row_that_is_too_long_is_refused(tmp_path, monkeypatch):
    path = culture(9).write(tmp_path / "recording.h5")
    monkeypatch.setattr(rows, "MAX_SPIKES", 20)
    with pytest.raises(
        InvalidFieldError, match=r"row_ms is .*episode . of copy 0 has \d\d rows of"
    ):
        convert(path, "arrow", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]
    convert(path, "arrow", tmp_path / "out", row_ms=20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to": "csv"}, "to is 'csv'; accepted: arrow, parquet, nwb, cl"),
        ({"layout": "rows"}, "layout is 'rows'; accepted: runs, trials, channels"),
        ({"row_ms": 0.001}, "row_ms is 0.001; accepted: 0.025 ms at least, a tick"),
        ({"row_ms": float("nan")}, "row_ms is .*nan.*; accepted: "),
        ({"row_ms": -1}, "row_ms is -1; accepted: a finite number above 0"),
        ({"copy": -1}, "copy is '?-1'?; accepted: a copy's number"),
        ({"copy": 7}, "copy is 7; accepted: 0"),
        ({"layout": "channels"}, "system is None; accepted: the system, whose"),
        ({"system": 3}, "system is 3; accepted: a system, its name or its folder"),
        ({"start_time": "yesterday"}, "start_time is 'yesterday'; accepted: a time with its"),
        ({"start_time": "2026-11-29"}, "start_time is '2026-11-29'; accepted: a time with its"),
        ({"overwrite": "no"}, "overwrite is 'no'; accepted: True, False"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, arguments, message):
    path = culture(10, num_episodes=1).write(tmp_path / "recording.h5")
    with pytest.raises(InvalidFieldError, match=message):
        convert(path, **{"to": "arrow", "out": tmp_path / "out"} | arguments)
    assert list(tmp_path.iterdir()) == [path]


def test_recordings_that_have_no_spikes_have_no_rows(tmp_path):
    recorded = culture(11)
    del recorded.rows["spikes"]
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(
        BadFileError, match=r"recording.h5: spikes is missing; accepted: spikes, be"
    ):
        convert(path, "parquet", tmp_path / "out")
    empty = Recorded()
    empty.add("spikes", [("gid", "<i4")], {"copy": [], "episode": [], "tick": [], "gid": []})
    with pytest.raises(BadFileError, match="is without rows; accepted: a recording of something"):
        convert(empty.write(tmp_path / "empty.h5"), "parquet", tmp_path / "out")


def test_memory_does_not_grow_with_the_recording(tmp_path):
    """Of five million spikes, 120 MB, in rows of some thousands."""

    def write(num_spikes: int) -> Path:
        rng = np.random.default_rng(1)
        made = Recorded()
        made.attributes["num_copies"] = 1
        ticks = np.sort(rng.integers(0, num_spikes * 10, num_spikes))
        keys = {"copy": np.zeros(num_spikes, int), "episode": np.ones(num_spikes, int)}
        values = {**keys, "tick": ticks, "gid": rng.integers(0, 1000, num_spikes)}
        made.add("spikes", [("gid", "<i4")], values)
        return made.write(tmp_path / f"{num_spikes}.h5")

    code = """if True:
        import re, sys
        from livnd.datasets.formats import convert
        made = convert(sys.argv[1], sys.argv[2], sys.argv[1] + sys.argv[2], row_ms=1000)
        peak = re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]
        print(made.counts["spikes"], peak)
    """
    small, large = write(50_000), write(5_000_000)
    for to in ("parquet", "arrow"):
        peaks = []
        for path in (small, large):
            done = subprocess.run(
                [sys.executable, "-c", code, path, to],
                capture_output=True, text=True, timeout=240, check=True,
            )  # fmt: skip
            count, peak_kib = map(int, done.stdout.split())
            assert count == int(path.stem)
            peaks.append(peak_kib / 1024)
        assert peaks[1] < peaks[0] + 170, peaks


def test_parquet_has_checksums_and_says_what_it_is(tmp_path):
    path = culture(12).write(tmp_path / "recording.h5")
    convert(path, "parquet", tmp_path / "out.parquet")
    told = json.loads(pq.read_schema(tmp_path / "out.parquet").metadata[b"livnd"])
    assert told["environment"] == "livnd/TargetRate-EI-mini-v0"
    data = bytearray((tmp_path / "out.parquet").read_bytes())
    refused = 0
    for place in range(200, len(data) // 2, len(data) // 40):
        data[place] ^= 0x55
        (tmp_path / "bad.parquet").write_bytes(data)
        data[place] ^= 0x55
        try:
            for row in open_files(tmp_path / "bad.parquet"):
                _ = [row[name] for name in row]
        except BadFileError:
            refused += 1
    assert refused > 15
