"""What is wrong in the files of a data set is told by file, column and row, and nothing crashes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import livnd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from livnd.datasets import from_datasets, load_dataset, load_from_disk, open_files
from livnd.errors import BadFileError, InvalidFieldError
from published_rows import channel_rows, dataset_of, plain, quiet, trial_rows, write_parquet

RNG = np.random.default_rng(1)


def rows_with(**changes: Any) -> list[dict]:
    """Three rows, the second of them changed; of two trials with three spikes each."""
    rows = [
        {
            "trial_it": [[0, 1, 2], [3, 4, 5]],
            "trial_t": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
            "trial_iv": [[0, 7], [0, 7]],
            "trial_vv": [[[-70.0, -69.0], [-70.0, -69.0]]] * 2,
            "features": [1.0, 2.0, 3.0],
            "t_end": 5000.0,
            "seed": 1,
        }
        for _ in range(3)
    ]
    rows[1].update(changes)
    return rows


def all_rows_with(**changes: Any) -> list[dict]:
    """Of another type, which a whole column has."""
    return [{**row, **changes} for row in rows_with()]


# name: (rows, field, value, accepted) of the error, when all values are read.
WRONG_VALUES = {
    "NaN for a time": (
        rows_with(trial_t=[[1.0, 2.0, 3.0], [4.0, math.nan, 6.0]]),
        "trial_t[1][1][1]",
        "nan",
        "finite times",
    ),
    "an endless time": (
        rows_with(trial_t=[[math.inf, 2.0, 3.0]] * 2),
        "trial_t[1][0][0]",
        "inf",
        "",
    ),
    "a time before the start": (
        rows_with(trial_t=[[1.0, 2.0, -3.0]] * 2),
        "trial_t[1][0][2]",
        "-3",
        "from 0 on",
    ),
    "NaN for a voltage": (
        rows_with(trial_vv=[[[-70.0, -69.0], [-70.0, math.nan]]] * 2),
        "trial_vv[1][0][1][1]",
        "nan",
        "finite numbers",
    ),
    "NaN for a feature": (rows_with(features=[1.0, math.nan]), "features[1][1]", "nan", "finite"),
    "NaN for an end": (rows_with(t_end=math.nan), "t_end[1]", "nan", "finite"),
    "a negative gid": (
        rows_with(trial_it=[[0, 1, -2], [3, 4, 5]]),
        "trial_it[1][0][2]",
        "-2",
        "whole numbers from 0",
    ),
    "a gid of 40 bits": (rows_with(trial_it=[[2**40, 1, 2]] * 2), "trial_it[1][0][0]", "1099", ""),
    "fewer times than gids": (
        rows_with(trial_t=[[1.0, 2.0, 3.0], [4.0]]),
        "trial_t[1][1]",
        "1 values",
        "3, as many as trial_it has",
    ),
    "fewer trials of times": (
        rows_with(trial_t=[[1.0, 2.0, 3.0]]),
        "trial_t[1]",
        "1 lists",
        "2, as many as trial_it[1] has",
    ),
    "fewer voltages than gids": (
        rows_with(trial_vv=[[[-70.0, -69.0]]] * 2),
        "trial_vv[1][0]",
        "1 values",
        "2, as many as trial_iv",
    ),
    "voltages of several lengths": (
        rows_with(trial_vv=[[[-70.0, -69.0], [-70.0]]] * 2),
        "trial_vv[1][0][1]",
        "1 values",
        "2 values, as many as the first",
    ),
    "no trials": (rows_with(trial_it=[], trial_t=[]), "trial_it[1]", "empty", "at least one trial"),
    "no spikes at all": (rows_with(trial_it=None), "trial_it[1]", "null", "lists of lists of"),
    "a trial that is null": (
        rows_with(trial_it=[None, [1, 2, 3]]),
        "trial_it[1][0]",
        "null",
        "lists of whole",
    ),
    "a gid that is null": (rows_with(trial_it=[[None, 1, 2]] * 2), "trial_it[1][0][0]", "null", ""),
    "voltages of nobody": (rows_with(trial_iv=None), "trial_iv[1]", "null", "beside trial_vv[1]"),
}
# name: (rows, field, value, accepted) of the error, when the file is opened.
WRONG_COLUMNS = {
    "times as text": (
        all_rows_with(trial_t=[["1", "2", "3"], ["4", "5", "6"]]),
        "trial_t",
        "list<",
        "lists of lists of finite times",
    ),
    "gids as floats": (
        all_rows_with(trial_it=[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]),
        "trial_it",
        "double",
        "lists of lists of whole numbers",
    ),
    "gids that are true": (all_rows_with(trial_it=[[True] * 3] * 2), "trial_it", "bool", ""),
    "times without trials": (
        all_rows_with(trial_t=[1.0, 2.0, 3.0]),
        "trial_t",
        "list<",
        "lists of",
    ),
    "one list too many": (all_rows_with(trial_it=[[[0]]]), "trial_it", "list<", "lists of lists"),
    "a list for an end": (all_rows_with(t_end=[5000.0]), "t_end", "list<", "finite numbers"),
    "half a seed": (all_rows_with(seed=0.5), "seed", "double", "whole numbers"),
    "an object for times": (all_rows_with(trial_t={"a": 1.0}), "trial_t", "struct<", ""),
    "a foreign column": (
        all_rows_with(animal="mouse"),
        "animal",
        "foreign to the layout trials",
        "keep_foreign=True",
    ),
    "no times": (
        [{"trial_it": [[1]], "seed": 1}],
        "trial_t",
        "missing",
        "columns trial_it, trial_t",
    ),
    "columns of somebody else": (
        [{"image": 1, "label": 2}],
        "columns",
        "image, label",
        "columns trial_it, trial_t; or cit, ctt; or it, tt",
    ),
}


def read_all(rows: Any) -> list[dict]:
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def assert_told(error: BadFileError, file: Path | str, field: str, value: str, accepted: str):
    assert error.file == str(file)
    assert error.field == field
    assert value in error.value
    assert accepted in error.accepted
    for part in (error.file, error.field, error.value, error.accepted):
        assert part
        assert part in str(error)
    assert isinstance(error, ValueError)


def write_saved(rows: list[dict], folder: Path) -> Path:
    with quiet():
        dataset_of(rows).save_to_disk(folder)
    return folder / "data-00000-of-00001.arrow"


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_told_by_its_place(tmp_path, name):
    rows, *told = WRONG_VALUES[name]
    parquet = write_parquet(rows, tmp_path / "a.parquet")
    found = open_files(parquet)
    # The other rows are as good as they were.
    assert read_all([found[0], found[2]]) == [rows[0], rows[2]]
    with pytest.raises(BadFileError) as raised:
        read_all(found)
    assert_told(raised.value, parquet, *told)

    arrow = write_saved(rows, tmp_path / "saved")
    with pytest.raises(BadFileError) as raised:
        read_all(load_from_disk(tmp_path / "saved"))
    assert_told(raised.value, arrow, *told)
    with pytest.raises(BadFileError) as raised:
        read_all(from_datasets(dataset_of(rows)))
    assert_told(raised.value, "datasets.Dataset", *told)


@pytest.mark.parametrize("name", WRONG_COLUMNS)
def test_a_wrong_column_is_told_when_the_file_is_opened(tmp_path, name):
    rows, *told = WRONG_COLUMNS[name]
    parquet = write_parquet(rows, tmp_path / "a.parquet")
    with pytest.raises(BadFileError) as raised:
        open_files(parquet)
    assert_told(raised.value, parquet, *told)
    arrow = write_saved(rows, tmp_path / "saved")
    with pytest.raises(BadFileError) as raised:
        load_from_disk(tmp_path / "saved")
    assert_told(raised.value, arrow, *told)


def test_channels_that_differ_are_told(tmp_path):
    rows = channel_rows(RNG, 2)
    rows[1]["cp"][2] = rows[1]["cp"][2][:-1]
    path = write_parquet(rows, tmp_path / "a.parquet")
    with pytest.raises(BadFileError) as raised:
        open_files(path)[1]["cp"]
    accepted = "50 values, as many as the first list has"
    assert_told(raised.value, path, "cp[1][2]", "49 values", accepted)


def test_files_of_other_columns_than_the_first_are_told(tmp_path):
    rows = rows_with()
    first = write_parquet(rows, tmp_path / "0.parquet")
    fewer = [{name: row[name] for name in row if name != "seed"} for row in rows]
    fewer_file = write_parquet(fewer, tmp_path / "1.parquet")
    with pytest.raises(BadFileError) as raised:
        open_files([first, fewer_file])
    assert_told(raised.value, fewer_file, "seed", "missing", "as the first file has it")
    with pytest.raises(BadFileError) as raised:
        open_files([fewer_file, first])
    assert_told(raised.value, first, "seed", "a column", "the columns of the first file")


# --- files that are cut short, empty or something else -------------------------------------------


def forms_of(tmp_path: Path) -> dict[str, Path]:
    rows = trial_rows(np.random.default_rng(2), 20)
    table = pa.Table.from_pylist(rows)
    paths = {
        "parquet": write_parquet(rows, tmp_path / "rows.parquet"),
        "stream": write_saved(rows, tmp_path / "saved"),
        "file": tmp_path / "rows.arrow",
    }
    with pa.OSFile(str(paths["file"]), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    # Several messages: a stream that is cut between two of them is one, too.
    with (
        pa.OSFile(str(paths["stream"]), "wb") as out,
        pa.ipc.new_stream(out, table.schema) as writer,
    ):
        writer.write_table(table, max_chunksize=5)
    return paths


@pytest.mark.parametrize("form", ["parquet", "stream", "file"])
def test_a_file_that_is_cut_short_is_told_wherever_that_is(tmp_path, form):
    path = forms_of(tmp_path)[form]
    whole = path.read_bytes()
    lengths = np.unique(np.linspace(0, len(whole) - 1, 120).astype(int))
    if form == "stream":  # where one message ends and the next begins
        starts = [at for at in range(0, len(whole) - 8, 8) if whole[at : at + 4] == b"\xff" * 4]
        lengths = np.concatenate([lengths, starts])
    for length in lengths:
        path.write_bytes(whole[:length])
        with pytest.raises(BadFileError) as raised:
            read_all(open_files(path))
        assert raised.value.file == str(path)
        assert "accepted: a Parquet or Arrow file" in str(raised.value)
    path.write_bytes(whole)
    assert len(read_all(open_files(path))) == 20


@pytest.mark.parametrize("form", ["parquet", "stream", "file"])
def test_scrambled_files_give_an_error_or_finite_values(tmp_path, form):
    """In a process of its own: whatever is in a file, Python must not crash over it."""
    forms_of(tmp_path)
    code = Path(__file__).with_name("scrambled_files.py")
    done = subprocess.run(
        [sys.executable, str(code), str(forms_of(tmp_path)[form]), "300"],
        env={"PYTHONPATH": str(Path(livnd.__file__).parent.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["draws"] == 300
    assert told["refused"] > 30


def test_files_without_rows_are_told(tmp_path):
    schema = pa.schema([("trial_it", pa.list_(pa.list_(pa.int64())))])
    schema = schema.append(pa.field("trial_t", pa.list_(pa.list_(pa.float64()))))
    path = tmp_path / "a.parquet"
    pq.write_table(schema.empty_table(), path)
    with pytest.raises(BadFileError) as raised:
        open_files(path)
    assert "empty (no rows); accepted: at least one row" in str(raised.value)
    # Beside a file with rows, it adds none.
    rows = [{"trial_it": [[1]], "trial_t": [[2.0]]}]
    other = write_parquet(rows, tmp_path / "b.parquet")
    assert read_all(open_files([path, other])) == rows


# --- folders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "a folder without data; accepted: Parquet or Arrow files"),
        ({"state.json": "{"}, "state.json is no JSON"),
        ({"state.json": "[]"}, "state.json is a list"),
        ({"state.json": "{}"}, "_data_files is None"),
        (
            {"state.json": '{"_data_files": [{"filename": "../a.arrow"}]}'},
            "_data_files is ../a.arrow",
        ),
        ({"state.json": '{"_data_files": [{"filename": "/a.arrow"}]}'}, "_data_files is /a.arrow"),
        (
            {"state.json": '{"_data_files": [{"filename": "a"}], "_indices_files": [{}]}'},
            "_indices_files is listed",
        ),
        ({"dataset_dict.json": '{"splits": []}'}, "splits is []"),
        ({"dataset_dict.json": '{"splits": ["train"]}'}, "splits is train; accepted: folders"),
        ({"dataset_dict.json": '{"splits": ["../train"]}'}, "splits is ../train"),
        ({"README.md": "---\nconfigs: [\n---\n"}, "configs is unreadable"),
        ({"README.md": "---\nconfigs:\n- data_files: a\n---\n"}, "README.md: configs is"),
        (
            {"README.md": "---\nconfigs:\n- config_name: a\n  data_files: ../*.parquet\n---\n"},
            "data_files is ../*.parquet; accepted: names below its folder",
        ),
        (
            {"README.md": "---\nconfigs:\n- config_name: a\n  data_files: b/*.parquet\n---\n"},
            "data_files is b/*.parquet; accepted: files that are there",
        ),
        (
            {"README.md": "---\nconfigs:\n- config_name: a\n  data_files:\n  - path: b\n---\n"},
            "data_files is {'path': 'b'}",
        ),
    ],
)
def test_a_folder_that_is_no_data_set_says_why(tmp_path, files, says):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(BadFileError) as raised:
        load_dataset(tmp_path)
    assert says in str(raised.value)
    assert raised.value.file.startswith(str(tmp_path))


def test_what_is_not_there_is_told(tmp_path):
    for call in (
        lambda: load_dataset("livn-org/nothing", "S1"),
        lambda: load_from_disk(tmp_path / "nothing"),
        lambda: open_files(tmp_path / "nothing.parquet"),
    ):
        with pytest.raises(FileNotFoundError, match="nothing"):
            call()
    with pytest.raises(BadFileError, match=r"without state\.json or dataset_dict\.json"):
        load_from_disk(tmp_path)
    for one in ("a", "b"):
        write_parquet(rows_with(), tmp_path / one / one / "train.parquet")
    with pytest.raises(InvalidFieldError, match="name is None; accepted: a, b"):
        load_dataset(tmp_path)
    with pytest.raises(InvalidFieldError, match="files is 'none'"):
        open_files([])
    with pytest.raises(InvalidFieldError, match="dataset is 'list'"):
        from_datasets([1, 2])


def test_without_pyarrow_the_command_is_told(tmp_path):
    path = write_parquet(rows_with(), tmp_path / "a.parquet")
    code = f"""if True:
        import sys
        sys.modules["pyarrow"] = None
        from livnd.datasets import open_files
        from livnd.errors import MissingExtraError
        try:
            open_files({str(path)!r})
        except MissingExtraError as error:
            assert isinstance(error, ImportError)
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(livnd.__file__).parent.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "reading a data set needs pyarrow" in done.stdout
    assert "pip install 'livnd[data]'" in done.stdout
