"""Encodings and decodings by name, as docs/codings.md describes them, and what they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.plain import document
from livnd.tensors import decode, encode

_UNITS = {
    "any": pb.DECODING_UNITS_UNSPECIFIED,
    "electrodes": pb.DECODING_UNITS_ELECTRODES,
    "cells": pb.DECODING_UNITS_CELLS,
}
_ACCEPTED = "a name, or a dictionary with a name and numbers"


def decoding_selection(field: str, given: Any) -> Any:
    """A pb.DecodingSelection.

    Args:
        field: whose it is, in errors.
        given: {"name": "network_bursts", "bin_ms": 50}, with "units" ("electrodes" or "cells") and
            "sample_dt_ms" besides; or the name alone, which takes every default; or YAML or JSON.

    Raises:
        InvalidFieldError: none of these.
    """
    if isinstance(given, pb.DecodingSelection):
        return given
    fields = _fields_of(field, given)
    units = fields.pop("units", "any")
    message = pb.DecodingSelection(
        name=checks.text(f"{field}.name", fields.pop("name", None), _ACCEPTED),
        units=_UNITS[checks.choice(f"{field}.units", units, _UNITS)],
        sample_dt_ms=checks.number(f"{field}.sample_dt_ms", fields.pop("sample_dt_ms", 0.0)),
    )
    _put_fields(message.fields, field, fields)
    return message


def encoding_selection(given: Any) -> Any:
    """A pb.EncodingSelection of {"name": "rate", "step_ms": 25, ...}; "": none any more."""
    if isinstance(given, pb.EncodingSelection):
        return given
    fields = _fields_of("encoding", given)
    message = pb.EncodingSelection(
        name=checks.text("encoding.name", fields.pop("name", None), _ACCEPTED),
        step_ms=checks.number("encoding.step_ms", fields.pop("step_ms", 0.0)),
    )
    _put_fields(message.fields, "encoding", fields)
    return message


def _fields_of(field: str, given: Any) -> dict[str, Any]:
    said = document(field, given, _ACCEPTED)
    if isinstance(said, str):
        return {"name": said}
    return dict(checks.mapping(field, said, _ACCEPTED))


def _put_fields(fields: Any, field: str, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        place = f"{field}.{name}"
        added = fields.add(name=checks.text(field, name, "names as text"))
        if isinstance(value, (bool, np.bool_)):
            added.flag = bool(value)
        elif isinstance(value, str):
            added.word = checks.text(place, value)
        elif not hasattr(value, "__len__"):
            added.number = checks.number(place, value, "a number, a flag, a word or a list")
        elif len(value) and all(hasattr(each, "__len__") for each in value):
            rows = [checks.array(f"{place}[{i}]", row).ravel() for i, row in enumerate(value)]
            offsets = np.cumsum([0, *(len(row) for row in rows)])
            added.lists.offsets.CopyFrom(encode(offsets, np.int64))
            added.lists.values.CopyFrom(encode(np.concatenate(rows), np.float64))
        else:
            added.numbers.CopyFrom(encode(checks.array(place, value).ravel(), np.float64))


@dataclass(frozen=True, eq=False)
class Decoded(Mapping[str, np.ndarray]):
    """What a decoding gave of one run, by the names of its values; the copies are the first axis.

    NaN of a copy that has failed, or that had more spikes than the decoding keeps.
    """

    name: str  # of the decoding
    arrays: dict[str, np.ndarray]  # float64 [num_envs, ...]
    units: dict[str, str]  # of the values; "1": a pure number

    @classmethod
    def from_message(cls, message: Any) -> Decoded:
        return cls(
            message.name,
            {t.name: decode(t.values) for t in message.values},
            {t.name: t.unit for t in message.values},
        )

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


@dataclass(frozen=True)
class EncodingInput:
    """One number that an encoding takes, within these bounds."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class CodingField:
    """A field of an encoding or decoding: what it takes, and what it has unless it is given."""

    name: str
    accepted: str
    default: str


@dataclass(frozen=True)
class CodingTensor:
    """What a decoding gives, or an encoding takes.

    Attributes:
        axes: beside the copies': "units", "groups", "electrodes", or "*" for what follows from the
            fields and the window; none: a single number.
        low, high: of an encoding, the bounds of each number.
    """

    name: str
    unit: str
    description: str
    axes: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Coding:
    """An encoding or decoding that the server has."""

    name: str
    fields: tuple[CodingField, ...]
    tensors: tuple[CodingTensor, ...]
    hears_potentials: bool  # of a decoding: of potentials, not of spikes
    hears_voltages: bool  # of a decoding: of the voltages of cells beside their spikes

    @classmethod
    def from_message(cls, message: Any) -> Coding:
        return cls(
            message.name,
            tuple(CodingField(f.name, f.accepted, f.default_value) for f in message.fields),
            tuple(
                CodingTensor(t.name, t.unit, t.description, tuple(t.axes), t.low, t.high)
                for t in message.tensors
            ),
            message.hears_potentials,
            message.hears_voltages,
        )
