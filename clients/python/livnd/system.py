"""Systems without a server: cells, connections and electrodes from a folder.

    system = livnd.system.make("S1")
    system.uri, system.neuron_coordinates

The names and numbers are those of livn 2.0.0's system.py. The files are read with h5py, an extra of
this package, when something of them is asked for.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from livnd import checks, neuroh5
from livnd.errors import bad_file, invalid_field
from livnd.io import MEA

_GRAPH_VERSION = 1  # the newest that is understood


class System:
    """A system of this machine.

    Args:
        uri: its folder: graph.json, cells.h5 and connections.h5, or both in graph.h5.

    Raises:
        FileNotFoundError: it has no graph.json.
        BadFileError: what is in it is no system.
    """

    def __init__(self, uri: str | os.PathLike[str]) -> None:
        self.uri = os.fspath(uri)
        self._folder = Path(self.uri)
        graph_file = self._folder / "graph.json"
        try:
            graph = json.loads(graph_file.read_bytes())
        except ValueError as error:
            raise bad_file(graph_file, "", f"no JSON ({error})", "a JSON object") from None
        architecture = graph.get("architecture") if isinstance(graph, dict) else None
        config = architecture.get("config") if isinstance(architecture, dict) else None
        if not isinstance(config, dict):
            raise bad_file(graph_file, "architecture.config", "missing", "an object")
        version = graph.get("version", 0)
        if not isinstance(version, int) or version > _GRAPH_VERSION:
            raise bad_file(graph_file, "version", version, f"up to {_GRAPH_VERSION}")
        self._namespace = str(config.get("coordinate_namespace", "Generated Coordinates"))

    @property
    def name(self) -> str:
        return Path(os.path.abspath(self.uri)).name

    @cached_property
    def population_ranges(self) -> dict[str, tuple[int, int]]:
        """First gid and number of cells of each population that has cells, in the order of gids."""
        with neuroh5.open_file(self._file("cells.h5")) as file:
            ranges = file.population_ranges()
        return {name: cells for name, cells in ranges.items() if cells[1]}

    @property
    def populations(self) -> list[str]:
        return list(self.population_ranges)

    @property
    def num_neurons(self) -> int:
        return sum(self.population_count(name) for name in self.populations)

    def population_count(self, population: str) -> int:
        """Number of a population's cells."""
        return self.population_ranges[self._checked("population", population)][1]

    @cached_property
    def neuron_coordinates(self) -> np.ndarray:
        """Gid, x, y and z (um) of each cell's soma, float64 [cells, 4], in the order of gids."""
        return np.concatenate([self.coordinate_array(name) for name in self.populations])

    def coordinate_array(self, population: str) -> np.ndarray:
        """The rows of neuron_coordinates of one population."""
        first, count = self.population_ranges[self._checked("population", population)]
        with neuroh5.open_file(self._file("cells.h5")) as file:
            return file.coordinates(population, first, count, self._namespace)

    @property
    def gids(self) -> np.ndarray:
        """Of all cells, int64."""
        return self.neuron_coordinates[:, 0].astype(np.int64)

    @property
    def bounding_box(self) -> np.ndarray:
        """The lowest and the highest x, y, z of a soma, um, [2, 3]."""
        places = self.neuron_coordinates[:, 1:]
        return np.stack([places.min(axis=0), places.max(axis=0)])

    @property
    def center_point(self) -> np.ndarray:
        """The middle of the bounding box, um, [3]."""
        return self.bounding_box.mean(axis=0)

    def projections(self) -> list[tuple[str, str]]:
        """(pre, post) of each pair of populations with connections."""
        path = self._file("connections.h5")
        with neuroh5.open_file(path) as file:
            return file.projections()

    def edges(self, pre: str, post: str) -> neuroh5.Edges:
        """The connections between two populations."""
        pair = (self._checked("pre", pre), self._checked("post", post))
        if pair not in self.projections():
            known = ", ".join(" to ".join(known) for known in self.projections())
            raise invalid_field("pre, post", f"{pre} to {post}", known or "no connections")
        with neuroh5.open_file(self._file("connections.h5")) as file:
            return file.edges(pre, post, self.population_ranges)

    def default_io(self) -> MEA:
        """Its electrode array; FileNotFoundError where it has none."""
        return MEA.from_directory(self.uri)

    def __fspath__(self) -> str:
        """Its folder: a system can be given where a path is taken."""
        return self.uri

    def __repr__(self) -> str:
        return f"System({self.uri!r})"

    def _file(self, name: str) -> Path:
        path = self._folder / name
        together = self._folder / "graph.h5"
        return together if not path.exists() and together.exists() else path

    def _checked(self, field: str, population: Any) -> str:
        return checks.choice(field, population, self.populations)


def make(name: str | os.PathLike[str] = "EI") -> System:
    """A system by its name or folder. Nothing is fetched from a network.

    It is looked for as a folder of that name, in ./systems/graphs, where livn puts what it fetches,
    in LIVND_SYSTEMS, and among the systems that come with the package or the checkout.

    Raises:
        FileNotFoundError: there is none; the message lists the places.
    """
    name = os.fspath(name)
    places = [Path(name), Path("systems/graphs") / name]
    if given := os.environ.get("LIVND_SYSTEMS"):
        places.append(Path(given) / name)
    package = Path(__file__).resolve().parent
    places += [parent / "systems" / name for parent in (package, *package.parents)]
    for place in places:
        if (place / "graph.json").is_file():
            return System(str(place))
    looked = ", ".join(str(place.parent / name) for place in places[: 3 if given else 2])
    raise FileNotFoundError(
        f"no system {name!r}: no graph.json in {looked}, nor among the systems that come with livnd"
    )
