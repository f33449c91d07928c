"""livnd generate on livn's own settings of layers, beside the system that livn made of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from livn.system import System
from livn_source import livn_source

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
SHIPPED = ROOT / "tests/data/systems/S1"
POPULATIONS = ("EXC", "INH")


def generate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(LIVND), "generate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def made(*arguments: object) -> dict[str, Any]:
    done = generate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def livn_s1() -> Path:
    return livn_source() / "systems/config/S1.yml"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """S1.yml as it is; its shapes are found beside it."""
    folder = tmp_path_factory.mktemp("own") / "S1"
    told = made(livn_s1(), "--out", folder, "--threads", 2)
    assert told["populations"] == {"EXC": 7, "INH": 4}
    return folder


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the densities that MiV-Simulator gives, by which livn's S1 was made."""
    folder = tmp_path_factory.mktemp("last")
    config = folder / "config"
    config.mkdir()
    for name in ("_definitions.yml", "_synapses.yml", "_cell_types.yml"):
        (config / name).write_text((livn_s1().parent / name).read_text())
    (config / "S1.yml").write_text(livn_s1().read_text() + "density_of_layer: last\n")
    shapes = livn_source() / "systems/morphology"
    made(config / "S1.yml", "--out", folder / "S1", "--morphologies", shapes)
    return folder / "S1"


def values(system: Path, population: str, name: str) -> np.ndarray:
    with h5py.File(system / "cells.h5") as file:
        group = file[f"Populations/{population}/Synapse Attributes"]
        return group[name]["Attribute Value"][:].astype(np.int64)


def kinds(system: Path, population: str) -> Counter[tuple[int, ...]]:
    """Synapses by SWC type, layer and kind."""
    columns = [values(system, population, n) for n in ("swc_types", "syn_layers", "syn_types")]
    return Counter(zip(*(column.tolist() for column in columns), strict=True))


def edges(system: Path, post: str, pre: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sources and targets within their populations, and distances."""
    with h5py.File(system / "connections.h5") as file:
        group = file[f"Projections/{post}/{pre}"]
        pointer = group["Edges/Destination Pointer"][:].astype(np.int64)
        first = int(group["Edges/Destination Block Index"][0])
        targets = np.repeat(first + np.arange(len(pointer) - 1), np.diff(pointer))
        return group["Edges/Source Index"][:], targets, group["Connections/distance"][:]


def places(system: Path, population: str) -> np.ndarray:
    axes = ("X Coordinate", "Y Coordinate", "Z Coordinate")
    with h5py.File(system / "cells.h5") as file:
        group = file[f"Populations/{population}/Generated Coordinates"]
        return np.stack([group[axis]["Attribute Value"][:] for axis in axes], 1).astype(float)


def test_synapses_are_as_many_as_livns_of_each_kind(last: Path) -> None:
    """Within a tenth and five deviations; of all together within a twentieth."""
    for population in POPULATIONS:
        found, expected = kinds(last, population), kinds(SHIPPED, population)
        assert found.keys() == expected.keys()
        for kind, count in expected.items():
            assert abs(found[kind] - count) < 0.1 * count + 5 * np.sqrt(count) + 5, kind
        assert found.total() == pytest.approx(expected.total(), rel=0.05)


def test_connections_are_as_many_as_livns(last: Path) -> None:
    for post in POPULATIONS:
        for pre in POPULATIONS:
            found, expected = edges(last, post, pre), edges(SHIPPED, post, pre)
            assert len(found[0]) == pytest.approx(len(expected[0]), rel=0.1)
            degrees = np.bincount(found[1]), np.bincount(expected[1])
            assert degrees[0].shape == degrees[1].shape
            np.testing.assert_allclose(degrees[0], degrees[1].mean(), rtol=0.2)


def test_sources_and_distances_follow_livns_rule(last: Path) -> None:
    """In both: the distance is |dx| + |dy|, and axons of a millimetre choose evenly in 40 um."""
    for system in (last, SHIPPED):
        for post in POPULATIONS:
            for pre in POPULATIONS:
                sources, targets, distances = edges(system, post, pre)
                apart = np.abs(places(system, pre)[sources] - places(system, post)[targets])
                np.testing.assert_allclose(distances, apart[:, 0] + apart[:, 1], atol=1e-4)
                shares = np.bincount(sources) / len(sources)
                np.testing.assert_allclose(shares, 1 / len(shares), rtol=0.15)


def test_each_layer_has_its_own_density_unless_told(own: Path) -> None:
    """The lengths of the apical dendrites in each layer, and the densities of the settings."""
    found = kinds(own, "EXC")
    for layer, length_um, density in ((8, 1531.3, 3.52), (9, 4638.6, 0.90)):
        assert found[4, layer, 0] == pytest.approx(7 * length_um * density, rel=0.06)
    assert found[3, 5, 0] == pytest.approx(7 * 3272.2 * 3.08, rel=0.03)


def test_cells_are_in_their_layers(own: Path) -> None:
    depth = places(own, "EXC")[:, 2]
    assert depth.min() >= 10 and depth.max() <= 15
    depth = np.sort(places(own, "INH")[:, 2])
    assert depth[0] <= 10 and 10 <= depth[1] <= depth[2] <= 15 <= depth[3] <= 35


def test_a_larger_plane_changes_distances_and_no_degrees(own: Path, tmp_path: Path) -> None:
    """S2: 80 and 20 cells on 400 x 400 um. Axons, of 167 um deviation, choose the nearer ones."""
    told = made(livn_s1().with_name("S2.yml"), "--out", tmp_path / "S2")
    assert told["populations"] == {"EXC": 80, "INH": 20}
    for post in POPULATIONS:
        for pre in POPULATIONS:
            projection = told["projections"][f"{pre}->{post}"]
            _, targets, _ = edges(own, post, pre)
            degree = len(targets) / len(np.unique(targets))
            assert projection["mean_in_degree"] == pytest.approx(degree, rel=0.05)
            # Two even coordinates are 2 / 3 * 400 um apart on average.
            assert 120 < projection["mean_distance_um"] < 266


def test_livn_and_livnd_read_it(own: Path) -> None:
    system = System(str(own))
    assert system.num_neurons == 11
    assert list(system.populations) == list(POPULATIONS)
    assert sorted(system.weight_names) == sorted(System(str(SHIPPED)).weight_names)
    inspected = subprocess.run([LIVND, "inspect", own, "--json"], capture_output=True, text=True)
    assert json.loads(inspected.stdout)["num_neurons"] == 11
    assert system.summary()["num_projections"] == sum(
        len(edges(own, post, pre)[0]) for post in POPULATIONS for pre in POPULATIONS
    )


def test_the_same_bytes_from_the_provenance_on_any_threads(own: Path, tmp_path: Path) -> None:
    made(own / "provenance.json", "--out", tmp_path / "again", "--threads", 1)
    for name in ("cells.h5", "connections.h5", "graph.json", "provenance.json"):
        assert (own / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_comments_in_shapes_may_be_no_utf_8(own: Path, tmp_path: Path) -> None:
    """Morphologies of old are Latin-1; what comments say makes no cell another."""
    shapes = tmp_path / "shapes"
    shutil.copytree(livn_source() / "systems/morphology", shapes)
    shape = shapes / "EXC.swc"
    shape.write_bytes(b"# caf\xe9\n" + shape.read_bytes())
    made(livn_s1(), "--out", tmp_path / "S1", "--morphologies", shapes)
    assert (own / "cells.h5").read_bytes() == (tmp_path / "S1/cells.h5").read_bytes()


def test_refuses_by_file_and_key(tmp_path: Path) -> None:
    config = tmp_path / "S1.yml"
    text = livn_s1().read_text()
    for name in ("_definitions.yml", "_synapses.yml", "_cell_types.yml"):
        (tmp_path / name).write_text((livn_s1().parent / name).read_text())
    config.write_text(text)
    done = generate(config, "--out", tmp_path / "made")
    assert done.returncode == 1
    assert "morphology/EXC.swc is No such file" in done.stderr
    config.write_text(text.replace("Axon Extent", "Axon Extents"))
    done = generate(config, "--out", tmp_path / "made")
    assert f"{config}: Connection Generator.Axon Extents is an unknown name" in done.stderr
    (tmp_path / "flat.yml").write_text("{total_cells: 5, connectivity: {mean_degree: 1}}")
    done = generate(tmp_path / "flat.yml", "--out", tmp_path / "made", "--morphologies", tmp_path)
    assert "nothing but for settings of layers" in done.stderr
    assert not (tmp_path / "made").exists()
