"""The rows of a data set."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from livnd.datasets.columns import LAYOUTS, PASSED_OVER, Column, Layout, layout_of
from livnd.datasets.sources import Source
from livnd.datasets.values import WrongValue, check_type, value_of
from livnd.errors import bad_file, invalid_field

# Files that are kept open.
_MAX_OPEN = 8


class Row(Mapping[str, Any]):
    """A row: values by column, each read when it is asked for.

    Lists by trial or channel are lists of NumPy arrays, which may not be written to; what a file
    leaves out (null) is None.
    """

    def __init__(self, rows: Rows, index: int) -> None:
        self._rows, self._index = rows, index
        self._values: dict[str, Any] = {}

    def __getitem__(self, column: str) -> Any:
        if column not in self._values:
            if column not in self._rows.columns:
                raise KeyError(f"no column {column!r}; there are: {', '.join(self._rows.columns)}")
            self._values[column] = self._rows.read(self._index, column)
        return self._values[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows.columns)

    def __len__(self) -> int:
        return len(self._rows.columns)

    def __repr__(self) -> str:
        return f"Row({self._index}: {', '.join(self)})"


class Rows(Sequence[Any]):
    """The rows of one or more files of one layout, in the files' order.

    A slice is a view. For one thread at a time; may be pickled, into a worker process for instance.

    Attributes:
        layout: which of livn's layouts it is.
        columns: the names of the columns that there are.
        files: the names of the files.
        metadata: what the folder says of all rows (conversion_metadata.json); {} if nothing.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        keep_foreign: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Takes the sources; BadFileError where they are no rows of a layout."""
        self._sources = list(sources)
        counts = [source.num_rows for source in self._sources]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._range = range(int(self._starts[-1]))
        self._open: list[Source] = []
        self.metadata = dict(metadata or {})
        self.layout = _layout_of(self._sources[0])
        self.columns = tuple(_columns_of(self._sources[0], self.layout, keep_foreign))
        for source in self._sources:
            _check_columns(source, self.layout, self.columns, keep_foreign)
        if not self._range:
            names = ", ".join(self.files)
            raise bad_file(names, "", "empty (no rows)", "at least one row")

    @property
    def files(self) -> list[str]:
        return [source.name for source in self._sources]

    def __len__(self) -> int:
        return len(self._range)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._view(self._range[index])
        try:
            index = operator.index(index)
        except TypeError:
            raise invalid_field("index", index, "a row's number, or a slice") from None
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return Row(self, index % len(self))

    def __repr__(self) -> str:
        return f"Rows({len(self)} {self.layout.name}: {', '.join(self.columns)})"

    def read(self, index: int, name: str) -> Any:
        """A column's value of one row; BadFileError: it is none that the column may have."""
        row = self._range[index]
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        source, row = self._sources[number], row - int(self._starts[number])
        self._touch(source)
        if name not in self.layout.names:  # a foreign one, kept
            return source.value(name, row)[0].as_py()
        column = self.layout[name]
        value = self._value(source, column, row)
        if value is None or column.depth == 0:
            return value
        if column.beside:
            if column.beside not in self.columns:
                raise bad_file(source.name, column.beside, "missing", f"a column, beside {name}")
            beside = self._value(source, self.layout[column.beside], row)
            _check_beside(source, row, column, value, beside)
        elif self.layout.per and column.depth == 2 and column.required and not value:
            raise bad_file(
                source.name, f"{name}[{row}]", "empty", f"at least one {self.layout.per}"
            )
        return value

    def _value(self, source: Source, column: Column, row: int) -> Any:
        try:
            return value_of(column, source.value(column.name, row))
        except WrongValue as wrong:
            field = f"{column.name}[{row}]{wrong.where}"
            raise bad_file(source.name, field, wrong.value, wrong.accepted) from None

    def _touch(self, source: Source) -> None:
        if self._open and self._open[-1] is source:
            return
        self._open = [one for one in self._open if one is not source] + [source]
        if len(self._open) > _MAX_OPEN:
            self._open.pop(0).close()

    def _view(self, rows: range) -> Rows:
        view = object.__new__(Rows)
        vars(view).update(vars(self), _range=rows)
        return view


def _layout_of(source: Source) -> Layout:
    layout = layout_of(source.types)
    if layout is None:
        accepted = "; or ".join(", ".join(one.required) for one in LAYOUTS)
        near = max(LAYOUTS, key=lambda one: len(set(one.names) & set(source.types)))
        missing = [name for name in near.required if name not in source.types]
        field = missing[0] if len(missing) < len(near.required) else "columns"
        value = "missing" if field != "columns" else ", ".join(source.types) or "none"
        raise bad_file(source.name, field, value, f"columns {accepted}")
    return layout


def _columns_of(source: Source, layout: Layout, keep_foreign: bool) -> list[str]:
    known = [name for name in layout.names if name in source.types]
    foreign = [name for name in source.types if name not in (*known, *PASSED_OVER)]
    return known + (foreign if keep_foreign else [])


def _check_columns(
    source: Source, layout: Layout, columns: Sequence[str], keep_foreign: bool
) -> None:
    for name, arrow_type in source.types.items():
        if name in PASSED_OVER:
            continue
        if name in layout.names:
            try:
                check_type(layout[name], arrow_type)
            except WrongValue as wrong:
                raise bad_file(source.name, name, wrong.value, wrong.accepted) from None
        elif not keep_foreign:
            accepted = f"{', '.join(layout.names)}; others with keep_foreign=True"
            raise bad_file(source.name, name, f"foreign to the layout {layout.name}", accepted)
        if name not in columns:
            accepted = f"the columns of the first file: {', '.join(columns)}"
            raise bad_file(source.name, name, "a column", accepted)
    for name in columns:
        if name not in source.types:
            raise bad_file(source.name, name, "missing", "a column, as the first file has it")


def _check_beside(source: Source, row: int, column: Column, value: Any, beside: Any) -> None:
    """As many lists, and in each as many values, as the column that it belongs to."""
    field = f"{column.name}[{row}]"
    if beside is None:
        raise bad_file(source.name, f"{column.beside}[{row}]", "null", f"values beside {field}")
    if column.depth == 1:
        value, beside = [value], [beside]
    if len(value) != len(beside):
        accepted = f"{len(beside)}, as many as {column.beside}[{row}] has"
        raise bad_file(source.name, field, f"{len(value)} lists", accepted)
    for index, (one, other) in enumerate(zip(value, beside, strict=True)):
        if len(one) != len(other):
            place = field + (f"[{index}]" if column.depth == 2 else "")
            accepted = f"{len(other)}, as many as {column.beside} has there"
            raise bad_file(source.name, place, f"{len(one)} values", accepted)
