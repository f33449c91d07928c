"""Every refusal of io that a file of a system brings about, as `livnd inspect` says it: one row a
site. What the files of HDF5 can have is io/neuroh5's own tests' business."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from serving import LIVND, SYSTEMS

RCSD = "livn.models.rcsd.ReducedCalciumSomaDendrite"
SYNAPSES = "connections.culture2d.config.synapses"


class Row(NamedTuple):
    """What is written into a copy of EI-mini, and what inspect says.

    Attributes:
        site: "FILE: TEXT" (error_sites).
        file: the file that is written.
        write: its text, or what is done to the document it has.
        field, value: of the error.
        accepted: a text in what it says is accepted.
        flags: of inspect.
    """

    site: str
    file: str
    write: str | Callable[[Any], None]
    field: str
    value: str
    accepted: str
    flags: tuple[str, ...] = ()


def at(path: str, value: Any) -> Callable[[Any], None]:
    """Sets what is at a path of a document; None takes it away."""

    def edit(document: Any) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            document = document[parent]
        if value is None:
            del document[name]
        else:
            document[name] = value

    return edit


def renamed(path: str, name: str) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        *parents, old = path.split(".")
        for parent in parents:
            document = document[parent]
        document[name] = document.pop(old)

    return edit


def graph(site: str, field: str, value: str, accepted: str, write: Callable[[Any], None]) -> Row:
    return Row(site, "graph.json", write, field, value, accepted)


def mea(site: str, field: str, value: str, accepted: str, write: str | Callable) -> Row:
    return Row(site, "mea.json", write, field, value, accepted)


def model(site: str, field: str, value: str, accepted: str, **arguments: Any) -> Row:
    text = json.dumps({"cls": arguments.pop("cls", RCSD), "kwargs": arguments})
    return Row(site, "model.json", text, field, value, accepted)


def selection(site: str, field: str, value: str, accepted: str, text: str) -> Row:
    return Row(site, "selection/e1.json", text, field, value, accepted)


def flag(site: str, field: str, value: str, accepted: str, text: str) -> Row:
    flags = ("--culture", "--selection", text)
    return Row(site, "", "", field, value, accepted, flags)


MECHANISMS = f"{SYNAPSES}.EXC.EXC.mechanisms"

ROWS = [
    # Texts that are no documents.
    Row("json_file.cc: not JSON", "mea.json", "{", "", "not JSON", "JSON"),
    Row(
        "json_file.cc: nested deeper than",
        "mea.json",
        "[" * 1000,
        "",
        "nested deeper than ",
        "JSON of fewer levels",
    ),
    Row(
        "json_file.cc: an object of more than",
        "mea.json",
        json.dumps({str(i): 0 for i in range(200_000)}),
        "",
        "one with an object of more than ",
        "objects of fewer members",
    ),
    Row("json_file.cc: larger", "mea.json", " " * (65 << 20), "", "larger", "at most "),
    Row(
        "json_file.cc: a regular file", "mea.json", "FOLDER", "", "not a regular file", "a regular"
    ),
    # Documents of another shape.
    mea('json_view.cc: name, "absent"', "electrode_coordinates", "absent", "a value", "{}"),
    mea(
        "json_view.cc: name, kUnknownName",
        "x",
        "an unknown name",
        "electrode_coordinates, ",
        at("x", 1),
    ),
    mea('json_view.cc: "an object"', "", "an array of 0 elements", "an object", "[]"),
    graph(
        "json_view.cc: an object with a member",
        "connections",
        "an object of 0 members",
        "an object with a member",
        at("connections", {}),
    ),
    mea(
        'json_view.cc: "an array"',
        "electrode_coordinates",
        "1",
        "an array",
        at("electrode_coordinates", 1),
    ),
    mea(
        "json_view.cc: kMaxElements",
        "electrode_coordinates",
        "an array of 65537 elements",
        "at most 65536 elements",
        at("electrode_coordinates", [0] * 65537),
    ),
    mea(
        "json_view.cc: an array of ",
        "electrode_coordinates[0]",
        "an array of 1 elements",
        "an array of 4 elements",
        at("electrode_coordinates", [[0]]),
    ),
    mea('json_view.cc: "a number"', "input_radius", '"x"', "a number", at("input_radius", "x")),
    mea(
        "json_view.cc: an integer from",
        "electrode_coordinates[0][0]",
        "0.5",
        "an integer from -2147483648 to 2147483647",
        at("electrode_coordinates", [[0.5, 0, 0, 0]]),
    ),
    graph(
        'json_view.cc: "a string"', "architecture.uuid", "1", "a string", at("architecture.uuid", 1)
    ),
    # graph.json
    graph(
        "graph_json.cc: a minimum that is not above",
        "architecture.config.area[0][1]",
        "3",
        "a minimum that is not above the maximum, 2",
        at("architecture.config.area", [[0, 3], [1, 2]]),
    ),
    graph('graph_json.cc: "1"', "version", "2", "1", at("version", 2)),
    graph(
        "graph_json.cc: the name of a group",
        "architecture.config.coordinate_namespace",
        '"a/b"',
        "the name of a group",
        at("architecture.config.coordinate_namespace", "a/b"),
    ),
    graph(
        "graph_json.cc: kReceptors",
        f"{MECHANISMS}.default.GLUE",
        "an unknown name",
        "AMPA, NMDA, GABA_A",
        renamed(f"{MECHANISMS}.default.AMPA", "GLUE"),
    ),
    graph(
        "graph_json.cc: a time constant > 0",
        f"{MECHANISMS}.default.AMPA.tau_decay",
        "-1",
        "a time constant > 0 (ms)",
        at(f"{MECHANISMS}.default.AMPA.tau_decay", -1),
    ),
    graph(
        "graph_json.cc: an SWC number",
        f"{MECHANISMS}.axon",
        "an unknown name",
        '"default" or an SWC number',
        renamed(f"{MECHANISMS}.default", "axon"),
    ),
    graph(
        "graph_json.cc: excitatory",
        f"{SYNAPSES}.EXC.EXC.type",
        '"mixed"',
        '"excitatory", "inhibitory"',
        at(f"{SYNAPSES}.EXC.EXC.type", "mixed"),
    ),
    graph(
        "read_system.cc: population_definitions",
        "population_definitions.EXC",
        "12",
        "10, as in cells.h5",
        at("connections.culture2d.config.population_definitions.EXC", 12),
    ),
    graph(
        "read_system.cc: populations of cells.h5",
        "synapses.PYR",
        "an unknown name",
        "populations of cells.h5",
        renamed(f"{SYNAPSES}.INH", "PYR"),
    ),
    # mea.json
    mea(
        "electrode_array_config.cc: a finite length",
        "output_radius",
        "-1",
        "a finite length >= 0 (um)",
        at("output_radius", -1),
    ),
    mea(
        "electrode_array_config.cc: kUnknownName",
        "volume_conductor.gain",
        "an unknown name",
        "stimulation_gain, ",
        at("volume_conductor", {"gain": 1}),
    ),
    mea(
        "electrode_array_config.cc: electrodes.size()",
        "electrode_coordinates",
        "0 electrodes",
        "1 to ",
        at("electrode_coordinates", []),
    ),
    mea(
        "electrode_array_config.cc: each id once",
        "electrode_coordinates[1][0]",
        "4 for the second time",
        "each id once",
        at("electrode_coordinates", [[4, 0, 0, 0], [4, 1, 0, 0]]),
    ),
    # model.json
    model("model_options.cc: document->model_class", "cls", "os.system", RCSD, cls="os.system"),
    model(
        "model_options.cc: accepted", "kwargs.speed", "an unknown name", "dendrite_offset", speed=1
    ),
    model(
        "model_options.cc: Describe(value)",
        "kwargs.short_term_depression",
        "1",
        "true or false",
        short_term_depression=1,
    ),
    model(
        "system_documents.cc: null, true, false",
        "kwargs.size_cv",
        "an array of 0 elements",
        "null, true, false, a number, a string or an object",
        size_cv=[],
    ),
    # selection/*.json, and what --selection says
    selection(
        "system_documents.cc: gids by population",
        "gids",
        "an object of 0 members",
        "gids by population",
        '{"gids": {}}',
    ),
    flag(
        'selection.cc: "a number of cells, a fraction',
        "EXC",
        "true",
        "a number of cells, a fraction (0.5; 1.0 is all) or a list of gids",
        '{"EXC": true}',
    ),
    flag(
        "selection.cc: gids by population: {",
        "",
        "an array of 1 elements",
        'gids by population: {"EXC": [gid, ...]}',
        "[1]",
    ),
    flag(
        'selection.cc: \\"random\\"',
        "method",
        '"nearest"',
        '"first", "random", "patch"',
        '{"cells": 1, "method": "nearest"}',
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.site)
def test_inspect_says_file_field_value_and_accepted(tmp_path: Path, row: Row):
    system = tmp_path / "small"
    shutil.copytree(SYSTEMS / "EI-mini", system, copy_function=shutil.copyfile)
    path = system / row.file
    path.parent.mkdir(exist_ok=True)
    if row.write == "FOLDER":
        path.unlink()
        path.mkdir()
    elif isinstance(row.write, str):
        if row.file:
            path.write_text(row.write)
    else:
        document = json.loads(path.read_text())
        row.write(document)
        path.write_text(json.dumps(document))
    said = subprocess.run(
        [str(LIVND), "inspect", str(system), *row.flags], capture_output=True, text=True
    )
    assert said.returncode == 1, said.stdout
    where = f"{path}: " if row.file else "--selection: "
    place = f"{where}{row.field} is " if row.field else where.removesuffix(": ") + " is "
    assert place + row.value in said.stderr
    assert row.accepted in said.stderr.split("; accepted: ", 1)[1]
