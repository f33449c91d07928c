"""Where cells and electrodes are, in an NWB file."""

from __future__ import annotations

from typing import Any

import numpy as np

from livnd.datasets.formats.options import Options
from livnd.datasets.recordings import RecordingFile, array_of
from livnd.errors import bad_file
from livnd.system import System


def electrode_ids(recording: RecordingFile, options: Options) -> np.ndarray:
    """Ids of the electrodes of a recording, int64; of potentials in the order of their columns.

    Those that the potentials' labels tell; else those of the array (array_of), unless the recording
    knows others; else as many as there are potentials, or as the highest that heard a spike or had
    a stimulus.

    Raises:
        BadFileError: there are potentials, and nobody knows of which electrodes.
    """
    potentials = recording.streams.get("potentials")
    length = 0 if potentials is None else potentials.needs("values").columns["values"].length
    if potentials is not None:
        labels = potentials.labels
        if labels is not None and "channel" in labels.dtype.names and len(labels) == length:
            return labels["channel"].astype(np.int64)
    mea, heard = array_of(recording, options.system), _ids_of_events(recording)
    if mea is not None:
        if length not in (0, mea.num_channels):
            value = f"{length} potentials"
            accepted = f"{mea.num_channels}, as many as there are electrodes"
            raise bad_file(recording.path, "potentials", value, accepted)
        ids = np.asarray(mea.channel_ids, np.int64)
        return ids if length or np.isin(heard, ids).all() else heard
    highest = int(heard.max(initial=-1))
    if 0 < length <= highest:
        value = f"without labels beside electrode {highest}"
        raise bad_file(recording.path, "potentials", value, f"electrodes below {length}")
    return np.arange(max(length, highest + 1), dtype=np.int64)


def _ids_of_events(recording: RecordingFile) -> np.ndarray:
    """Of the electrodes that heard a spike or had a stimulus, ascending, int64."""
    found = np.empty(0, np.int64)
    for name in ("channel_events", "stimuli"):
        stream = recording.streams.get(name)
        if stream is None or (
            name == "stimuli" and stream.attributes.get("channels") != "electrode"
        ):
            continue
        for rows in stream.needs("channel").parts():
            found = np.union1d(found, rows["channel"].astype(np.int64))
    return found


def add_electrodes(
    file: Any, ids: np.ndarray, recording: RecordingFile, system: System | None
) -> None:
    """The table of electrodes: with places, where the array has all of them."""
    mea = array_of(recording, system)
    device = file.create_device(
        name="electrode_array",
        description="A simulated multi-electrode array.",
    )
    group = file.create_electrode_group(
        name="electrodes", description="All of the array.", location="culture", device=device
    )
    places = None
    if mea is not None and np.isin(ids, mea.channel_ids).all():
        row_of = {int(number): row for row, number in enumerate(mea.channel_ids)}
        rows = [row_of[number] for number in ids.tolist()]
        places = mea.electrode_coordinates[rows, 1:4].astype(float)
    for index, number in enumerate(ids.tolist()):
        place = {}
        if places is not None:  # um; and again as within the array, where SpikeInterface looks
            place = dict(zip("xyz", places[index].tolist(), strict=True))
            place |= {f"rel_{axis}": value for axis, value in place.items()}
        file.add_electrode(id=number, location="culture", group=group, **place)


def cell_columns(gids: np.ndarray, system: System | None) -> list[tuple[str, str, Any]]:
    """(name, description, values) of what a system tells of cells."""
    if system is None:
        return []
    names = np.full(len(gids), "unknown", dtype=object)
    for name, (first, count) in system.population_ranges.items():
        names[(gids >= first) & (gids < first + count)] = name
    where = {int(row[0]): row[1:4] for row in system.neuron_coordinates}
    places = np.array([where.get(gid, [np.nan] * 3) for gid in gids.tolist()])
    return [
        ("population", "of the cell", names.tolist()),
        *((f"soma_{axis}", "of the soma, um", places[:, i]) for i, axis in enumerate("xyz")),
    ]
