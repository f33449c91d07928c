"""What callers give: taken for what it is or refused, and never bent to fit.

Each function returns Python's or NumPy's own form of a value, or raises an InvalidFieldError that
names the field, its value and what it accepts.
"""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from livnd.errors import InvalidFieldError, invalid_field

_MAX_SHOWN = 80  # characters of a value in an error

# What NumPy and array libraries raise for what they cannot convert.
_UNCONVERTIBLE = (TypeError, ValueError, OverflowError, RuntimeError)


def wrong(field: str, value: Any, accepted: str) -> InvalidFieldError:
    """invalid_field() of a value that may be long, or may not show itself at all."""
    is_short = isinstance(value, str) and len(value) <= _MAX_SHOWN
    return invalid_field(field, value if is_short else _Shown(value), accepted)


def integer(field: str, value: Any, accepted: str, low: int = -(2**63), high: int = 2**63) -> int:
    """A whole number, low <= value < high: an int or NumPy's; no bool, text or float like 1.0."""
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, np.ndarray) and value.ndim):
        raise wrong(field, value, accepted)
    try:
        whole = operator.index(value)
    except TypeError:
        raise wrong(field, value, accepted) from None
    if not low <= whole < high:
        raise wrong(field, value, accepted)
    return whole


def seed(field: str, value: Any, high: int = 2**64) -> int:
    """A seed, 0 <= value < high."""
    return integer(field, value, f"0 .. 2**64 - {2**64 - high + 1}", 0, high)


def integers(field: str, values: Any, accepted: str = "whole numbers") -> np.ndarray:
    """An int64 array of whole numbers, of any shape; each as integer() takes it."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "i":
        return values.astype(np.int64, copy=False)
    if isinstance(values, (list, tuple)) and set(map(type, values)) == {int}:
        with contextlib.suppress(OverflowError):  # the one that is too large is told below
            return np.array(values, np.int64)
    given = elements(field, values, accepted)
    whole = [integer(_at(field, given, i), v, accepted) for i, v in enumerate(given.flat)]
    return np.array(whole, np.int64).reshape(given.shape)


def number(field: str, value: Any, accepted: str = "a number") -> float:
    """A float of any real number; no text."""
    try:
        if np.iscomplexobj(value) or not hasattr(value, "__float__") or np.ndim(value) > 0:
            raise wrong(field, value, accepted)
        return float(value)
    except InvalidFieldError:
        raise
    except _UNCONVERTIBLE:
        raise wrong(field, value, accepted) from None


def limit(field: str, value: Any) -> float:
    """A number of seconds that something may take."""
    accepted = "a number of seconds from 0 on"
    if isinstance(value, (bool, np.bool_)):
        raise wrong(field, value, accepted)
    seconds = number(field, value, accepted)
    if not 0 <= seconds < math.inf:
        raise wrong(field, value, accepted)
    return seconds


def array(
    field: str, values: Any, dtype: Any = np.float64, accepted: str = "numbers"
) -> np.ndarray:
    """An array of `dtype`, if that holds what was given: no fraction, text or imaginary part."""
    wanted = np.dtype(dtype)
    kind = wanted.kind
    if kind in "iu":
        return integers(field, values, accepted).astype(dtype)
    if type(values) is np.ndarray and values.dtype == wanted:
        return values
    try:
        given = np.asarray(values)
    except _UNCONVERTIBLE:  # rows of different lengths
        raise wrong(field, values, accepted) from None
    if given.dtype == object:
        # Numbers of other types than NumPy's, or what is none.
        found = [number(_at(field, given, i), v, accepted) for i, v in enumerate(given.flat)]
        given = np.array(found, np.float64).reshape(given.shape)
    elif given.size and given.dtype.kind not in ("b" if kind == "b" else "biuf"):
        raise wrong(field, values, accepted)
    with np.errstate(over="ignore"):  # what is too large for float32 is inf
        return given.astype(dtype, copy=False)


def elements(field: str, values: Any, accepted: str) -> np.ndarray:
    """An array of objects: what `values`, an array or any iterable but text, consists of."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise wrong(field, values, accepted)
    try:
        given = values if hasattr(values, "__array__") else list(values)
        return np.asarray(given, dtype=object)
    except _UNCONVERTIBLE:
        raise wrong(field, values, accepted) from None


def entries(field: str, values: Any, accepted: str) -> list[Any]:
    """The elements of a list, or of any iterable but text."""
    given = elements(field, values, accepted)
    if given.ndim != 1:
        raise wrong(field, values, accepted)
    return given.tolist()


def names(field: str, value: Any, accepted: str) -> list[str]:
    """One name, or several in their order, each as text."""
    given = [value] if isinstance(value, str) else entries(field, value, accepted)
    return [text(field, name, accepted) for name in given]


def text(field: str, value: Any, accepted: str = "text") -> str:
    """A str that can be sent."""
    if not isinstance(value, str):
        raise wrong(field, value, accepted)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong(field, value, accepted) from None
    return value


def choice(field: str, value: Any, known: Collection[str]) -> str:
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        raise wrong(field, value, ", ".join(known))
    return value


def flag(field: str, value: Any) -> bool:
    """True or False, also NumPy's; not whatever has a truth."""
    if not isinstance(value, (bool, np.bool_)):
        raise wrong(field, value, "True, False")
    return bool(value)


def mapping(field: str, value: Any, accepted: str) -> Mapping[Any, Any]:
    """A mapping, such as a dict."""
    if not isinstance(value, Mapping):
        raise wrong(field, value, accepted)
    return value


def _at(field: str, given: np.ndarray, flat_index: int) -> str:
    index = np.unravel_index(flat_index, given.shape)
    return field + "".join(f"[{i}]" for i in index)


class _Shown:
    """A value as an error shows it."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        try:
            shown = repr(self._value)
        except Exception:  # not even that: an int of thousands of digits
            shown = f"a value of type {type(self._value).__name__}"
        return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 3] + "..."
