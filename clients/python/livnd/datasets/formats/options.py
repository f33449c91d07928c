"""What conversions are told, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from livnd.datasets.recordings import RecordingFile
from livnd.datasets.recordings.runs import Progress, Runs
from livnd.errors import bad_file, invalid_field
from livnd.system import System

FORMATS = ("arrow", "parquet", "nwb", "cl")
LAYOUTS = ("runs", "trials", "channels")


@dataclass(frozen=True)
class Options:
    """What a conversion may be told; docs/formats.md has them.

    Attributes:
        layout: of rows.
        row_ms: the longest row; None: rows are whole runs.
        copy: of the session; None: its only one, or of rows all.
        system: what was recorded.
        start_time: of the session.
        frames_per_second: of the CL layout; None: a frame is a tick.
        progress: is told what is done: a name, so much of so much.
    """

    layout: str = "runs"
    row_ms: float | None = None
    copy: int | None = None
    system: System | None = None
    start_time: datetime | None = None
    frames_per_second: float | None = None
    progress: Progress = lambda name, done, total: None


@dataclass
class Converted:
    """What a conversion has made.

    Attributes:
        out: where it is.
        format: of FORMATS.
        counts: of what is in it: "spikes", "rows".
        is_complete: the recording was: closed by its writer, nothing dropped, nothing damaged.
        notes: what of the recording is not in it, and what had to be supposed.
    """

    out: Path
    format: str
    counts: dict[str, int] = field(default_factory=dict)
    is_complete: bool = True
    notes: list[str] = field(default_factory=list)


Writer = Callable[[RecordingFile, Path, Options, Converted], None]


def check_copy(recording: RecordingFile, copy: int | None, copies: Collection[int]) -> None:
    """Raises unless a recording has rows, and some of the copy that is asked for."""
    if not copies:
        raise bad_file(recording.path, "", "without rows", "a recording of something")
    if copy is not None and copy not in copies:
        raise invalid_field("copy", copy, _told(copies))


def only_copy(recording: RecordingFile, copy: int | None, copies: Collection[int]) -> int:
    """The copy that a format which holds one is about."""
    check_copy(recording, copy, copies)
    if copy is None and len(copies) > 1:
        raise invalid_field("copy", None, _told(copies))
    return next(iter(copies)) if copy is None else copy


def tell_repeated(runs: Runs, made: Converted) -> None:
    """Notes which episodes have the rows of several tries."""
    for copy, episode in runs.repeated[:3]:
        made.notes.append(
            f"episode {episode} of copy {copy} was gone on with after a Restore: rows from before "
            "it and after it are together"
        )
    if len(runs.repeated) > 3:
        made.notes.append(f"and so were {len(runs.repeated) - 3} more")


def _told(copies: Collection[int]) -> str:
    first, last = min(copies), max(copies)
    if len(copies) == last - first + 1:
        return f"{first} .. {last}" if last > first else str(first)
    return ", ".join(map(str, sorted(copies)))


def text_of(recording: RecordingFile, name: str) -> str:
    """An attribute of a recording, "" where it tells none."""
    value: Any = recording.attributes.get(name, "")
    return value if isinstance(value, str) else str(value)
