"""HDF5 as PyTables writes it, with h5py: its names of classes, and no pickled attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from livnd import extras

_CHUNK_BYTES = 1 << 18


def text(value: str) -> Any:
    """A text as PyTables stores it: of fixed length, UTF-8."""
    h5py = extras.load("h5py", "data", "writing HDF5")
    data = value.encode()
    return np.array(data, h5py.string_dtype("utf-8", max(len(data), 1)))


def set_attributes(node: Any, attributes: Mapping[str, Any]) -> None:
    """Texts and numbers of a group or data set."""
    for name, value in attributes.items():
        if isinstance(value, str):
            value = text(value)
        elif isinstance(value, int):
            value = np.int64(value)
        elif isinstance(value, float):
            value = np.float64(value)
        node.attrs[name] = value


def mark_file(file: Any) -> None:
    """The root group of an empty file as PyTables has it."""
    set_attributes(file, {"PYTABLES_FORMAT_VERSION": "2.1"})
    _mark_group(file)


def new_group(parent: Any, name: str) -> Any:
    """A group of a group."""
    group = parent.create_group(name)
    _mark_group(group)
    return group


def new_table(parent: Any, name: str, columns: list[tuple[Any, ...]]) -> Any:
    """A table without rows, for append()."""
    dtype = np.dtype(columns)
    table = _new(parent, name, (0,), (None,), dtype)
    set_attributes(table, {"CLASS": "TABLE", "VERSION": "2.7", "TITLE": "", "NROWS": 0})
    for index, column in enumerate(dtype.names or ()):
        base = dtype[column].base
        set_attributes(table, {f"FIELD_{index}_NAME": column})
        table.attrs[f"FIELD_{index}_FILL"] = np.zeros((), base)
    return table


def new_array(parent: Any, name: str, row: tuple[int, ...], dtype: Any, num_rows: int = 0) -> Any:
    """An array that grows along its first axis; rows that it has are to be filled."""
    array = _new(parent, name, (num_rows, *row), (None, *row), np.dtype(dtype))
    set_attributes(array, {"CLASS": "EARRAY", "VERSION": "1.1", "TITLE": ""})
    array.attrs["EXTDIM"] = np.int32(0)
    return array


def append(data: Any, rows: np.ndarray) -> None:
    """Rows after those that are there."""
    begin = data.shape[0]
    data.resize(begin + len(rows), axis=0)
    data[begin:] = rows
    if "NROWS" in data.attrs:
        data.attrs["NROWS"] = np.int64(begin + len(rows))


def _new(parent: Any, name: str, shape: Any, maxshape: Any, dtype: np.dtype) -> Any:
    row_bytes = int(np.prod(shape[1:], dtype=int)) * dtype.itemsize
    chunk = (max(1, _CHUNK_BYTES // max(row_bytes, 1)), *shape[1:])
    return parent.create_dataset(
        name, shape, dtype, maxshape=maxshape, chunks=chunk, shuffle=True, compression="gzip",
        compression_opts=1,
    )  # fmt: skip


def _mark_group(group: Any) -> None:
    set_attributes(group, {"CLASS": "GROUP", "VERSION": "1.0", "TITLE": ""})
