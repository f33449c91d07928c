"""Rows of data sets, from every form that they come in, beside `datasets` and livn 2.0.0."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import livnd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from livnd.datasets import (
    Row,
    Rows,
    from_datasets,
    load_dataset,
    load_from_disk,
    open_files,
)
from livnd.errors import InvalidFieldError
from livnd.io import MEA
from livnd.system import System
from project_files import programs_of
from published_rows import (
    channel_rows,
    dataset_of,
    plain,
    quiet,
    run_rows,
    trial_rows,
    write_hub,
    write_parquet,
)

ROOT = Path(__file__).resolve().parents[3]
S1 = ROOT / "tests/data/systems/S1"
ROWS = {"trials": trial_rows, "channels": channel_rows, "runs": run_rows}
# What livn's README begins with, with the imports of this package.
EXAMPLE = programs_of("docs/data.md")[0]
NEAR = json.loads((ROOT / "systems/S1-MEA4/mea.json").read_text())


def assert_same_rows(found: Rows, rows: list[dict]) -> None:
    assert len(found) == len(rows)
    for got, want in zip(found, rows, strict=True):
        assert {name: plain(value) for name, value in got.items()} == want


# --- livn's first example ------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds livn-org/livn and S1, and nothing else is needed."""
    write_hub(tmp_path / "livn-org/livn", trial_rows(np.random.default_rng(1), 10))
    shutil.copytree(S1, tmp_path / "S1")
    return tmp_path


def run_program(program: str, folder: Path) -> str:
    path = os.pathsep.join(
        [str(Path(livnd.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": path.rstrip(os.pathsep),
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def heard_by_channel_0(folder: Path) -> np.ndarray:
    """What livn 2.0.0 makes of the same row."""
    import datasets
    from livn.io import MEA as LivnMEA
    from livn.system import System as LivnSystem

    file = folder / "livn-org/livn/systems/data/S1/train_with_noise-00000-of-00002.parquet"
    with quiet():
        row = datasets.Dataset.from_parquet(str(file), cache_dir=str(folder / "cache"))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an older graph
        system = LivnSystem(str(folder / "S1"))
    mea = LivnMEA.from_directory(system.uri)
    _, times = mea.channel_recording(
        system.neuron_coordinates, row["trial_it"][0], row["trial_t"][0]
    )
    return times.get(0, np.array([]))


def test_livns_first_example_runs_with_its_imports_changed(folder):
    (folder / "S1/mea.json").write_text(json.dumps(NEAR))
    expected = heard_by_channel_0(folder)
    assert len(expected) > 1
    assert run_program(EXAMPLE, folder) == f"Spikes in channel 0:\n{expected}\n"


def test_the_example_runs_on_an_array_that_hears_nobody(folder):
    """As S1 is published. livn has no channel 0 there."""
    assert len(heard_by_channel_0(folder)) == 0
    assert run_program(EXAMPLE, folder) == "Spikes in channel 0:\n[]\n"


def test_the_example_takes_rows_of_datasets(folder):
    """Only livn's imports changed."""
    (folder / "S1/mea.json").write_text(json.dumps(NEAR))
    program = EXAMPLE.replace("livnd.datasets import", "datasets import")
    assert run_program(program, folder) == run_program(EXAMPLE, folder)


def test_channels_of_published_rows_are_livns(folder):
    from livn.io import MEA as LivnMEA

    system = System(folder / "S1")
    dataset = load_dataset(folder / "livn-org/livn", "S1")["train_with_noise"]
    for radius in (15, 25, 40):
        array = NEAR | {"output_radius": radius}
        theirs = LivnMEA.from_json(dict(array))
        for row in dataset:
            for ids, times in zip(row["trial_it"], row["trial_t"], strict=True):
                expected = theirs.channel_recording(system.neuron_coordinates, ids, times)
                found = MEA.from_json(array).channel_recording(
                    system.neuron_coordinates, ids, times
                )
                for ours, livns in zip(found, expected, strict=True):
                    assert list(ours) == list(livns)
                    for channel in livns:
                        np.testing.assert_array_equal(ours[channel], livns[channel])


# --- every form is the same ----------------------------------------------------------------------


@pytest.mark.parametrize("layout", ROWS)
def test_all_forms_have_the_same_rows(tmp_path, layout):
    rows = ROWS[layout](np.random.default_rng(2), 30)
    dataset = dataset_of(rows)
    with quiet():
        dataset.save_to_disk(tmp_path / "saved")
    parquet = write_parquet(rows, tmp_path / "rows.parquet")
    table = pa.Table.from_pylist(rows)
    with (
        pa.OSFile(str(tmp_path / "rows.arrow"), "wb") as out,
        pa.ipc.new_file(out, table.schema) as w,
    ):
        w.write_table(table, max_chunksize=4)
    large = write_large_lists(table, tmp_path / "large.parquet")
    for found in (
        open_files(parquet),
        open_files(tmp_path / "rows.arrow"),
        open_files(str(large)),
        load_from_disk(tmp_path / "saved"),
        from_datasets(dataset),
        load_dataset(parquet, split="train"),
    ):
        assert found.layout.name == layout
        assert set(found.columns) == set(rows[0])
        assert_same_rows(found, rows)


def write_large_lists(table: pa.Table, path: Path) -> Path:
    """With offsets of 64 bits, floats of 32 and int16 for gids."""

    def narrower(one: pa.DataType) -> pa.DataType:
        if pa.types.is_list(one):
            return pa.large_list(narrower(one.value_type))
        return one

    fields = [(field.name, narrower(field.type)) for field in table.schema]
    pq.write_table(table.cast(pa.schema(fields)), path, row_group_size=1000)
    return path


def test_what_livns_own_writer_leaves_is_read(tmp_path):
    """Shards of livn 2.0.0's ArrowDataset, a file a run."""
    from livn.decoding import ArrowDataset

    rows = run_rows(np.random.default_rng(3), 3)
    writer = ArrowDataset(duration=100, directory=str(tmp_path / "runs"))
    for row in rows:
        arrays = {name: np.array(value) for name, value in row.items() if name != "duration"}
        writer._write_shard({"duration": row["duration"], **arrays})
    found = open_files(sorted((tmp_path / "runs").glob("data-*.arrow")))
    assert len(found.files) == 3
    assert_same_rows(found, rows)
    assert_same_rows(load_dataset(tmp_path / "runs", split="train"), rows)


def test_a_folder_of_livns_merge_has_splits_and_metadata(tmp_path):
    rows = channel_rows(np.random.default_rng(4), 6)
    folder = tmp_path / "systems/datasets/EI/ct-cp"
    with quiet():
        dataset_of(rows[:4]).save_to_disk(folder / "train")
        dataset_of(rows[4:]).save_to_disk(folder / "test")
    (folder / "dataset_dict.json").write_text(
        '{"splits": {"train": {"name": "train"}, "test": {}}}'
    )
    (folder / "conversion_metadata.json").write_text('{"warmup_ms": 1600, "num_channels": 4}')
    for found in (load_dataset(tmp_path, "EI"), load_from_disk(folder)):
        assert list(found) == ["train", "test"]
        assert_same_rows(found["test"], rows[4:])
        assert found["train"].metadata == {"warmup_ms": 1600, "num_channels": 4}
    row = found["train"][0]
    assert row["cp"].shape == (4, 50)
    assert [len(train) for train in row["cit"]] == [len(train) for train in row["ctt"]]


@pytest.mark.parametrize("readme", [True, False])
def test_a_copy_of_a_hub_is_found_by_name(tmp_path, readme):
    """README.md says what is where; without it, folders and names of files do."""
    rows = trial_rows(np.random.default_rng(5), 10)
    write_hub(tmp_path, rows, readme=readme)
    found = load_dataset(tmp_path, name="S1")
    assert set(found) == {"train_with_noise", "test"}
    assert_same_rows(found["train_with_noise"], rows)
    assert len(found["train_with_noise"].files) == 2
    assert_same_rows(load_dataset(tmp_path, "S2", split="train"), rows[:2])
    with pytest.raises(KeyError, match="no split 'valid'; there are: "):
        found["valid"]
    with pytest.raises(InvalidFieldError, match=r"split is 'valid'; accepted: .*train_with_noise"):
        load_dataset(tmp_path, "S1", split="valid")
    with pytest.raises(InvalidFieldError, match=r"name is 'S3'; accepted: .*S1"):
        load_dataset(tmp_path, "S3")


def test_datasets_reads_the_copy_the_same(tmp_path):
    import datasets

    rows = trial_rows(np.random.default_rng(6), 10)
    write_hub(tmp_path / "hub", rows)
    with quiet():
        theirs = datasets.load_dataset(str(tmp_path / "hub"), name="S1", cache_dir=tmp_path / "c")
    ours = load_dataset(tmp_path / "hub", name="S1")
    assert list(theirs) == list(ours)
    for split in ours:
        assert_same_rows(ours[split], list(theirs[split]))
        assert_same_rows(from_datasets(theirs)[split], list(theirs[split]))
    shuffled = theirs["train_with_noise"].shuffle(seed=1)
    assert_same_rows(from_datasets(shuffled), list(shuffled))


# --- rows ----------------------------------------------------------------------------------------


def test_rows_are_a_sequence(tmp_path):
    rows = trial_rows(np.random.default_rng(7), 25)
    files = [write_parquet(rows[:10], tmp_path / "0.parquet")]
    files += [write_parquet(rows[10:], tmp_path / "1.parquet", rows_a_group=4)]
    found = open_files(files)
    rng = np.random.default_rng(8)
    for index in rng.integers(-25, 25, 200):
        assert found[index]["seed"] == rows[index]["seed"]
    for _ in range(50):
        cut = slice(*(int(one) if rng.random() < 0.8 else None for one in rng.integers(-30, 30, 2)))
        cut = slice(cut.start, cut.stop, int(rng.choice([-3, -1, 1, 2])))
        view = found[cut]
        assert [row["seed"] for row in view] == [row["seed"] for row in rows[cut]]
        assert [row["seed"] for row in view[1:4]] == [row["seed"] for row in rows[cut][1:4]]
    for index in (25, -26):
        with pytest.raises(IndexError, match="of 25"):
            found[index]
    for index in ("seed", 1.0):
        with pytest.raises(InvalidFieldError, match="index"):
            found[index]
    with pytest.raises(KeyError, match="no column 'it'; there are: trial_it"):
        found[0]["it"]
    assert repr(found).startswith("Rows(25 trials: trial_it, trial_t")
    assert repr(found[3]).startswith("Row(3: trial_it, trial_t")


def test_values_are_arrays_of_known_types(tmp_path):
    rows = trial_rows(np.random.default_rng(9), 2)
    row = open_files(write_parquet(rows, tmp_path / "a.parquet"))[0]
    assert isinstance(row, Row)
    assert {array.dtype for array in row["trial_it"]} == {np.dtype(np.int64)}
    assert {array.dtype for array in row["trial_t"]} == {np.dtype(np.float64)}
    assert row["trial_vv"][0].shape == (2, 20)
    assert (type(row["t_end"]), type(row["seed"])) == (float, int)
    assert row["trial_t"] is row["trial_t"]


def test_a_value_is_read_when_it_is_asked_for(tmp_path, monkeypatch):
    rows = trial_rows(np.random.default_rng(10), 30)
    found = open_files(write_parquet(rows, tmp_path / "a.parquet"))
    asked = []
    whole = pq.ParquetFile.iter_batches

    def iter_batches(self, batch_size, *, row_groups, columns, **kwargs):
        asked.append((row_groups, columns))
        return whole(self, batch_size, row_groups=row_groups, columns=columns, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    row = found[20]
    assert not asked
    assert row["seed"] == 20
    assert asked == [([2], ["seed"])]
    _ = [one["seed"] for one in found]
    # Each of the five groups once more, from its first row on.
    assert [groups[0] for groups, _ in asked[1:]] == [0, 1, 2, 3, 4]


def test_few_files_are_open_at_once(tmp_path):
    rows = trial_rows(np.random.default_rng(11), 40)
    files = [write_parquet(rows[i : i + 1], tmp_path / f"{i:02d}.parquet") for i in range(40)]
    found = open_files(files)
    before = len(os.listdir("/proc/self/fd"))
    assert [row["seed"] for row in found] == list(range(40))
    assert len(os.listdir("/proc/self/fd")) <= before + 8


@pytest.mark.parametrize("form", ["parquet", "saved", "datasets"])
def test_rows_go_into_another_process(tmp_path, form):
    rows = trial_rows(np.random.default_rng(12), 20)
    if form == "datasets":
        found = from_datasets(dataset_of(rows))
    elif form == "parquet":
        found = open_files(write_parquet(rows, tmp_path / "a.parquet"))
    else:
        with quiet():
            dataset_of(rows).save_to_disk(tmp_path / "saved")
        found = load_from_disk(tmp_path / "saved")
    _ = found[3]["trial_t"]
    again = pickle.loads(pickle.dumps(found[5:9]))
    assert_same_rows(again, rows[5:9])


def test_what_is_left_out_is_none(tmp_path):
    rows = trial_rows(np.random.default_rng(13), 3)
    for name in ("trial_iv", "trial_vv", "features", "t_end", "seed"):
        rows[1][name] = None
    found = open_files(write_parquet(rows, tmp_path / "a.parquet"))
    assert_same_rows(found, rows)


def test_spikes_alone_are_rows_and_so_are_silent_ones(tmp_path):
    silent = [{"trial_it": [[], []], "trial_t": [[], []]}]
    found = open_files(write_parquet(silent, tmp_path / "a.parquet"))
    assert found.columns == ("trial_it", "trial_t")
    assert [array.shape for array in found[0]["trial_it"]] == [(0,), (0,)]
    assert found[0]["trial_it"][0].dtype == np.int64


def test_foreign_columns_may_be_kept(tmp_path):
    rows = [{**row, "lab": {"name": "one"}} for row in trial_rows(np.random.default_rng(14), 3)]
    path = write_parquet(rows, tmp_path / "a.parquet")
    found = open_files(path, keep_foreign=True)
    assert found.columns[-1] == "lab"
    assert_same_rows(found, rows)
