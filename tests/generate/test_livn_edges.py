"""livnd generate makes livn's very cells and connections, from the settings to the files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from livn_source import Written, generator

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
Edges = dict[tuple[str, str], np.ndarray]  # by (pre, post): rows of source, target, um, site

# Made by livn before 2.0.0, which wrote beside them what they were made of.
SHIPPED = [
    "systems/EI-mini",
    "systems/EI-100",
    "tests/data/systems/E-100",
    "tests/data/systems/EI-alt",
]


def generate(config: Path, out: Path, *flags: str) -> Path:
    command = [LIVND, "generate", config, "--out", out, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return out


def starts(path: Path) -> dict[str, int]:
    """The first gid of each population."""
    with h5py.File(path) as file:
        table = file["H5Types/Populations"]
        names = {n: name for name, n in h5py.check_enum_dtype(table.dtype[2]).items()}
        return {names[int(row[2])]: int(row[0]) for row in table[:]}


def edges_of(system: Path) -> Edges:
    """What connections.h5 says, whatever its blocks; targets ascending, sources as stored."""
    first = starts(system / "connections.h5")
    found: Edges = {}
    with h5py.File(system / "connections.h5") as file:
        for post, inputs in file["Projections"].items():
            for pre, group in inputs.items():
                edges = {name: data[:].astype(np.int64) for name, data in group["Edges"].items()}
                pointer = edges["Destination Pointer"]
                targets = []
                blocks = edges["Destination Block Pointer"]
                for b, begin in enumerate(edges["Destination Block Index"]):
                    last = b + 1 == len(edges["Destination Block Index"])
                    end = len(pointer) - 1 if last else blocks[b + 1]
                    counts = np.diff(pointer[blocks[b] : end + 1])
                    targets.append(np.repeat(begin + np.arange(len(counts)), counts))
                rows = [
                    edges["Source Index"] + first[pre],
                    np.concatenate(targets) + first[post],
                    next(iter(group["Connections"].values()))[:],
                    next(iter(group["Synapses"].values()))[:],
                ]
                table = np.stack([np.asarray(row, np.float64) for row in rows], axis=1)
                found[pre, post] = table[np.argsort(table[:, 1], kind="stable")]
    return found


def places_of(system: Path) -> dict[str, np.ndarray]:
    axes = ("X Coordinate", "Y Coordinate", "Z Coordinate")
    with h5py.File(system / "cells.h5") as file:
        return {
            name: np.stack(
                [cells["Generated Coordinates"][axis]["Attribute Value"][:] for axis in axes], 1
            )
            for name, cells in file["Populations"].items()
        }


def expect_same(found: Edges, expected: Edges) -> None:
    assert found.keys() == expected.keys()
    for projection, rows in expected.items():
        np.testing.assert_array_equal(found[projection], rows, str(projection))


@pytest.mark.parametrize("name", SHIPPED)
def test_rng_numpy_makes_shipped_systems_again(name: str, tmp_path: Path) -> None:
    shipped = ROOT / name
    settings = json.loads((shipped / "provenance.json").read_text())["config"]
    settings = {key: value for key, value in settings.items() if not key.startswith("_")}
    settings.pop("output_directory")
    config = tmp_path / "culture.yml"
    config.write_text(yaml.safe_dump({**settings, "rng": "numpy"}))
    made = generate(config, tmp_path / "made")
    expect_same(edges_of(made), edges_of(shipped))
    expected = places_of(shipped)
    for population, places in places_of(made).items():
        np.testing.assert_array_equal(places, expected[population])
    # So does what livn wrote down itself.
    again = generate(shipped / "provenance.json", tmp_path / "again")
    expect_same(edges_of(again), edges_of(shipped))
    other = generate(config, tmp_path / "other", "--seed", "99")
    assert any(
        rows.shape != edges_of(shipped)[projection].shape
        or not np.array_equal(rows, edges_of(shipped)[projection])
        for projection, rows in edges_of(other).items()
    )


RECTANGLE = {"x_range": [-50.0, 750.0], "y_range": [0.0, 600.5]}
SETTINGS: list[dict[str, Any]] = [
    {
        "populations": {
            "EXC": {"count": 120},
            "INH": {"count": 40, "synapse_type": "inhibitory"},
        },
        "connectivity": {
            "sigma": 250.0,
            "mean_degree": {"EXC->EXC": 9.0, "EXC->INH": 4.0, "INH->EXC": 6.0},
        },
        "random_seed": 5,
    },
    {  # another kernel, depth and margin; weak pairs are never connected
        "populations": {
            "EXC": {"ratio": 0.7, "transmitter": "cholinergic"},
            "INH": {"ratio": 0.3, "synapse_type": "inhibitory", "transmitter": "glycinergic"},
        },
        "total_cells": 211,
        "margin": 80.0,
        "z_range": [3.0, 3.0],
        "connectivity": {
            "kernel": "gaussian",
            "sigma": 180.0,
            "mean_degree": 7.5,
            "cutoff": 0.02,
            "allow_self_connections": True,
        },
        "random_seed": 77,
    },
    {  # one projection comes out empty and gets its most probable pair
        "populations": {"EXC": {"count": 3}, "INH": {"count": 2, "synapse_type": "inhibitory"}},
        "connectivity": {"sigma": 100.0, "mean_degree": {"EXC->INH": 1e-6, "INH->EXC": 0.5}},
        "random_seed": 1,
    },
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_rng_livn_makes_what_livn_makes(settings: dict[str, Any], tmp_path: Path) -> None:
    settings = {"area_kwargs": RECTANGLE, **settings}
    written = Written()
    (tmp_path / "livn").mkdir()
    generator(written).Generate2DSystem(**settings, output_directory=str(tmp_path / "livn"))()
    config = tmp_path / "culture.yml"
    config.write_text(yaml.safe_dump({**settings, "rng": "livn"}))
    made = generate(config, tmp_path / "made")

    expected: Edges = {}
    for projection, edges in written.edges.items():
        rows = [
            np.stack(
                [
                    sources.astype(np.float64),
                    np.full(len(sources), target),
                    attributes["Connections"]["distance"],
                    attributes["Synapses"]["syn_id"],
                ],
                axis=1,
            )
            for target, (sources, attributes) in sorted(edges.items())
        ]
        expected[projection] = np.concatenate(rows)
    assert expected
    expect_same(edges_of(made), expected)

    first = starts(made / "cells.h5")
    for population, places in places_of(made).items():
        cells = written.cells[population, "Generated Coordinates"]
        rows = [
            [cells[first[population] + i][f"{axis} Coordinate"][0] for axis in "XYZ"]
            for i in range(len(places))
        ]
        np.testing.assert_array_equal(places, np.float32(rows))
    if settings.get("margin"):
        with h5py.File(made / "cells.h5") as file:
            for population in first:
                found = file[f"Populations/{population}/Region/interior/Attribute Value"][:]
                cells = written.cells[population, "Region"]
                assert found.tolist() == [int(cells[gid]["interior"][0]) for gid in sorted(cells)]
    with h5py.File(made / "cells.h5") as file:
        for population in first:
            cells = written.cells[population, "Synapse Attributes"]
            group = file.get(f"Populations/{population}/Synapse Attributes")
            for name in ("syn_ids", "syn_types", "syn_cdists", "syn_locs", "syn_secs", "swc_types"):
                values = np.concatenate([cells[gid][name] for gid in sorted(cells)])
                found = group[name]["Attribute Value"][:] if group is not None else []
                np.testing.assert_array_equal(found, values, name)
