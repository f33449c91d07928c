"""A stream of a recording: rows that came one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from livnd.errors import bad_file

# What is read at once, unless the caller wants another amount.
PART_BYTES = 4 << 20
_KEY = ("copy", "episode", "tick")


@dataclass(frozen=True)
class StreamColumn:
    """A column of a stream."""

    dtype: np.dtype
    length: int  # elements a row
    unit: str  # "" of plain numbers


class Recording(Protocol):
    """What a stream needs of the recording that it is in."""

    path: Path
    streams: dict[str, Stream]

    def rows(self, name: str, begin: int, end: int) -> np.ndarray:
        """Rows of a stream as the file has them."""


class Stream:
    """Rows of a recording, in the order in which they came.

    Attributes:
        name: "spikes", "potentials" and so on (docs/recordings.md).
        columns: by name.
        dtype: of a row.
        num_rows: in the file, as the last flush left it.
        num_dropped: rows that came faster than they could be written, and are missing.
        is_keyed: rows begin with copy, episode and tick.
        attributes: what the file says of it, by name.
        chunk_rows: that are stored together.
    """

    def __init__(self, recording: Recording, name: str, data: Any) -> None:
        self._recording = recording
        self.name = name
        if data.ndim != 1 or data.dtype.names is None:
            raise bad_file(recording.path, name, f"of type {data.dtype}", "rows of named columns")
        self.dtype: np.dtype = data.dtype
        self.num_rows: int = data.shape[0]
        self.chunk_rows: int = data.chunks[0] if data.chunks else max(self.num_rows, 1)
        self.attributes = plain_attributes(data.attrs)
        self.num_dropped = int(self.attributes.get("num_dropped", 0))
        units = self.attributes.get("units", [])
        units = list(units) if isinstance(units, list) else [units]
        units += [""] * (len(self.dtype.names) - len(units))
        self.columns: dict[str, StreamColumn] = {}
        for column, unit in zip(self.dtype.names, units, strict=False):
            one = self.dtype[column]
            base, shape = one.subdtype if one.subdtype else (one, ())
            self.columns[column] = StreamColumn(base, int(np.prod(shape, dtype=int)), unit)
        self.is_keyed = self.dtype.names[:3] == _KEY and all(
            self.columns[column].dtype.kind == "i" for column in _KEY
        )

    def read(self, begin: int = 0, end: int | None = None) -> np.ndarray:
        """Rows begin .. end - 1 as a structured array; fewer where damaged ones were left out.

        Raises:
            BadFileError: they are damaged, and `salvage` was not asked for.
        """
        begin, end, _ = slice(begin, end).indices(self.num_rows)
        return self._recording.rows(self.name, begin, max(begin, end))

    def parts(self, part_bytes: int = PART_BYTES) -> Iterator[np.ndarray]:
        """All rows, so many bytes at a time, or a chunk."""
        for span in self.spans(part_bytes):
            yield self.read(span.start, span.stop)

    def spans(self, part_bytes: int = PART_BYTES) -> list[range]:
        """The rows of the parts: whole chunks, at least one each."""
        step = max(1, part_bytes // max(self.dtype.itemsize * self.chunk_rows, 1))
        step *= self.chunk_rows
        return [
            range(begin, min(begin + step, self.num_rows))
            for begin in range(0, self.num_rows, step)
        ]

    @property
    def labels(self) -> np.ndarray | None:
        """What the elements of `values` are, a row each (gid and section, say), if it is told."""
        beside = self._recording.streams.get(self.name + ".labels")
        return None if beside is None else beside.read()

    def needs(self, *columns: str) -> Stream:
        """The stream itself. BadFileError: it lacks the key, or one of these columns."""
        missing = [one for one in (*_KEY, *columns) if one not in self.columns]
        if missing or not self.is_keyed:
            field = f"{self.name}.{missing[0] if missing else _KEY[0]}"
            value = "missing" if missing else "no whole numbers"
            accepted = f"columns {', '.join((*_KEY, *columns))}"
            raise bad_file(self._recording.path, field, value, accepted)
        return self

    def __repr__(self) -> str:
        return f"Stream({self.name}: {self.num_rows} rows of {', '.join(self.columns)})"


def plain_attributes(attributes: Any) -> dict[str, Any]:
    """HDF5 attributes as Python's numbers, texts and lists of them."""
    return {name: _plain(attributes[name]) for name in attributes}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    if isinstance(value, (str, int, float)):
        return value
    return ""  # h5py's Empty: a text of no length
