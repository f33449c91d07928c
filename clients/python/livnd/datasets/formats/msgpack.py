"""MessagePack (msgpack.org) of the little that data streams of recordings hold."""

from __future__ import annotations

import struct
from collections.abc import Mapping


def packed(value: Mapping[str, object] | str | float | bool | None) -> bytes:
    """A map of texts to numbers, flags and nothing, or one of these.

    Raises:
        TypeError: it is something else.
        OverflowError: a number, or the length of something, has no form here.
    """
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        form, tag = (">Q", b"\xcf") if value >= 0 else (">q", b"\xd3")
        try:
            return tag + struct.pack(form, value)
        except struct.error:
            raise OverflowError(f"{value} has more than 64 bits") from None
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(value, Mapping):
        parts = [packed(name) + packed(one) for name, one in value.items()]  # type: ignore[arg-type]
        return b"\xdf" + struct.pack(">I", len(parts)) + b"".join(parts)
    raise TypeError(f"no MessagePack for {type(value).__name__}")
