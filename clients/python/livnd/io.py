"""Electrode arrays without a server: what they hear of rows that were recorded of cells.

    system = livnd.system.make("S1")
    mea = MEA.from_directory(system.uri)
    gids, times = mea.channel_recording(system.neuron_coordinates, it, t)

The names, shapes and numbers are those of livn 2.0.0's io.py. Positions are rows of an id and x, y
and z in um; a cell may have several rows, one for each of its compartments.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livnd import checks
from livnd.channel_rows import Channels, channel_recording
from livnd.errors import bad_file, invalid_field
from livnd.livn.stimulus import Stimulus
from livnd.volume_conductor import PointSourceModel, unknown_parameter

__all__ = [
    "MEA",
    "Channels",
    "PointSourceModel",
    "calculate_cell_stimulus",
    "calculate_distances",
    "channel_recording",
    "electrode_array_coordinates",
    "electrode_array_coordinates_for_area",
    "relative_distance",
]

_POSITIONS = "finite numbers, rows of id, x, y, z (um)"
_MAX_ELECTRODES = 65536


class MEA:
    """A multi-electrode array.

    Args:
        electrode_coordinates: [electrodes, 4], rows of id, x, y, z; None: a grid of 4 by 4, 1 mm
            apart. Channels have the electrodes' order and ids.
        input_radius: um; kept, and not applied to stimulation, as in livn.
        output_radius: um, inclusive: an electrode hears the cells within it.
        volume_conductor: a PointSourceModel, or its numbers by name.

    Raises:
        InvalidFieldError: no electrodes, ids twice, no numbers.
    """

    input_units = "uA"

    def __init__(
        self,
        electrode_coordinates: Any | None = None,
        input_radius: float = 250,
        output_radius: float = 250,
        volume_conductor: PointSourceModel | Mapping[str, float] | None = None,
    ) -> None:
        if electrode_coordinates is None:
            electrode_coordinates = electrode_array_coordinates()
        field = "electrode_coordinates"
        self.electrode_coordinates = _positions(field, electrode_coordinates)
        count = len(self.electrode_coordinates)
        if not 0 < count <= _MAX_ELECTRODES:
            raise invalid_field(field, f"{count} rows", f"1 .. {_MAX_ELECTRODES} rows")
        ids, counts = np.unique(self.electrode_coordinates[:, 0], return_counts=True)
        if counts.max() > 1:
            raise invalid_field(field, f"twice the id {ids[counts > 1][0]:g}", "ids that differ")
        self.input_radius = _radius("input_radius", input_radius)
        self.output_radius = _radius("output_radius", output_radius)
        if volume_conductor is None:
            volume_conductor = PointSourceModel()
        elif isinstance(volume_conductor, Mapping):
            volume_conductor = PointSourceModel().set_params(volume_conductor)
        self.volume_conductor = volume_conductor

    # --- as JSON -------------------------------------------------------------------------------

    @classmethod
    def from_directory(cls, directory: str | os.PathLike[str]) -> MEA:
        """The array of a system's folder: its mea.json.

        Raises:
            FileNotFoundError: it has none.
            BadFileError: what is in it is no array.
        """
        return cls.from_json(os.path.join(os.fspath(directory), "mea.json"))

    @classmethod
    def from_json(cls, serialized: str | Mapping[str, Any]) -> MEA:
        """The array that as_json() or serialize() gives; also of a path that ends in .json.

        Raises:
            BadFileError, InvalidFieldError: it is no array; of a file or of a text.
        """
        if not isinstance(serialized, str):
            return cls._of(serialized)
        if not serialized.endswith(".json"):
            try:
                return cls._of(json.loads(serialized))
            except json.JSONDecodeError as error:
                raise checks.wrong("mea", serialized, f"JSON ({error})") from None
        try:
            return cls._of(json.loads(Path(serialized).read_bytes()))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise bad_file(serialized, "", f"no JSON ({error})", "a JSON object") from None
        except ValueError as error:
            value, field = getattr(error, "value", str(error)), getattr(error, "field", "")
            accepted = getattr(error, "accepted", "an electrode array")
            raise bad_file(serialized, field, value, accepted) from None

    @classmethod
    def _of(cls, members: Any) -> MEA:
        known = ("electrode_coordinates", "input_radius", "output_radius", "volume_conductor")
        if not isinstance(members, Mapping):
            raise checks.wrong("mea", members, "an object")
        for name in members:
            if name not in known:
                raise invalid_field(name, "a member", ", ".join(known))
        if members.get("electrode_coordinates") is None:
            raise invalid_field("electrode_coordinates", "missing", _POSITIONS)
        conductor = members.get("volume_conductor")
        if not isinstance(conductor, (Mapping, type(None))):
            raise checks.wrong("volume_conductor", conductor, "an object of five numbers")
        return cls(**members)

    def serialize(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "electrode_coordinates": self.electrode_coordinates,
            "input_radius": self.input_radius,
            "output_radius": self.output_radius,
            "volume_conductor": self.volume_conductor.serialize(),
        }

    def as_json(self) -> str:
        """The text of a mea.json."""
        return json.dumps({**self.serialize(), "electrode_coordinates": self.electrode_rows()})

    def electrode_rows(self) -> list[list[float]]:
        """Id, x, y, z of each electrode."""
        return self.electrode_coordinates.tolist()

    def clone(self) -> MEA:
        """Another array of the same numbers."""
        return type(self).from_json(self.as_json())

    def set_params(self, params: Mapping[str, float]) -> MEA:
        """Sets radii, and the conductor's numbers as "volume_conductor-NAME".

        Raises:
            UnknownParameterError, InvalidFieldError: and nothing has changed.
        """
        own, nested = {}, {}
        for key, value in params.items():
            head, _, rest = key.partition("-")
            if head == "volume_conductor" and rest:
                nested[rest] = value
            elif key in ("input_radius", "output_radius"):
                own[key] = _radius(key, value)
            else:
                known = ("input_radius", "output_radius")
                conductor = (f"volume_conductor-{name}" for name in PointSourceModel.NAMES)
                raise unknown_parameter(key, (*known, *conductor))
        self.volume_conductor.set_params(nested)
        vars(self).update(own)
        return self

    # --- channels ------------------------------------------------------------------------------

    @property
    def num_channels(self) -> int:
        return len(self.electrode_coordinates)

    @property
    def channel_ids(self) -> np.ndarray:
        """Of the electrodes in their order, int32."""
        return self.electrode_coordinates[:, 0].astype(np.int32)

    def distances(self, neuron_coordinates: Any) -> np.ndarray:
        """Rows of channel id, gid and um: the first channel to all rows of cells, then the next."""
        cells = _positions("neuron_coordinates", neuron_coordinates)
        return calculate_distances(self.electrode_coordinates, cells)

    def cell_measurement(self, neuron_coordinates: Any) -> np.ndarray:
        """The rows of distances() within the output radius, as fractions of it."""
        distances = self.distances(neuron_coordinates)
        return relative_distance(distances, self.output_radius, filter_out_of_bounds=True)

    def channel_recording(
        self, neuron_coordinates: Any, ii: Any | None, *recordings: Any
    ) -> Channels | tuple[Channels, ...]:
        """What each electrode hears: the rows of the cells within its output radius.

        A cell that several electrodes hear is with each of them.

        Args:
            neuron_coordinates: [cells, 4], rows of gid, x, y, z.
            ii: gid of each row; None: each cell, once.
            recordings: arrays of as many rows (times, voltages).

        Returns:
            {channel id: its rows' gids}; with recordings a tuple of it and one such of each.

        Raises:
            InvalidFieldError: no numbers, or lengths that differ.
        """
        cells = _positions("neuron_coordinates", neuron_coordinates)
        if ii is None:
            ii = np.unique(cells[:, 0]).astype(np.int64)
        distances = calculate_distances(self.electrode_coordinates, cells)[:, -1]
        reached = distances.reshape(self.num_channels, len(cells)) <= self.output_radius
        gids = cells[:, 0].astype(np.int64)
        heard = {
            channel: gids[within]
            for channel, within in zip(self.channel_ids.tolist(), reached, strict=True)
        }
        return channel_recording(heard, ii, *recordings)

    def source_gain(self, distances: Any) -> np.ndarray:
        """What each electrode hears of 1 uA, uV, [electrodes, rows of cells]; 0 beyond its radius.

        Args:
            distances: as distances() gives them.
        """
        um = checks.array("distances", distances, accepted="rows of channel id, gid, um")[..., -1]
        if um.size % self.num_channels:
            accepted = f"a multiple of {self.num_channels} rows, as distances() gives them"
            raise invalid_field("distances", f"{um.size} rows", accepted)
        um = um.reshape(self.num_channels, um.size // self.num_channels)
        return np.where(um <= self.output_radius, self.volume_conductor.source_gain(um), 0.0)

    def potential_recording(self, distances: Any, membrane_currents: Any) -> np.ndarray:
        """What the electrodes hear of membrane currents, uV, [electrodes, samples].

        Args:
            distances: as distances() gives them.
            membrane_currents: uA, [rows of cells, samples].
        """
        gain = self.source_gain(distances)
        currents = checks.array("membrane_currents", membrane_currents)
        if currents.ndim != 2 or len(currents) != gain.shape[1]:
            shape = f"shape {currents.shape}"
            raise invalid_field("membrane_currents", shape, f"[{gain.shape[1]}, samples]")
        return gain @ currents

    # --- stimulation ---------------------------------------------------------------------------

    def reach(self, neuron_coordinates: Any) -> np.ndarray:
        """What 1 uA of each electrode makes at each row of cells, mV, [electrodes, rows]."""
        um = self.distances(neuron_coordinates)[:, -1]
        return self.volume_conductor.induction_gain(um).reshape(self.num_channels, -1)

    def cell_stimulus(
        self, neuron_coordinates: Any, channel_inputs: Any, dt: float = 1.0
    ) -> Stimulus:
        """The potentials outside cells that electrode currents make.

        Args:
            neuron_coordinates: [rows, 4]; the n-th row of a cell is its section n.
            channel_inputs: uA, [samples, electrodes].
            dt: ms between samples.
        """
        cells = _positions("neuron_coordinates", neuron_coordinates)
        inputs = checks.array("channel_inputs", channel_inputs, dtype=_float_of(channel_inputs))
        if inputs.ndim != 2 or inputs.shape[1] != self.num_channels:
            accepted = f"[samples, {self.num_channels}], a column an electrode"
            raise invalid_field("channel_inputs", f"shape {inputs.shape}", accepted)
        gids = cells[:, 0].astype(np.int64)
        sections = _repeats(gids)
        gains = self.reach(cells).astype(inputs.dtype)
        return Stimulus(inputs @ gains, dt, gids, "extracellular", "mV", sections)


# --- functions ---------------------------------------------------------------------------------


def calculate_distances(source: np.ndarray, coords: np.ndarray) -> np.ndarray:
    """Rows of source id, id and um, source by source; of rows of id, x, y, z."""
    source, coords = np.asarray(source), np.asarray(coords)
    squares = ((source[:, None, axis] - coords[:, axis]) ** 2 for axis in (1, 2, 3))
    x2, y2, z2 = squares
    um = np.sqrt(x2 + y2 + z2)
    ids, gids = np.repeat(source[:, 0], len(coords)), np.tile(coords[:, 0], len(source))
    return np.column_stack((ids, gids, um.ravel()))


def relative_distance(
    distances: np.ndarray, boundary: float, filter_out_of_bounds: bool = False
) -> np.ndarray:
    """A copy of distances() with the last column as fractions of a boundary, um.

    Args:
        distances: rows of channel id, gid, um.
        boundary: um.
        filter_out_of_bounds: leaves out what is beyond it.
    """
    distances = np.array(distances)
    if filter_out_of_bounds:
        distances = distances[distances[:, -1] <= boundary]
    with np.errstate(invalid="ignore"):  # a radius of 0 hears what is at its place
        distances[:, -1] = np.nan_to_num(distances[:, -1] / boundary, nan=0.0)
    return distances


def calculate_cell_stimulus(
    electrode_stimulus: Any, cell_induction: Any, n_gids: int | None = None
) -> np.ndarray:
    """Channels' inputs as what comes of them at cells, [..., samples, columns].

    Args:
        electrode_stimulus: [..., samples, channels].
        cell_induction: rows of channel id, gid and gain; the channels in the order in which they
            first come.
        n_gids: rows a channel, each a column; None: a column for each gid, in their order.
    """
    inputs = checks.array(
        "electrode_stimulus", electrode_stimulus, dtype=_float_of(electrode_stimulus)
    )
    rows = checks.array("cell_induction", cell_induction, accepted="rows of channel id, gid, gain")
    if rows.ndim != 2 or rows.shape[1] != 3:
        accepted = "rows of channel id, gid, gain"
        raise invalid_field("cell_induction", f"shape {rows.shape}", accepted)
    ids, first, channels = np.unique(rows[:, 0], return_index=True, return_inverse=True)
    channels = np.argsort(np.argsort(first))[channels]
    if inputs.ndim < 2 or inputs.shape[-1] < len(ids):
        accepted = f"[..., samples, {len(ids)} or more]"
        raise invalid_field("electrode_stimulus", f"shape {inputs.shape}", accepted)
    if n_gids is None:
        gids, columns = np.unique(rows[:, 1], return_inverse=True)
        n_gids = len(gids)
    else:
        n_gids = checks.integer("n_gids", n_gids, "1 .. the rows of a channel", 1)
        if len(rows) % n_gids:
            accepted = f"a whole number of channels over {n_gids} rows"
            raise invalid_field("cell_induction", f"{len(rows)} rows", accepted)
        columns = np.arange(len(rows)) % n_gids
    gains = np.zeros((inputs.shape[-1], n_gids), inputs.dtype)
    gains[channels, columns] = rows[:, 2]
    return inputs @ gains


def electrode_array_coordinates(
    pitch: float = 1000,
    xs: int = 4,
    ys: int = 4,
    xoffset: float = 500,
    yoffset: float = 500,
    z: float = 175.0,
) -> np.ndarray:
    """A grid of xs by ys electrodes, x fastest, [xs * ys, 4]: rows of id, x, y, z (um)."""
    places = [[xoffset + x * pitch, yoffset + y * pitch, z] for y in range(ys) for x in range(xs)]
    return np.column_stack((np.arange(xs * ys), np.array(places, float).reshape(-1, 3)))


def electrode_array_coordinates_for_area(
    pitch: float, area: Sequence[Sequence[float]], z: float = 0
) -> np.ndarray:
    """The grid in the middle of an area whose sides have 2^n electrodes, as many as fit.

    Args:
        pitch: um.
        area: ((x_min, y_min), (x_max, y_max)).
        z: of the electrodes.
    """
    pitch = checks.number("pitch", pitch, "um above 0")
    if not 0 < pitch < math.inf:
        raise invalid_field("pitch", pitch, "um above 0")
    low, high = (checks.array("area", corner) for corner in area)
    counts = [max(1, int(extent // pitch) + 1) for extent in high - low]
    xs, ys = (1 << (count.bit_length() - 1) for count in counts)
    free_x, free_y = high - low - (np.array([xs, ys]) - 1) * pitch
    return electrode_array_coordinates(pitch, xs, ys, low[0] + free_x / 2, low[1] + free_y / 2, z)


# --- values ------------------------------------------------------------------------------------


def _positions(field: str, values: Any) -> np.ndarray:
    """[rows, 4] floats, in the precision they have, with whole ids."""
    rows = checks.array(field, values, dtype=_float_of(values), accepted=_POSITIONS)
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise invalid_field(field, f"shape {rows.shape}", _POSITIONS)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise invalid_field(f"{field}[{row}][{column}]", rows[row, column], "a finite number")
    ids = rows[:, 0]
    if (wrong := (ids != np.round(ids)) | (np.abs(ids) >= 2**31)).any():
        row = int(np.argmax(wrong))
        raise invalid_field(f"{field}[{row}][0]", f"{ids[row]:g}", "a whole number of 32 bits")
    return np.array(rows)


def _float_of(values: Any) -> type[np.floating]:
    return np.float32 if getattr(values, "dtype", None) == np.float32 else np.float64


def _radius(field: str, value: Any) -> float:
    accepted = "um from 0 on"
    number = checks.number(field, value, accepted)
    if not 0 <= number < math.inf:
        raise checks.wrong(field, value, accepted)
    return number


def _repeats(gids: np.ndarray) -> np.ndarray:
    """How often each gid has been there before."""
    seen: dict[int, int] = {}
    sections = np.empty(len(gids), np.int64)
    for row, gid in enumerate(gids.tolist()):
        sections[row] = seen.get(gid, 0)
        seen[gid] = sections[row] + 1
    return sections
