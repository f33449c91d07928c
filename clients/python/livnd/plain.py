"""Messages of plain data: dictionaries, or YAML or JSON that says the same."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from livnd import checks, extras
from livnd.errors import invalid_field
from livnd.tensors import encode

# Of protobuf's FieldDescriptor.
_DOUBLE, _INT64, _INT32, _BOOL, _STRING, _MESSAGE, _ENUM = 1, 3, 5, 8, 9, 11, 14
_INTEGERS = {_INT64: 63, _INT32: 31}
_REPEATED = 3


def document(field: str, given: Any, accepted: str) -> Any:
    """What was given: the same, or what a text (or a file at a pathlib.Path) of YAML holds.

    A text of one word is that word.

    Raises:
        InvalidFieldError: the text is none.
        MissingExtraError: PyYAML is not installed.
    """
    if isinstance(given, os.PathLike):
        given = Path(given).read_text(encoding="utf-8")
    if not isinstance(given, str) or re.fullmatch(r"\w*", given):
        return given
    yaml = extras.load("yaml", "data", f"{field} as text")
    try:
        return yaml.load(given, _numbers(yaml))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise checks.wrong(field, str(error), accepted) from None


def _numbers(yaml: Any) -> Any:
    """PyYAML's safe loader as the server reads YAML 1.2: 1e5 is a number, and each key is once."""

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            found: set[Any] = set()
            for key, _ in node.value:
                if key.value in found:
                    line = key.start_mark.line + 1
                    raise ValueError(f"line {line}: {key.value} for the second time")
                if isinstance(key.value, str):
                    found.add(key.value)
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
        list("-+0123456789"),
    )
    return Loader


def fill(message: Any, field: str, given: Any) -> None:
    """Sets the fields of a message that a mapping names; None leaves one out.

    Numbers, flags, texts, enums by the end of their names in small letters ("monophasic"), messages
    as mappings, and lists of these; tensors as arrays of numbers.

    Raises:
        InvalidFieldError: a name is none of the message's, and the nearest is told, or a value is
            of another kind. What a value may be is the server's business.
    """
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in checks.mapping(field, given, ", ".join(fields)).items():
        place = f"{field}.{name}"
        if name not in fields:
            near = difflib.get_close_matches(str(name), fields, 1)
            told = f"{near[0]}? There are " if near else ""
            raise invalid_field(place, "an unknown name", told + ", ".join(fields))
        if value is None:
            continue
        of = fields[name]
        if of.type == _MESSAGE and of.message_type.name == "Tensor":
            getattr(message, name).CopyFrom(encode(checks.array(place, value), np.float64))
        elif not _is_repeated(of):
            if of.type == _MESSAGE:
                getattr(message, name).SetInParent()
                fill(getattr(message, name), place, value)
            else:
                setattr(message, name, _scalar(of, place, value))
        else:
            _extend(getattr(message, name), of, place, value)


def _extend(elements: Any, of: Any, place: str, values: Any) -> None:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise checks.wrong(place, values, "a list")
    for i, each in enumerate(values):
        if of.type == _MESSAGE:
            fill(elements.add(), f"{place}[{i}]", each)
        else:
            elements.append(_scalar(of, f"{place}[{i}]", each))


def _is_repeated(of: Any) -> bool:
    return of.is_repeated if hasattr(of, "is_repeated") else of.label == _REPEATED


def _scalar(of: Any, place: str, value: Any) -> Any:
    if of.type == _DOUBLE:
        if isinstance(value, bool):
            raise checks.wrong(place, value, "a number")
        return checks.number(place, value)
    if of.type in _INTEGERS:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 1e3, in a text
        bits = _INTEGERS[of.type]
        return checks.integer(place, value, "a whole number", -(2**bits), 2**bits)
    if of.type == _BOOL:
        return checks.flag(place, value)
    if of.type == _ENUM:
        prefix = of.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        known = {v.name.removeprefix(prefix).lower(): v.number for v in of.enum_type.values[1:]}
        return known[checks.choice(place, value, known)]
    assert of.type == _STRING, of.full_name
    return checks.text(place, value)
