"""What a picture of a recording needs, and the readers that find it in files.

A reader is a function of a path and a Choice; READERS has one for each kind of file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from livnd.datasets import Rows, Splits, load_dataset
from livnd.datasets.rows import Row
from livnd.errors import bad_file, invalid_field
from livnd.plots.livnd_recordings import is_recording, read_recording_file
from livnd.plots.recorded import Choice, Pulse, Recording, Traces


def read_recording(path: str | Path, choice: Choice | None = None) -> Recording:
    """The recording that is chosen of a file or folder.

    Raises:
        FileNotFoundError: there is none.
        BadFileError: it is no recording.
        InvalidFieldError: it has no such row or trial.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    for is_one, read in READERS:
        if is_one(path):
            return read(path, choice or Choice())
    accepted = "a Parquet or Arrow file, a folder of them, or a server's recording (*.h5)"
    raise bad_file(path, "", f"a file *{path.suffix}", accepted)


# --- rows of data sets ---------------------------------------------------------------------------


def _is_dataset(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".parquet", ".arrow")


def _read_dataset(path: Path, choice: Choice) -> Recording:
    found = load_dataset(path, choice.name)
    assert isinstance(found, Splits)
    split = choice.split or next(iter(found))
    if split not in found:
        raise invalid_field("split", split, ", ".join(found))
    rows = found[split]
    if not 0 <= choice.row < len(rows):
        raise invalid_field("row", choice.row, f"0 .. {len(rows) - 1}")
    title = f"{path.name}, row {choice.row:,} of {split}"
    return _OF_LAYOUT[rows.layout.name](rows, rows[choice.row], title, choice)


def _trial(rows: Rows, row: Row, title: str, choice: Choice) -> Recording:
    num_trials = len(row["trial_it"])
    if not 0 <= choice.trial < num_trials:
        raise invalid_field("trial", choice.trial, f"0 .. {num_trials - 1}")
    if num_trials > 1:
        title += f", trial {choice.trial} of {num_trials}"
    ids, times_ms = row["trial_it"][choice.trial], row["trial_t"][choice.trial]
    duration_ms = _duration_ms(row, times_ms)
    traces = None
    if row.get("trial_vv"):
        values, gids = row["trial_vv"][choice.trial], row["trial_iv"][choice.trial]
        traces = _traces(gids, values, duration_ms, choice, "membrane potential", "mV")
    return _of_cells(row, title, ids, times_ms, duration_ms, traces)


def _run(rows: Rows, row: Row, title: str, choice: Choice) -> Recording:
    duration_ms = _duration_ms(row, row["tt"])
    traces = None
    if row.get("vv") is not None:
        traces = _traces(row["iv"], row["vv"], duration_ms, choice, "membrane potential", "mV")
    return _of_cells(row, title, row["it"], row["tt"], duration_ms, traces)


def _channels(rows: Rows, row: Row, title: str, choice: Choice) -> Recording:
    gids, times_ms = np.concatenate(row["cit"]), np.concatenate(row["ctt"])
    channels = np.arange(len(row["cit"]))
    ids = np.repeat(channels, [len(own) for own in row["cit"]])
    duration_ms, traces = _duration_ms(row, times_ms), None
    if row.get("cp") is not None:
        if choice.dt_ms is None and isinstance(hz := rows.metadata.get("sampling_frequency"), int):
            choice = Choice(dt_ms=1000 / hz) if hz > 0 else choice
        traces = _traces(channels, row["cp"], duration_ms, choice, "electrode potential", "µV")
    stimuli = _stimuli(row)
    return Recording(title, True, channels, ids, times_ms, duration_ms, gids, stimuli, traces)


def _of_cells(
    row: Row,
    title: str,
    ids: np.ndarray,
    times_ms: np.ndarray,
    duration_ms: float,
    traces: Traces | None,
) -> Recording:
    units = np.arange(int(ids.max(initial=-1)) + 1)
    return Recording(title, False, units, ids, times_ms, duration_ms, ids, _stimuli(row), traces)


def _duration_ms(row: Row, times_ms: np.ndarray) -> float:
    for name in ("t_end", "duration"):
        if row.get(name):
            return max(float(row[name]), float(times_ms.max(initial=0.0)))
    return max(float(times_ms.max(initial=0.0)), 1.0)


def _stimuli(row: Row) -> list[Pulse]:
    """Features are channel, onset (ms) and amplitude of each pulse; the published sets have one."""
    features = row.get("features")
    if features is None or not len(features) or len(features) % 3:
        return []
    pulses = np.asarray(features, np.float64).reshape(-1, 3)
    return [Pulse(onset, f"channel {round(channel)}") for channel, onset, size in pulses if size]


def _traces(
    ids: np.ndarray,
    values: np.ndarray,
    duration_ms: float,
    choice: Choice,
    quantity: str,
    unit: str,
) -> Traces | None:
    if values.ndim != 2 or values.shape[1] < 2:
        return None
    dt_ms = choice.dt_ms or duration_ms / values.shape[1]
    return Traces(ids, values, dt_ms, quantity, unit)


_OF_LAYOUT = {"trials": _trial, "channels": _channels, "runs": _run}

READERS: tuple[tuple[Callable[[Path], bool], Callable[[Path, Choice], Recording]], ...] = (
    (_is_dataset, _read_dataset),
    (is_recording, read_recording_file),
)
