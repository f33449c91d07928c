"""A system of which no culture can be made is found out at once, by `inspect` and by the server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import livnd
import pytest
from serving import LIVND, SYSTEMS, Serve, after

MODEL = "ReducedCalciumSomaDendrite"


def set_params(system: Path, params: dict[str, float], group: str = "default") -> None:
    document = {MODEL: {group: {"params": params}}}
    (system / "params/default.json").write_text(json.dumps(document))


def rename_projections(system: Path) -> None:
    """Flips one bit in the name of the group that holds all connections."""
    file = system / "connections.h5"
    stored = file.read_bytes()
    assert stored.count(b"Projections\0") == 1
    file.write_bytes(stored.replace(b"Projections\0", b"Projectionr\0"))


def set_model(system: Path) -> None:
    (system / "model.json").write_text('{"cls": "livn.models.none.None", "kwargs": {}}')


def set_decay(system: Path) -> None:
    graph = json.loads((system / "graph.json").read_text())
    config = next(iter(graph["connections"].values()))["config"]
    config["synapses"]["EXC"]["EXC"]["mechanisms"]["default"]["AMPA"]["tau_decay"] = -1.0
    (system / "graph.json").write_text(json.dumps(graph))


# What is done to a system, the file that is at fault, and the place in it.
FAULTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "projection": (rename_projections, "connections.h5", "/Projections/EXC/EXC"),
    "key": (lambda s: set_params(s, {"EXC_PYR": 1.0}), "params/default.json", "EXC_PYR"),
    "value": (lambda s: set_params(s, {"noise-tau_e": -1.0}), "params/default.json", "tau_e"),
    "group": (lambda s: set_params(s, {}, "strong"), "params/default.json", "default"),
    "model": (set_model, "model.json", "livn.models.none.None"),
    "receptor": (set_decay, "graph.json", "tau_decay"),
}


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("systems")
    for name in ["sound", *FAULTS]:
        shutil.copytree(SYSTEMS / "EI-mini", folder / name)
    for path in folder.rglob("*"):
        path.chmod(0o700)
    for name, (harm, _, _) in FAULTS.items():
        harm(folder / name)
    return folder


def inspect(system: Path, *flags: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """`before` are commands for the shell that becomes the program, as for Serve."""
    command = after([str(LIVND), "inspect", str(system), *flags], before)
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("flag", [[], ["--json"], ["--culture"]])
@pytest.mark.parametrize("name", FAULTS)
def test_inspect_finds_it(systems: Path, name: str, flag: list[str]):
    found = inspect(systems / name, *flag)
    assert found.returncode == 1
    _, file, place = FAULTS[name]
    assert str(systems / name / file) in found.stderr
    assert place in found.stderr


def test_the_server_leaves_it_out_and_says_so(systems: Path):
    with Serve(systems=systems) as server:
        with livnd.connect(server.address) as client:
            ids = {spec.environment_id for spec in client.environments()}
            assert {"Culture-sound-v0", "TargetRate-sound-v0"} <= ids
            assert all(environment_id.endswith("-sound-v0") for environment_id in ids)
            assert client.create_culture("sound").clear()
        told = server.log().splitlines()
    for name, (_, file, place) in FAULTS.items():
        [line] = [line for line in told if str(systems / name / file) in line]
        assert place in line


def test_inspect_says_that_descriptors_are_what_it_lacks():
    failed = 0
    for most in range(4, 12):
        found = inspect(SYSTEMS / "EI-mini", "--json", before=f"ulimit -n {most}")
        assert "HDF5" not in found.stderr
        if found.returncode == 0:
            assert set(json.loads(found.stdout)["files"]) >= {"cells.h5", "connections.h5"}
        else:
            failed += 1
            assert "Too many open files" in found.stderr
    assert 0 < failed < 8
