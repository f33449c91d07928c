"""Where the electrodes of a recording are."""

from __future__ import annotations

import numpy as np

from livnd.datasets.recordings.file import RecordingFile
from livnd.errors import InvalidFieldError, bad_file
from livnd.io import MEA
from livnd.system import System

_COLUMNS = ("channel", "x", "y", "z")


def array_of(recording: RecordingFile, system: System | None = None) -> MEA | None:
    """The electrodes through which a culture was recorded; None where nobody knows.

    The recording tells them itself (stream "electrodes"); one that does not is taken for one with
    those of the system. Their volume conductor is not told.

    Args:
        recording: which is meant.
        system: what was recorded.

    Raises:
        BadFileError: what the recording tells is no array.
    """
    stream = recording.streams.get("electrodes")
    if stream is None or not stream.num_rows:
        try:
            return None if system is None else system.default_io()
        except FileNotFoundError:
            return None
    for column in _COLUMNS:
        there = stream.columns.get(column)
        if there is None or there.length != 1 or there.dtype.kind not in "iuf":
            value = "missing" if there is None else "not a number a row"
            accepted = f"columns {', '.join(_COLUMNS)}"
            raise bad_file(recording.path, f"electrodes.{column}", value, accepted)
    rows = stream.read()
    radii = [stream.attributes.get(f"{way}_radius_um", 250.0) for way in ("input", "output")]
    try:
        return MEA(np.stack([rows[column].astype(np.float64) for column in _COLUMNS], 1), *radii)
    except InvalidFieldError as error:
        raise bad_file(recording.path, "electrodes", error.value, error.accepted) from None
