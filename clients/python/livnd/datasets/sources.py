"""Files, and objects of `datasets`, as columns that give one row's value at a time."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.errors import BadFileError, bad_file, invalid_field

_PURPOSE = "reading a data set"
# Rows that are decoded at once: what is kept of a column.
_BATCH_ROWS = 64
_ARROW_FILE = b"ARROW1"
_PARQUET = b"PAR1"
# What ends a stream of Arrow messages.
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class Source(ABC):
    """Rows of one file. For one thread at a time; may be pickled.

    Attributes:
        name: what errors call it.
        num_rows: how many it has.
        types: Arrow's type of each column, by name.
    """

    name: str
    num_rows: int
    types: dict[str, Any]

    @abstractmethod
    def value(self, column: str, row: int) -> Any:
        """A pyarrow.Array with the value of one row. BadFileError: it cannot be read."""

    @abstractmethod
    def close(self) -> None:
        """Gives up what is open; the next value() opens it again."""


def open_source(path: Path) -> Source:
    """A Parquet or Arrow file, told by its first bytes.

    Raises:
        FileNotFoundError: there is no such file.
        BadFileError: it is neither, or it is cut short.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        raise bad_file(path, "", "empty (0 bytes)", "a Parquet or Arrow file")
    if start.startswith(_PARQUET):
        return ParquetSource(path)
    return ArrowSource(path)


class ParquetSource(Source):
    """A Parquet file. A column is decoded in batches, from where it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self._file: Any = None
        self._cursors: dict[str, _Cursor] = {}
        with _reading(path, ""):
            metadata = self._opened().metadata
            self.num_rows = metadata.num_rows
            groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            self.types = {field.name: field.type for field in self._opened().schema_arrow}
        self._starts = np.concatenate([[0], np.cumsum(groups, dtype=np.int64)])
        self.close()

    def value(self, column: str, row: int) -> Any:
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        with _reading(self._path, f"{column}[{row}]"):
            cursor = self._cursors.get(column)
            if cursor is None or cursor.group != group:
                cursor = self._cursors[column] = _Cursor(self._opened(), group, column)
            return cursor.value(row - int(self._starts[group]))

    def close(self) -> None:
        self._cursors = {}
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> Any:
        if self._file is None:
            parquet = extras.load("pyarrow.parquet", "data", _PURPOSE)
            self._file = parquet.ParquetFile(self._path, page_checksum_verification=True)
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_file": None, "_cursors": {}}


class _Cursor:
    """A column of a row group, batch after batch; a step back begins again."""

    def __init__(self, file: Any, group: int, column: str) -> None:
        self.group = group
        self._file, self._column = file, column
        self._rewind()

    def _rewind(self) -> None:
        self._batches = self._file.iter_batches(
            _BATCH_ROWS, row_groups=[self.group], columns=[self._column], use_threads=False
        )
        self._start, self._values = 0, None

    def value(self, row: int) -> Any:
        if row < self._start:
            self._rewind()
        while self._values is None or row >= self._start + len(self._values):
            self._start += 0 if self._values is None else len(self._values)
            batch = next(self._batches, None)
            if batch is None:
                raise ValueError("fewer rows than its row group tells")
            self._values = batch.column(0)
        return self._values.slice(row - self._start, 1)


class ArrowSource(Source):
    """An Arrow file, or a stream as `datasets` writes it, mapped into memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self._batches: list[Any] = []
        self._checked: set[tuple[int, str]] = set()
        self._open()
        self.close()

    def value(self, column: str, row: int) -> Any:
        if not self._batches:
            self._open()
        index = int(np.searchsorted(self._starts, row, side="right")) - 1
        with _reading(self._path, f"{column}[{row}]"):
            values = self._batches[index].column(column)
            if (index, column) not in self._checked:
                values.validate(full=True)  # offsets of a damaged file may point anywhere
                self._checked.add((index, column))
            return values.slice(row - int(self._starts[index]), 1)

    def close(self) -> None:
        self._batches = []
        self._checked = set()

    def _open(self) -> None:
        pa = extras.load("pyarrow", "data", _PURPOSE)
        with _reading(self._path, ""):
            mapped = pa.memory_map(str(self._path))
            if mapped.read(len(_ARROW_FILE)) == _ARROW_FILE:
                reader = pa.ipc.open_file(mapped)
                schema = reader.schema
                self._batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            else:
                self._check_end()
                mapped.seek(0)
                reader = pa.ipc.open_stream(mapped)
                schema = reader.schema
                self._batches = list(reader)
            self.types = {field.name: field.type for field in schema}
        counts = [batch.num_rows for batch in self._batches]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.num_rows = int(self._starts[-1])

    def _check_end(self) -> None:
        # A stream may lack its end after any message, and would have lost rows in silence.
        with (
            open(self._path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            if data[-len(_END_OF_STREAM) :] != _END_OF_STREAM:
                accepted = "a Parquet or Arrow file, whole"
                raise bad_file(self._path, "", "cut short, or something else", accepted)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_batches": [], "_checked": set()}


class DatasetSource(Source):
    """A Dataset of Hugging Face's `datasets`."""

    def __init__(self, dataset: Any) -> None:
        if not hasattr(dataset, "with_format") or not hasattr(dataset, "num_rows"):
            accepted = "a datasets.Dataset with rows in known places (no iterable one)"
            raise invalid_field("dataset", type(dataset).__name__, accepted)
        self._dataset = dataset.with_format("arrow")
        self.name = f"datasets.Dataset {dataset.split or ''}".rstrip()
        self.num_rows = dataset.num_rows
        self.types = {field.name: field.type for field in dataset.features.arrow_schema}

    def value(self, column: str, row: int) -> Any:
        with _reading(self.name, f"{column}[{row}]"):
            found = self._dataset[row].column(column).chunk(0)
            found.validate(full=True)
            return found

    def close(self) -> None:
        pass


@contextmanager
def _reading(path: Path | str, field: str) -> Any:
    """Turns what Arrow says of a file into a BadFileError."""
    pa = extras.load("pyarrow", "data", _PURPOSE)
    try:
        yield
    except BadFileError:
        raise
    except (pa.ArrowException, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        text = " ".join(str(error).split())[:200]
        accepted = "a Parquet or Arrow file, whole"
        raise bad_file(path, field, f"unreadable ({text})", accepted) from None
