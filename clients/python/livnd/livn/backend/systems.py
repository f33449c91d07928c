"""On which server a livn system is simulated, and under which name.

With LIVND_ADDRESS it is the server there, which must have a system of that name with the same cells
and connections. LIVND_ADDRESSES_FILE and LIVND_ADDRESSES tell several, of which each process takes
one. Without them it is a server of this process's own, which is started on the system's folder. Of
a ParallelSystem, which lies in none, a folder is made.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from livnd import ranks
from livnd.client import Client
from livnd.errors import invalid_field
from livnd.fleet.places import places as fleet_places
from livnd.livn.backend import parallel

# Of a system: what its cells and connections are read from.
_GRAPH_FILES = ("graph.json", "cells.h5", "connections.h5", "graph.h5")

_lock = threading.Lock()
_folders: dict[Any, Path] = {}  # by what a system is made of: a folder that holds it alone


def connect(system: Any) -> tuple[Client, str]:
    """A client of the server that has a system, and the system's name there.

    Args:
        system: a livn system.

    Raises:
        InvalidFieldError: it lies in no folder, or the server at the address has another one of
            that name.
        UnknownSystemError: the server at the address has none of that name.
        BadFileError: of a file of addresses.
        ServerUnavailableError, ServerStartError.
    """
    address = os.environ.get("LIVND_ADDRESS")
    places = [] if address else fleet_places()
    if address:
        client = Client(address)
    elif places:
        number = ranks.rank()
        place = places[(os.getpid() if number is None else number) % len(places)]
        client = Client(place.address, find_address=place.now if place.file else None)
    else:
        folder, name = _own_folder(system)
        return Client(systems=folder), name
    try:
        name = str(system.name)
        _check_same(client, system, name)
        return client, name
    except BaseException:
        client.close()
        raise


def _own_folder(system: Any) -> tuple[Path, str]:
    """A folder of systems in which the given one is the only one, and its name there."""
    if parallel.is_parallel(system):
        return _parallel_folder(system), "parallel"
    uri = getattr(system, "uri", None)
    if not isinstance(uri, (str, os.PathLike)):
        raise invalid_field("system", repr(system), "a system that lies in a folder")
    where = Path(system.local_directory() if hasattr(system, "local_directory") else uri).resolve()
    if not (where / "graph.json").is_file():
        raise invalid_field("system", os.fspath(uri), "a folder with a graph.json")
    name = re.sub(r"[^A-Za-z0-9_-]", "-", where.name) or "system"
    # A system that is made anew in the same place is another one.
    files = [where / file for file in _GRAPH_FILES]
    state = tuple((f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.exists())
    with _lock:
        key = (os.getpid(), where, state)
        if key not in _folders or not _folders[key].is_dir():
            folder = Path(tempfile.mkdtemp(prefix="livnd-systems-"))
            (folder / name).symlink_to(where, target_is_directory=True)
            _folders[key] = folder
        return _folders[key], name


def _parallel_folder(system: Any) -> Path:
    with _lock:
        key = (os.getpid(), parallel.key_of(system))
        if key not in _folders or not _folders[key].is_dir():
            folder = Path(tempfile.mkdtemp(prefix="livnd-systems-"))
            try:
                parallel.write_folder(system, folder / "parallel")
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            _folders[key] = folder
        return _folders[key]


def _remove_folders() -> None:
    for (pid, *_), folder in list(_folders.items()):
        if pid == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)


atexit.register(_remove_folders)


def _check_same(client: Client, system: Any, name: str) -> None:
    """InvalidFieldError where the server's system has other cells than the program's."""
    theirs = client.system(name)
    ranges = {p: (int(r[0]), int(r[1])) for p, r in system.population_ranges.items()}
    served = {p.name: (int(p.first_gid), int(p.num_cells)) for p in theirs.populations}
    somata = np.asarray(system.neuron_coordinates, dtype=float)
    somata = somata[np.argsort(somata[:, 0], kind="stable"), 1:]
    same = {p: r for p, r in ranges.items() if r[1]} == {p: r for p, r in served.items() if r[1]}
    if not same or not np.array_equal(somata, theirs.positions_um):
        raise invalid_field(
            "system",
            f"{name} of {sorted(ranges.items())}",
            f"the cells of the server's system of that name: {sorted(served.items())}, at the same "
            "places",
        )
