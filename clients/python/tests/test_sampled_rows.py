"""Folders of livnd sample as livn's rows: what a served culture does with the same inputs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import livnd
import numpy as np
import pytest
from livnd import local_server
from livnd.datasets import load_dataset, load_from_disk
from livnd.datasets.formats import convert
from livnd.datasets.samples import SampleFolder
from livnd.errors import BadFileError, InvalidFieldError
from livnd.io import MEA
from livnd.system import System
from published_rows import plain

ROOT = Path(__file__).resolve().parents[3]
MINI = ROOT / "systems/EI-mini"
VOLTAGES = [3, 8]
DT_MS = 0.5


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven samples of two trials, in files of three."""
    folder = tmp_path_factory.mktemp("samples") / "EI-mini"
    flags = [
        "--split", "train=5,test=2", "--trials", "2", "--part", "3", "--params", "default",
        "--warmup", "30", "--duration", "150", "--voltages", "3, 8", "--potentials",
        "--sample-dt", str(DT_MS),
    ]  # fmt: skip
    words = [local_server.find_binary(), "sample", MINI, "--out", folder, *flags]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def trials(samples: Path, address: str) -> list[list[livnd.culture.Recording]]:
    """What a served culture does, sample by sample, trial by trial."""
    plan = json.loads((samples / "run.json").read_text())
    folder = SampleFolder(samples)
    found = []
    with livnd.connect(address) as client, client.create_culture("EI-mini", 1) as culture:
        series = [
            livnd.SeriesSelection("voltage_mv", [(gid, 0) for gid in VOLTAGES], DT_MS),
            livnd.SeriesSelection("electrode_potential_uv", (), DT_MS),
        ]
        encoding = {**plan["input"]["encoding"], "step_ms": plan["input"]["step_ms"]}
        culture.configure(
            forget_params=True, params=plan["params"], spikes=True, series=series, encoding=encoding
        )
        for part in folder.parts():
            for seed, features in zip(part.seed.tolist(), part.features, strict=True):
                runs = []
                for trial in range(2):
                    culture.clear([seed], noise_stream=trial)
                    culture.run(30)
                    runs.append(culture.run(150, features=features[None]))
                found.append(runs)
    return found


def test_rows_of_trials_are_what_a_served_culture_does(tmp_path, samples, trials):
    for to in ("arrow", "parquet"):
        made = convert(samples, to, tmp_path / to)
        assert made.is_complete and made.counts["rows"] == 7
        splits = load_dataset(tmp_path / to)
        assert {name: len(rows) for name, rows in splits.items()} == {"train": 5, "test": 2}
        rows = [*splits["train"], *splits["test"]]
        assert splits["test"].layout.name == "trials"
        assert splits["train"].metadata["sampling_frequency"] == 1000 / DT_MS
        assert splits["train"].metadata["system"] == "EI-mini"
        folder = SampleFolder(samples)
        parts = list(folder.parts())
        features = np.concatenate([part.features for part in parts])
        seeds = np.concatenate([part.seed for part in parts])
        num_spikes = 0
        for index, (row, runs) in enumerate(zip(rows, trials, strict=True)):
            assert row["t_end"] == 150 and row["trials"] == 2 and row["seed"] == seeds[index]
            assert np.array_equal(row["features"], features[index])
            for trial, run in enumerate(runs):
                gids, times_ms = run.spikes()
                assert np.array_equal(row["trial_it"][trial], gids)
                assert np.allclose(row["trial_t"][trial], times_ms, rtol=0, atol=1e-6)
                assert np.array_equal(row["trial_iv"][trial], VOLTAGES)
                expected = run.series[0][0].astype(np.float32)
                assert np.array_equal(row["trial_vv"][trial], expected)
                num_spikes += len(gids)
        assert made.counts["spikes"] == num_spikes > 0


def test_rows_of_channels_are_what_its_electrodes_hear(tmp_path, samples, trials):
    made = convert(samples, "arrow", tmp_path / "out", layout="channels")
    assert made.counts["rows"] == 14
    splits = load_from_disk(tmp_path / "out")
    rows = [*splits["train"], *splits["test"]]
    system, mea = System(MINI), MEA.from_directory(MINI)
    runs = [run for of_sample in trials for run in of_sample]
    for row, run in zip(rows, runs, strict=True):
        gids, times_ms = run.spikes()
        cit, ctt = mea.channel_recording(system.neuron_coordinates, gids, times_ms)
        for channel in range(8):
            assert np.array_equal(row["cit"][channel], cit[channel])
            assert np.allclose(row["ctt"][channel], ctt[channel], rtol=0, atol=1e-6)
        assert np.array_equal(row["cp"], run.series[1][0].astype(np.float32))
    assert [row["sample_id"] for row in rows[:3]] == ["00000000-0", "00000000-1", "00000001-0"]


def test_datasets_reads_what_we_read(tmp_path, samples):
    import datasets

    convert(samples, "arrow", tmp_path / "arrow")
    convert(samples, "parquet", tmp_path / "parquet")
    theirs = datasets.load_from_disk(str(tmp_path / "arrow"))
    ours = load_from_disk(tmp_path / "arrow")
    for split in ("train", "test"):
        rows = [{name: plain(value) for name, value in row.items()} for row in ours[split]]
        assert list(theirs[split]) == rows
    # The card says which files are which split.
    hub = datasets.load_dataset(
        str(tmp_path / "parquet"), split="test", cache_dir=str(tmp_path / "cache")
    )
    assert hub["trial_it"] == theirs["test"]["trial_it"]
    card = (tmp_path / "parquet/README.md").read_text()
    assert "livnd sample EI-mini --out DIR --split train=5,test=2" in card


def test_runs_are_rows_a_trial(tmp_path, samples, trials):
    command = [sys.executable, "-m", "livnd.datasets", "convert", str(samples), "--to", "arrow"]
    command += ["--out", str(tmp_path / "out"), "--layout", "runs", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"] == 14
    rows = load_dataset(tmp_path / "out", split="train")
    for row, run in zip(rows, [run for one in trials for run in one][:10], strict=True):
        assert np.array_equal(row["it"], run.spikes()[0])
        assert np.array_equal(row["vv"], run.series[0][0].astype(np.float32))


def test_what_is_wrong_is_told(tmp_path, samples):
    def fault(path: Path, to: str = "arrow", **options: object) -> str:
        with pytest.raises((BadFileError, InvalidFieldError)) as error:
            convert(path, to, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()
        assert sorted(one.name for one in tmp_path.iterdir()) == sorted(there)
        return str(error.value)

    copy = tmp_path / "copy"
    shutil.copytree(samples, copy)
    there = ["copy", "empty"]
    (tmp_path / "empty").mkdir()
    assert "run.json" in fault(tmp_path / "empty")
    assert "to is 'nwb'; accepted: arrow or parquet" in fault(copy, "nwb")
    assert "row_ms is 10; accepted: absent" in fault(copy, row_ms=10)
    assert "salvage is True; accepted: absent" in fault(copy, salvage=True)
    other = System(ROOT / "systems/EI-100")
    assert "accepted: the system of the samples" in fault(copy, layout="channels", system=other)
    part = copy / "parts/part-0000001.h5"
    good = part.read_bytes()
    part.write_bytes(good[: len(good) // 2])
    assert f"{part}" in fault(copy)
    shutil.copyfile(copy / "parts/part-0000000.h5", part)
    assert f"{part}: index is others; accepted: 3 .. 5" in fault(copy)
    part.unlink()
    assert f"{part} is missing" in fault(copy).replace(": missing", " is missing")
    part.write_bytes(good)
    plan = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**plan, "seed": 5}))
    assert "part-0000000.h5: plan is another; accepted: that of its folder" in fault(copy)
    del plan["trials"]
    (copy / "run.json").write_text(json.dumps(plan))
    assert "run.json: trials is missing" in fault(copy)
