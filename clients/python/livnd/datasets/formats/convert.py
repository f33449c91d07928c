"""One recording into one file or folder of another format."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from livnd import checks
from livnd.datasets.formats.options import FORMATS, LAYOUTS, Converted, Options, Writer
from livnd.datasets.formats.output import new_output
from livnd.datasets.recordings import RecordingFile
from livnd.datasets.recordings.runs import Progress
from livnd.errors import invalid_field
from livnd.system import System, make


def convert(
    recording: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str],
    *,
    layout: str | None = None,
    row_ms: float | None = None,
    copy: int | None = None,
    system: System | str | os.PathLike[str] | None = None,
    start_time: datetime | str | None = None,
    frames_per_second: float | None = None,
    salvage: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Makes a file or folder of a recording. There is nothing at `out` unless it is whole.

    Args:
        recording: the file of a livnd server; still being written, or left by a writer that died,
            it is converted as the last flush left it. Or the folder of `livnd sample`, of which
            "arrow" and "parquet" make folders, with layout and system alone of what follows.
        to: "arrow" (a folder as save_to_disk() of `datasets` leaves it), "parquet", "nwb" or "cl".
        out: the path of what is made.
        layout: of the rows of "arrow" and "parquet": "runs", "trials" or "channels". None: "runs",
            and "trials" of samples.
        row_ms: cuts runs into rows of at most so many ms.
        copy: which of the session's; "nwb" and "cl" hold one.
        system: what was recorded, a name or a folder: where cells and electrodes are, which gids
            there are.
        start_time: of "nwb" and "cl", with its time zone, as a datetime or in ISO 8601; otherwise
            what the recording tells, and else when its file was last written.
        frames_per_second: of "cl"; None: a frame is a tick, and no spike moves.
        salvage: leaves out what is damaged; otherwise that is an error.
        overwrite: what is at `out` may go.
        progress: called now and then with a name, how much is done, and of how much.

    Raises:
        FileNotFoundError: there is no such recording, or system.
        BadFileError: it is none, is damaged, or lacks what the format needs.
        InvalidFieldError: an argument is wrong, or does not go with the recording.
        MissingExtraError: a package is not installed.
    """
    checks.choice("to", to, FORMATS)
    is_samples = Path(recording).is_dir()
    layout = layout or ("trials" if is_samples else "runs")
    checks.choice("layout", layout, LAYOUTS)
    for name, value in (("row_ms", row_ms), ("frames_per_second", frames_per_second)):
        if value is not None and not (0 < checks.number(name, value) < float("inf")):
            raise invalid_field(name, value, "a finite number above 0")
    if copy is not None:
        copy = checks.integer("copy", copy, "a copy's number, from 0 on", 0)
    checks.flag("salvage", salvage)
    checks.flag("overwrite", overwrite)
    if system is not None and not isinstance(system, System):
        if not isinstance(system, (str, os.PathLike)):
            raise checks.wrong("system", system, "a system, its name or its folder")
        system = make(system)
    options = Options(
        layout, row_ms, copy, system, _time(start_time), frames_per_second,
        progress or (lambda name, done, total: None),
    )  # fmt: skip
    if is_samples:
        _check_of_recordings(row_ms, copy, start_time, frames_per_second, salvage)
        from livnd.datasets.samples.convert import convert_samples

        return convert_samples(Path(recording), to, Path(out), options, overwrite=overwrite)
    made = Converted(Path(out), to)
    with RecordingFile(recording, salvage=salvage) as opened:
        if opened.path.resolve() == made.out.resolve():
            raise invalid_field("out", str(out), "another path than the recording's")
        with new_output(made.out, overwrite) as path:
            _writer(to)(opened, path, options, made)
        _tell_what_is_missing(opened, made)
    return made


def _check_of_recordings(*given: object) -> None:
    names = ("row_ms", "copy", "start_time", "frames_per_second", "salvage")
    for name, value in zip(names, given, strict=True):
        if value is not None and value is not False:
            raise invalid_field(name, value, "absent: it is of recordings, and these are samples")


def _time(given: datetime | str | None) -> datetime | None:
    time = given
    if isinstance(given, str):
        try:
            time = datetime.fromisoformat(given.replace("Z", "+00:00"))
        except ValueError:
            time = None
    if given is not None and (not isinstance(time, datetime) or time.tzinfo is None):
        accepted = "a time with its time zone: 2026-11-29T12:00:00+00:00, say"
        raise checks.wrong("start_time", given, accepted)
    return time


def _writer(to: str) -> Writer:
    # Each is imported when it is asked for, and so are the packages that it needs.
    if to == "nwb":
        from livnd.datasets.formats.nwb import write_nwb

        return write_nwb
    if to == "cl":
        from livnd.datasets.formats.cl import write_cl

        return write_cl
    from livnd.datasets.formats.arrow import write_arrow, write_parquet

    return write_arrow if to == "arrow" else write_parquet


def _tell_what_is_missing(recording: RecordingFile, made: Converted) -> None:
    if not recording.is_closed:
        flushes = recording.attributes.get("num_flushes", "unknown")
        made.notes.append(
            f"the recording was not closed: this is what {flushes} flushes had written"
        )
        made.is_complete = False
    if recording.attributes.get("paused"):
        made.notes.append("the recording is paused: its session may go on in it")
        made.is_complete = False
    if recording.attributes.get("cut_short"):
        made.notes.append("the server could not go on with the recording, and cut it short")
        made.is_complete = False
    if recording.is_cut:
        made.notes.append("the file is cut short: what was in its end is missing")
        made.is_complete = False
    for stream in recording.streams.values():
        if stream.num_dropped:
            made.notes.append(f"{stream.name}: {stream.num_dropped} rows were never written")
            made.is_complete = False
    for lost in recording.lost:
        what = "all rows" if lost.end < 0 else f"rows {lost.begin} .. {lost.end - 1}"
        made.notes.append(f"{lost.stream}: {what} are damaged and left out")
        made.is_complete = False
