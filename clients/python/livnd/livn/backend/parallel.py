"""livn's ParallelSystem, cells that are not connected, as a folder that a server can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.errors import invalid_field

# A server holds a cell for every number below the highest gid.
_MAX_GID = 1_000_000
_NAMESPACE = "Generated Coordinates"


def is_parallel(system: Any) -> bool:
    """Whether a livn system is one of unconnected cells, which lies in no folder."""
    from livn.system import ParallelSystem

    return isinstance(system, ParallelSystem)


def key_of(system: Any) -> tuple[Any, ...]:
    """Equal for systems that are the same to a server."""
    return tuple((name, cells.tobytes()) for name, cells in _cells_of(system).items())


def gids_of(system: Any) -> dict[str, list[int]]:
    """The cells of each population, ascending."""
    return {name: sorted(map(int, cells[:, 0])) for name, cells in _cells_of(system).items()}


def write_folder(system: Any, folder: Path) -> None:
    """Writes graph.json, cells.h5 and connections.h5.

    A ParallelSystem's gids may be any, and those of a folder run from 0: what lies between two gids
    becomes cells at 0 um that nobody selects.

    Raises:
        InvalidFieldError: gids that no folder can have.
        MissingExtraError: h5py is not installed.
    """
    cells_of = _cells_of(system)
    ranges: dict[str, tuple[int, int]] = {}
    start = 0
    for name, cells in sorted(cells_of.items(), key=lambda item: item[1][:, 0].min()):
        low, high = int(cells[:, 0].min()), int(cells[:, 0].max())
        if low < start or high > _MAX_GID:
            raise invalid_field(
                "system",
                f"{name} with gids {low} .. {high}",
                f"gids from {start} to {_MAX_GID}, one population after the other",
            )
        ranges[name] = (start, high + 1 - start)
        start = high + 1
    folder.mkdir()
    _write_graph(folder / "graph.json", ranges)
    h5py = extras.load("h5py", "data", "A ParallelSystem")
    labels = {name: 10 + i for i, name in enumerate(ranges)}
    for file_name in ("cells.h5", "connections.h5"):
        with h5py.File(folder / file_name, "w") as file:
            _write_types(h5py, file, labels, ranges)
            if file_name == "connections.h5":
                file.create_group("Projections")
                continue
            for name, (first, count) in ranges.items():
                places = np.zeros((count, 3), np.float32)
                cells = cells_of[name]
                places[cells[:, 0].astype(int) - first] = cells[:, 1:4]
                group = file.create_group(f"Populations/{name}/{_NAMESPACE}")
                for axis, values in zip("XYZ", places.T, strict=True):
                    attribute = group.create_group(f"{axis} Coordinate")
                    attribute["Attribute Pointer"] = np.arange(count + 1, dtype=np.uint64)
                    attribute["Attribute Value"] = values
                    attribute["Cell Index"] = np.arange(count, dtype=np.uint32)


def _cells_of(system: Any) -> dict[str, np.ndarray]:
    """Rows of gid, x, y, z of the populations that have cells."""
    cells = {str(p): np.asarray(system.coordinate_array(p), float) for p in system.populations}
    return {name: rows for name, rows in cells.items() if len(rows)}


def _write_types(h5py: Any, file: Any, labels: dict[str, int], ranges: dict[str, Any]) -> None:
    """What NeuroH5 files begin with: the populations, their numbers and their gids."""
    types = file.create_group("H5Types")
    label = h5py.enum_dtype(labels, basetype=np.uint16)
    types["Population labels"] = label
    row = np.dtype([("Start", np.uint64), ("Count", np.uint32), ("Population", label)])
    rows = [(first, count, labels[name]) for name, (first, count) in ranges.items()]
    types["Populations"] = np.array(rows, dtype=row)


def _write_graph(path: Path, ranges: dict[str, tuple[int, int]]) -> None:
    connections = {
        "coordinates_namespace": _NAMESPACE,
        "connectivity_namespace": "Connections",
        "synapses_namespace": "Synapse Attributes",
        "population_definitions": {name: 10 + i for i, name in enumerate(ranges)},
        "synapses": {name: {} for name in ranges},
    }
    graph = {
        "architecture": {
            "config": {
                "coordinate_namespace": _NAMESPACE,
                "cell_counts": {name: count for name, (_, count) in ranges.items()},
            }
        },
        "connections": {"parallel": {"config": connections}},
    }
    path.write_text(json.dumps(graph))
