"""livn 2.0.0 as PyPI has it: its source distribution, and its generator of cultures.

The distribution has what the installed package lacks: the systems' configurations, morphologies
and tools. It is fetched once, into a cache folder, and never committed.
"""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

VERSION = "2.0.0"


@functools.cache
def livn_source() -> Path:
    """The unpacked source distribution."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livnd"
    folder = cache / f"livn-{VERSION}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--no-binary", "livn", "--dest", scratch, f"livn=={VERSION}"),
            ],
            check=True,
        )
        archive = f"{scratch}/livn-{VERSION}.tar.gz"
        subprocess.run(["tar", "-xzf", archive, "-C", scratch], check=True)
        made = Path(scratch) / f"livn-{VERSION}"
        try:
            made.rename(folder)
        except OSError:  # another process was first
            if not folder.is_dir():
                raise
    return folder


class Written:
    """What a generator would have written to NeuroH5, by file name."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], Any] = {}  # by (population, namespace)
        self.edges: dict[tuple[str, str], Any] = {}  # by (pre, post)

    def take_cells(self, population: str, namespace: str, cells: Any) -> None:
        """What write_cell_attributes was given."""
        self.cells[population, namespace] = cells

    def take_edges(self, pre: str, post: str, edges: Any) -> None:
        """What write_graph was given."""
        self.edges[pre, post] = edges


def generator(written: Written | None = None) -> types.ModuleType:
    """The module of livn that makes cultures on a plane.

    neuroh5 is on no registry, so that what the generator would write is kept in `written`, or
    dropped; machinable and mpi4py, of which it needs next to nothing, are stood in for, too.
    """
    import h5py

    def population_ranges(path: str, comm: object = None) -> tuple[dict, int]:
        with h5py.File(path) as file:
            table = file["H5Types/Populations"]
            labels = {n: name for name, n in h5py.check_enum_dtype(table.dtype[2]).items()}
            rows = table[:]
        ranges = {labels[int(row[2])]: (int(row[0]), int(row[1])) for row in rows}
        return ranges, sum(count for _, count in ranges.values())

    def write_cells(path: str, population: str, cells: Any, *, namespace: str, comm: Any) -> None:
        if written is not None:
            written.take_cells(population, namespace, cells)

    def write_edges(path: str, *, src_pop_name: str, dst_pop_name: str, edges: Any, comm: Any):
        if written is not None:
            written.take_edges(src_pop_name, dst_pop_name, edges)

    def unused(*_: object, **__: object) -> None:
        raise NotImplementedError("not needed to generate")

    class Interface:
        def __init__(self, **config: Any) -> None:
            self.config = self.Config(**config)  # type: ignore[attr-defined]

        def local_directory(self, *names: str) -> str:
            return os.path.join(self.config.output_directory, *names)

    stand_ins: dict[str, dict[str, Any]] = {
        "machinable": {"Interface": Interface},
        "machinable.config": {"to_dict": lambda config: config.model_dump()},
        "machinable.utils": {"save_file": lambda path, data: None},
        "mpi4py": {"MPI": types.SimpleNamespace(COMM_WORLD=None)},
        "neuroh5": {},
        "neuroh5.io": {
            "NeuroH5ProjectionGen": unused,
            "read_cell_attributes": unused,
            "read_population_names": unused,
            "read_population_ranges": population_ranges,
            "write_cell_attributes": write_cells,
            "write_graph": write_edges,
        },
    }
    before = {name: sys.modules.get(name) for name in stand_ins}
    for name, members in stand_ins.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module
    root = str(livn_source())
    sys.path.insert(0, root)
    try:
        sys.modules.pop("systems.generate_2d", None)
        # Its areas are found by this name, too, when it runs.
        return importlib.import_module("systems.generate_2d")
    finally:
        sys.path.remove(root)
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name)
            else:
                sys.modules[name] = module
