"""livnd.system reads what livn 2.0.0 and the NeuroH5 library read in a system's files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import h5py
import livnd.system
import numpy as np
import pytest
from livnd.errors import BadFileError, InvalidFieldError
from livnd.io import MEA
from livnd.system import System

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = [
    *(f"systems/{name}" for name in ("EI-mini", "EI-100", "S1-MEA4")),
    *(f"tests/data/systems/{name}" for name in ("E-100", "EI-alt", "EI-blocks", "S1")),
]


def sha256(lines: list[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_reads_what_neuroh5_reads(folder: str):
    """truth.json has the digests of what the NeuroH5 library found."""
    system = System(ROOT / folder)
    truth = json.loads((ROOT / folder / "truth.json").read_text())
    assert system.name == Path(folder).name
    assert system.num_neurons == truth["num_neurons"] == len(system.gids)
    for name in system.populations:
        rows = system.coordinate_array(name).tolist()
        lines = [f"{int(gid)},{x:.6f},{y:.6f},{z:.6f}\n" for gid, x, y, z in rows]
        assert sha256(lines) == truth["coordinates"][name]["sha256"]
    stored = {f"{pre}->{post}" for pre, post in system.projections()}
    assert stored == set(truth["projections"])
    for pre, post in system.projections():
        edges = system.edges(pre, post)
        order = np.lexsort((edges.distance_um, edges.source_gids, edges.target_gids))
        lines = [
            f"{source},{target},{distance:.6f}\n"
            for source, target, distance in zip(
                edges.source_gids[order].tolist(),
                edges.target_gids[order].tolist(),
                edges.distance_um[order].tolist(),
                strict=True,
            )
        ]
        assert sha256(lines) == truth["projections"][f"{pre}->{post}"]["edges_sha256"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_and_numbers_are_livns(folder: str):
    from livn.system import System as LivnSystem

    ours = System(str(ROOT / folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an older graph
        theirs = LivnSystem(str(ROOT / folder))
    assert (ours.uri, ours.name) == (theirs.uri, theirs.name)
    assert ours.populations == theirs.populations
    assert ours.num_neurons == theirs.num_neurons
    ranges = {name: tuple(cells) for name, cells in theirs.population_ranges.items()}
    assert {name: ours.population_ranges[name] for name in ranges} == ranges
    np.testing.assert_array_equal(ours.neuron_coordinates, theirs.neuron_coordinates)
    np.testing.assert_array_equal(ours.gids, theirs.gids)
    mea = theirs.default_io()
    np.testing.assert_array_equal(
        ours.default_io().electrode_coordinates, mea.electrode_coordinates
    )
    assert ours.default_io().output_radius == mea.output_radius


def test_the_middle_lies_between_the_cells():
    """Not livn's half extent, which is a point only where a system begins at 0."""
    system = System(ROOT / "systems/EI-mini")
    low, high = system.bounding_box
    np.testing.assert_array_equal(low, system.neuron_coordinates[:, 1:].min(axis=0))
    np.testing.assert_allclose(system.center_point, (low + high) / 2)


def test_a_system_is_taken_for_its_folder():
    system = System(ROOT / "systems/EI-mini")
    assert os.fspath(system) == system.uri
    assert MEA.from_directory(system).as_json() == system.default_io().as_json()
    assert livnd.system.make(system).uri == system.uri


def test_make_looks_in_the_folders_that_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIVND_SYSTEMS", raising=False)
    assert livnd.system.make("EI-mini").num_neurons == 10
    with pytest.raises(FileNotFoundError, match="no system 'mine'"):
        livnd.system.make("mine")
    source = ROOT / "systems/EI-mini"
    shutil.copytree(source, tmp_path / "others/mine")
    monkeypatch.setenv("LIVND_SYSTEMS", str(tmp_path / "others"))
    assert livnd.system.make("mine").uri == str(tmp_path / "others/mine")
    shutil.copytree(source, tmp_path / "systems/graphs/mine")
    assert livnd.system.make("mine").uri == "systems/graphs/mine"
    shutil.copytree(source, tmp_path / "mine")
    assert livnd.system.make("mine").uri == "mine"
    assert livnd.system.make(tmp_path / "others/mine").name == "mine"


def test_populations_are_told_where_another_is_asked_for():
    system = System(ROOT / "systems/EI-mini")
    for call in (
        lambda: system.population_count("PYR"),
        lambda: system.coordinate_array("PYR"),
        lambda: system.edges("PYR", "EXC"),
    ):
        with pytest.raises(InvalidFieldError, match="EXC, INH"):
            call()
    with pytest.raises(InvalidFieldError, match="INH to INH"):
        system.edges("INH", "INH")


# --- damaged files -------------------------------------------------------------------------------

X = "Populations/EXC/Generated Coordinates/X Coordinate"
EDGES = "Projections/EXC/EXC/Edges"


def put(name: str, index: int, value: float):
    def change(file):
        data = file[name][:]
        data[index] = value
        file[name][...] = data

    return change


def replace(name: str, make):
    def change(file):
        data = file[name][:]
        del file[name]
        if (made := make(data)) is not None:
            file[name] = made

    return change


DAMAGES = {
    "NaN in a place": ("cells.h5", put(f"{X}/Attribute Value", 3, np.nan), "Attribute Value[3]"),
    "a cell twice": ("cells.h5", put(f"{X}/Cell Index", 3, 2), "Cell Index"),
    "a cell of nobody": ("cells.h5", put(f"{X}/Cell Index", 3, 8), "Cell Index"),
    "a pointer that falls": ("cells.h5", put(f"{X}/Attribute Pointer", 3, 9), "Attribute Pointer"),
    "an axis is missing": ("cells.h5", replace(f"{X}/Attribute Value", lambda _: None), X),
    "text for places": (
        "cells.h5",
        replace(f"{X}/Attribute Value", lambda d: np.full(len(d), b"x")),
        "Attribute Value",
    ),
    "a place with two axes": (
        "cells.h5",
        replace(f"{X}/Attribute Value", lambda d: d[:, None]),
        "Attribute Value",
    ),
    "no populations": ("cells.h5", replace("H5Types/Populations", lambda _: None), "Populations"),
    "a gap between populations": (
        "cells.h5",
        replace("H5Types/Populations", lambda d: np.array([(0, 7, 10), (8, 2, 11)], d.dtype)),
        "H5Types/Populations",
    ),
    "a source of nobody": ("connections.h5", put(f"{EDGES}/Source Index", 0, 8), "Source Index"),
    "a block that ends early": (
        "connections.h5",
        put(f"{EDGES}/Destination Block Pointer", 1, 5),
        "Destination Block Pointer",
    ),
    "a block of nobody": (
        "connections.h5",
        put(f"{EDGES}/Destination Block Index", 0, 7),
        "Destination Pointer",
    ),
    "edges without a target": (
        "connections.h5",
        put(f"{EDGES}/Destination Pointer", 8, 27),
        "Destination Pointer",
    ),
    "a distance that is none": (
        "connections.h5",
        put("Projections/EXC/EXC/Connections/distance", 5, np.inf),
        "distance[5]",
    ),
    "fewer distances": (
        "connections.h5",
        replace("Projections/EXC/EXC/Connections/distance", lambda d: d[1:]),
        "distance",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told_by_file_and_place(tmp_path, name):
    file_name, change, field = DAMAGES[name]
    shutil.copytree(ROOT / "systems/EI-mini", tmp_path / "mini")
    path = tmp_path / "mini" / file_name
    with h5py.File(path, "r+") as file:
        change(file)
    system = System(tmp_path / "mini")
    with pytest.raises(BadFileError) as raised:
        if file_name == "cells.h5":
            _ = system.neuron_coordinates
        else:
            system.edges("EXC", "EXC")
    assert raised.value.file == str(path)
    assert field in raised.value.field
    assert raised.value.accepted


def test_files_that_are_cut_short_or_something_else(tmp_path):
    whole = ROOT / "systems/EI-100"
    for length in (0, 5, 100, 20_000, 200_000):
        folder = tmp_path / str(length)
        shutil.copytree(whole, folder)
        data = (whole / "cells.h5").read_bytes()
        (folder / "cells.h5").write_bytes(data[:length])
        with pytest.raises(BadFileError, match=r"cells\.h5"):
            _ = System(folder).neuron_coordinates
    (tmp_path / "0/graph.json").write_text("{")
    with pytest.raises(BadFileError, match=r"graph\.json"):
        System(tmp_path / "0")
    (tmp_path / "0/graph.json").write_text('{"architecture": []}')
    with pytest.raises(BadFileError, match=r"architecture\.config"):
        System(tmp_path / "0")
    (tmp_path / "0/graph.json").write_text('{"architecture": {"config": {}}, "version": 2}')
    with pytest.raises(BadFileError, match="version is 2"):
        System(tmp_path / "0")
    with pytest.raises(FileNotFoundError):
        System(tmp_path / "nowhere")
    (tmp_path / "100/cells.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"cells\.h5"):
        _ = System(tmp_path / "100").neuron_coordinates


READ = ("Coordinate", "Edges", "Connections", "H5Types/Populations")


def change_some_bytes(path: Path, rng: np.random.Generator) -> None:
    """Of one data set that is read."""
    with h5py.File(path, "r+") as file:
        found: list[h5py.Dataset] = []

        def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset) and any(part in name for part in READ):
                found.append(item)

        file.visititems(visit)
        chosen = found[rng.integers(len(found))]
        raw = bytearray(chosen[:].tobytes())
        for _ in range(rng.integers(1, 4)):
            raw[rng.integers(len(raw))] = rng.choice([0, 1, 127, 128, 255])
        chosen[...] = np.frombuffer(bytes(raw), chosen.dtype)


def test_any_value_gives_an_error_or_finite_numbers(tmp_path):
    rng = np.random.default_rng(5)
    folder = tmp_path / "mini"
    shutil.copytree(ROOT / "systems/EI-mini", folder)
    whole = {name: (folder / name).read_bytes() for name in ("cells.h5", "connections.h5")}
    refused = 0
    for draw in range(300):
        name = tuple(whole)[draw % 2]
        change_some_bytes(folder / name, rng)
        try:
            system = System(folder)
            assert np.isfinite(system.neuron_coordinates).all()
            for pre, post in system.projections():
                edges = system.edges(pre, post)
                assert np.isfinite(edges.distance_um).all()
                assert np.isin(edges.source_gids, system.gids).all()
                assert np.isin(edges.target_gids, system.gids).all()
        except BadFileError as error:
            assert error.file.startswith(str(folder))
            refused += 1
        (folder / name).write_bytes(whole[name])
    assert 50 < refused < 300
