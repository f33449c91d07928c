"""Snapshots of copies on several servers, as one: proto/livnd/v1/snapshot.proto has the form."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from livnd._proto import pb

_MAGIC = b"LIVNDS01"
_HEADER_BYTES = len(_MAGIC) + 4


def contents(snapshot: bytes) -> Any:
    """The SnapshotContents; None for what is damaged, which a server says better."""
    body = snapshot[_HEADER_BYTES:]
    crc = zlib.crc32(body).to_bytes(4, "little")
    if snapshot[:_HEADER_BYTES] != _MAGIC + crc:
        return None
    try:
        return pb.SnapshotContents.FromString(body)
    except Exception:  # protobuf's own, whose class depends on its version
        return None


def joined(parts: Sequence[bytes], order: Sequence[int]) -> bytes:
    """One snapshot of the copies of several, which are those of one environment.

    Args:
        parts: the snapshots.
        order: places in all their copies, one after the other.
    """
    all_contents = [contents(part) for part in parts]
    copies = [copy for each in all_contents for copy in each.task.copies]
    whole = all_contents[0]
    chosen = [pb.EpisodeSnapshot.FromString(copies[i].SerializeToString()) for i in order]
    del whole.task.copies[:]
    whole.task.copies.extend(chosen)
    body = whole.SerializeToString(deterministic=True)
    return _MAGIC + zlib.crc32(body).to_bytes(4, "little") + body
