"""Values of Arrow columns as NumPy arrays, checked on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from livnd import extras
from livnd.datasets.columns import Column, Kind

_MAX_ID = 2**32


class WrongValue(Exception):
    """A value that its column cannot have: where in the row, what it is, what is accepted."""

    def __init__(self, where: str, value: object, accepted: str) -> None:
        super().__init__(where, value, accepted)
        self.where, self.value, self.accepted = where, str(value), accepted


def check_type(column: Column, arrow_type: Any) -> None:
    """Raises a WrongValue unless a file's type can hold a column's values."""
    pa = extras.load("pyarrow", "data", "reading a data set")
    inner, depth = _unwrapped(arrow_type), 0
    while _is_list(pa, inner):
        inner, depth = inner.value_type, depth + 1
    is_whole = pa.types.is_integer(inner)
    is_number = is_whole or pa.types.is_floating(inner)
    is_text = pa.types.is_string(inner) or pa.types.is_large_string(inner)
    # Lists that are all empty have values of no type; they may be in fewer lists, too.
    is_empty = pa.types.is_null(inner) and depth <= column.depths[-1]
    fits = {
        Kind.IDS: is_whole,
        Kind.WHOLE: is_whole,
        Kind.TIMES: is_number,
        Kind.NUMBERS: is_number,
        Kind.TEXT: is_text,
    }[column.kind]
    if not is_empty and (not fits or depth not in column.depths):
        raise WrongValue("", arrow_type, column.accepted)


def value_of(column: Column, array: Any) -> Any:
    """The value of a column's only row; None where the file has none.

    Args:
        column: of a layout.
        array: pyarrow.Array with one element, of a type that check_type() has let pass.

    Returns:
        A number or a text, or arrays in as many lists as the column's depth less one. Whole numbers
        are int64 and times float64; others have the file's precision.
    """
    if hasattr(array, "storage"):
        array = array.storage
    scalar = array[0]
    if not scalar.is_valid:
        if column.required:
            raise WrongValue("", "null", column.accepted)
        return None
    if column.depth == 0:
        value = scalar.as_py()
        if column.kind in (Kind.NUMBERS, Kind.TIMES):
            return float(_checked(column, np.array([value], np.float64), "", False)[0])
        return value
    items = scalar.values
    if column.is_matrix:
        return _matrix(column, items, "")
    if column.depth == 1:
        return _list(column, items, "")
    pa = extras.load("pyarrow", "data", "reading a data set")
    if pa.types.is_null(items.type) and len(items):
        raise WrongValue("[0]", "null", column.accepted)
    found = []
    for index in range(len(items)):
        if not items[index].is_valid:
            raise WrongValue(f"[{index}]", "null", "lists of " + column.kind.value)
        found.append(_list(column, items[index].values, f"[{index}]"))
    return found


def _list(column: Column, items: Any, where: str) -> np.ndarray:
    """One list of values, or of samples."""
    pa = extras.load("pyarrow", "data", "reading a data set")
    if _is_list(pa, items.type):
        return _matrix(column, items, where)
    return _numbers(column, items, where)


def _matrix(column: Column, rows: Any, where: str) -> np.ndarray:
    """Lists that are all as long, as an array with two axes."""
    if len(rows) == 0:
        return np.empty((0, 0))
    if rows.null_count:
        index = int(np.argmax(rows.is_null().to_numpy(zero_copy_only=False)))
        raise WrongValue(f"{where}[{index}]", "null", "lists of " + column.kind.value)
    flat = rows.flatten()
    lengths = rows.value_lengths().to_numpy(zero_copy_only=False)
    if (lengths != lengths[0]).any():
        index = int(np.argmax(lengths != lengths[0]))
        accepted = f"{lengths[0]} values, as many as the first list has"
        raise WrongValue(f"{where}[{index}]", f"{lengths[index]} values", accepted)
    width = int(lengths[0])
    return _numbers(column, flat, where, width).reshape(len(rows), width)


def _numbers(column: Column, items: Any, where: str, width: int = 0) -> np.ndarray:
    """A list's numbers; `width`: how many of them are in each row of a matrix."""
    if items.null_count:
        index = int(np.argmax(items.is_null().to_numpy(zero_copy_only=False)))
        raise WrongValue(where + _index(index, width), "null", column.kind.value)
    values = items.to_numpy(zero_copy_only=False)
    if len(values) == 0:
        whole = column.kind in (Kind.IDS, Kind.WHOLE)
        return np.empty(0, np.int64 if whole else np.float64)
    return _checked(column, values, where, True, width)


def _checked(
    column: Column, values: np.ndarray, where: str, is_list: bool, width: int = 0
) -> np.ndarray:
    kind = column.kind
    if kind is Kind.IDS:
        wrong = (values < 0) | (values >= _MAX_ID)
    elif kind is Kind.WHOLE:
        wrong = np.zeros(len(values), bool)
    else:
        wrong = ~np.isfinite(values)
        if kind is Kind.TIMES:
            wrong |= values < 0
    if wrong.any():
        index = int(np.argmax(wrong))
        place = _index(index, width) if is_list else ""
        raise WrongValue(where + place, values[index], kind.value)
    if kind in (Kind.IDS, Kind.WHOLE):
        return values.astype(np.int64, copy=False)
    return values.astype(np.float64, copy=False) if kind is Kind.TIMES else values


def _index(index: int, width: int) -> str:
    return f"[{index // width}][{index % width}]" if width else f"[{index}]"


def _is_list(pa: Any, arrow_type: Any) -> bool:
    types = pa.types
    return (
        types.is_list(arrow_type)
        or types.is_large_list(arrow_type)
        or types.is_fixed_size_list(arrow_type)
    )


def _unwrapped(arrow_type: Any) -> Any:
    """An extension type (Array2D of datasets) as what it stores."""
    return getattr(arrow_type, "storage_type", arrow_type)
