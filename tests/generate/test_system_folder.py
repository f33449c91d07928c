"""livnd mea, lightarray, selection and export: what they make beside what livn 2.0.0 makes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livn.io import MEA, LightArray, electrode_array_coordinates
from livn.system import System
from livn_source import generator

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
PLANE = ROOT / "systems/EI-100"
LARGE = ROOT / "tests/data/systems/EI-1000"
LAYERS = ROOT / "tests/data/systems/S1"


def livnd(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(LIVND), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def made(*arguments: object) -> dict[str, Any]:
    done = livnd(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def bare_copy(system: Path, to: Path) -> Path:
    """Cells, connections and graph alone."""
    to.mkdir()
    for name in ("cells.h5", "connections.h5", "graph.json"):
        shutil.copy(system / name, to / name)
    return to


@pytest.fixture
def plane(tmp_path: Path) -> Path:
    return bare_copy(PLANE, tmp_path / "EI-100")


def generator_of(system: Path, **settings: Any) -> Any:
    """livn's generator of a folder that it may write to."""
    return generator().Generate2DSystem(output_directory=str(system), **settings)


# --- electrodes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [PLANE, LARGE, ROOT / "tests/data/systems/EI-alt"])
@pytest.mark.parametrize("settings", [{}, {"pitch": 37.5}, {"pitch": 200.0, "output_radius": 60.0}])
def test_a_grid_is_livns(system: Path, settings: dict[str, float], tmp_path: Path) -> None:
    ours, theirs = bare_copy(system, tmp_path / "a"), bare_copy(system, tmp_path / "b")
    z_range = json.loads((ours / "graph.json").read_text())["architecture"]["config"]["z_range"]
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    told = made("mea", ours, *flags)
    generator_of(theirs, z_range=z_range).mea(**settings)
    expected = json.loads((theirs / "mea.json").read_text())
    found = json.loads((ours / "mea.json").read_text())
    np.testing.assert_allclose(
        found["electrode_coordinates"], expected["electrode_coordinates"], rtol=1e-15
    )
    assert told["electrodes"] == len(expected["electrode_coordinates"])
    assert found["input_radius"] == expected["input_radius"]
    assert found["output_radius"] == expected["output_radius"]
    read = [MEA.from_directory(str(folder)) for folder in (ours, theirs)]
    assert read[0].num_channels == read[1].num_channels == told["electrodes"]
    assert read[0].serialize()["volume_conductor"] == read[1].serialize()["volume_conductor"]


def test_a_system_of_layers_gets_livns_default_array(tmp_path: Path) -> None:
    system = bare_copy(LAYERS, tmp_path / "S1")
    made("mea", system)
    found = json.loads((system / "mea.json").read_text())
    assert found["electrode_coordinates"] == electrode_array_coordinates().tolist()
    assert (found["input_radius"], found["output_radius"]) == (250, 250)


@pytest.mark.parametrize(
    ("flags", "channels"),
    [
        (["--preset", "mcs_60"], 60),
        (["--preset", "cl1", "--pitch", "100", "--center", "150,300"], 64),
        (["--preset", "max_one", "--block", "100,50,16,16"], 256),
        (["--preset", "max_one", "--routed", "13200, 13201"], 2),
        (["--coordinates", "[[7, 10, 20], [3, 30, 40, 50]]"], 2),
    ],
)
def test_livn_and_livnd_read_other_arrays(plane: Path, flags: list[str], channels: int) -> None:
    told = made("mea", plane, *flags)
    assert told["electrodes"] == channels
    mea = MEA.from_directory(str(plane))
    assert mea.num_channels == channels
    rows = json.loads((plane / "mea.json").read_text())["electrode_coordinates"]
    assert mea.channel_ids.tolist() == [int(row[0]) for row in rows]
    assert told["first"] == rows[0]
    assert told["last"] == rows[-1]
    inspected = json.loads(livnd("inspect", plane, "--json").stdout)
    assert inspected["mea"]["electrodes"] == channels
    assert inspected["mea"]["without_cells"] == told["without_cells"]


def test_a_device_file_is_taken(plane: Path, tmp_path: Path) -> None:
    (tmp_path / "device.yml").write_text("{preset: mcs_60, limits: {max_amplitude_ua: 50}}")
    assert made("mea", plane, "--device", tmp_path / "device.yml")["electrodes"] == 60


# --- fibres --------------------------------------------------------------------------------------


def test_one_fibre_over_the_middle_is_livns(tmp_path: Path) -> None:
    ours, theirs = bare_copy(LARGE, tmp_path / "a"), bare_copy(LARGE, tmp_path / "b")
    made("lightarray", ours, "--height", "80", "--wavelength", "561")
    generator_of(theirs).lightarray(fiber_height_um=80, wavelength_nm=561)
    found, expected = (LightArray.from_directory(str(f)).serialize() for f in (ours, theirs))
    # livn's are rounded to 32 bits.
    rows = np.float32(found.pop("fiber_coordinates"))
    np.testing.assert_array_equal(rows, np.float32(expected.pop("fiber_coordinates")))
    assert found == expected


def test_fibres_one_by_one(plane: Path) -> None:
    rows = [[4, 10, 20, -50], [2, 30, 40, -60]]
    told = made("lightarray", plane, "--coordinates", rows, "--numerical-aperture", "0.5")
    assert told["fiber_coordinates"] == rows
    assert told["numerical_aperture"] == 0.5
    array = LightArray.from_directory(str(plane))
    assert array.channel_ids.tolist() == [4, 2]
    assert made("inspect", plane)["num_neurons"] == 100  # livnd reads the folder


# --- selections ----------------------------------------------------------------------------------

SELECTIONS: list[tuple[list[str], dict[str, Any]]] = [
    (["--cells", "100"], {"spec": 100}),
    (["--cells", "0.25"], {"spec": 0.25}),
    (["--cells", "7", "--method", "random"], {"spec": 7, "method": "random"}),
    (
        ["--cells", "0.1", "--method", "random", "--seed", "9"],
        {"spec": 0.1, "method": "random", "seed": 9},
    ),
    (["--cells", "0.25", "--method", "patch"], {"spec": 0.25, "method": "patch"}),
    (["--cells", "40", "--method", "patch"], {"spec": 40, "method": "patch"}),
    (
        ["--bounds", "[[100, 200], [400, 900.5]]"],
        {"spec": None, "method": "patch", "bounds": [[100, 200], [400, 900.5]]},
    ),
    (["--cells", "{EXC: 40, INH: 0.5}"], {"spec": {"EXC": 40, "INH": 0.5}}),
    (["--cells", "{EXC: [3, 17]}"], {"spec": {"EXC": [3, 17]}}),
    (["--cells", "20", "--populations", "INH"], {"spec": 20, "populations": ["INH"]}),
]


@pytest.mark.parametrize(("flags", "livn"), SELECTIONS)
def test_a_selection_is_livns(flags: list[str], livn: dict[str, Any], tmp_path: Path) -> None:
    folder = bare_copy(LARGE, tmp_path / "EI-1000")
    told = made("selection", folder, "--name", "part", *flags)["selections"][0]
    system = System(str(folder))
    expected = system.selection(**livn)
    stored = system.selection("part")
    assert {p: g.tolist() for p, g in stored.items()} == {
        p: g.tolist() for p, g in expected.items()
    }
    assert told["populations"] == {p: len(g) for p, g in expected.items()}
    meta = json.loads((folder / "selection/part.json").read_text())["meta"]
    assert {name: meta[name] for name in livn} == livn
    assert meta["counts"] == told["populations"]
    # livnd takes it where it takes a selection.
    culture = made("inspect", folder, "--culture", "--selection", "part")
    built = {p: gids for p, gids in culture["gids"].items() if gids}
    assert built == {p: g.tolist() for p, g in expected.items()}
    listed = made("selection", folder)["selections"]
    assert listed == [{"name": "part", "populations": told["populations"], "of_this_graph": True}]


def test_boxes_are_nested_squares_about_the_middle(tmp_path: Path) -> None:
    folder = bare_copy(LARGE, tmp_path / "EI-1000")
    told = made("selection", folder, "--boxes", "250, 500, 1000")["selections"]
    assert [s["name"] for s in told] == ["e1", "e2", "e3"]
    assert [s["kept_inputs"] for s in told] == sorted(s["kept_inputs"] for s in told)
    system = System(str(folder))
    places = np.asarray(system.neuron_coordinates)[:, 1:3]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    box = [(middle - 125).tolist(), (middle + 125).tolist()]
    expected = system.selection(None, method="patch", bounds=box)
    assert {p: len(g) for p, g in expected.items()} == told[0]["populations"]


def test_all_boxes_or_none(plane: Path) -> None:
    made("selection", plane, "--name", "e2", "--cells", "5")
    done = livnd("selection", plane, "--boxes", "100, 200")
    assert done.returncode == 1
    assert "--boxes is e2; accepted: a name that no selection has" in done.stderr
    assert [p.name for p in (plane / "selection").iterdir()] == ["e2.json"]
    assert len(made("selection", plane, "--boxes", "100, 200", "--overwrite")["selections"]) == 2


def test_a_selection_of_another_graph_is_told(plane: Path) -> None:
    made("selection", plane, "--name", "part", "--cells", "5")
    graph = json.loads((plane / "graph.json").read_text())
    graph["architecture"]["uuid"] = "another"
    (plane / "graph.json").write_text(json.dumps(graph))
    assert not made("selection", plane)["selections"][0]["of_this_graph"]
    assert "of another graph" in livnd("selection", plane).stdout


# --- copies --------------------------------------------------------------------------------------


def test_a_copy_has_the_same_bytes_and_livn_reads_it(plane: Path, tmp_path: Path) -> None:
    made("mea", plane)
    made("lightarray", plane)
    made("selection", plane, "--name", "part", "--cells", "5")
    (plane / "notes.txt").write_text("mine")
    told = made("export", plane, "--out", tmp_path / "copy")
    names = [file["name"] for file in told["files"]]
    assert "notes.txt" not in names
    assert {"mea.json", "lightarray.json", "selection/part.json"} < set(names)
    for name in names:
        assert (tmp_path / "copy" / name).read_bytes() == (plane / name).read_bytes()
    assert System(str(tmp_path / "copy")).num_neurons == 100
    # What livn's export copies.
    bare = made("export", plane, "--out", tmp_path / "bare", "--bare")
    expected = ["cells.h5", "connections.h5", "graph.json", "mea.json"]
    assert sorted(file["name"] for file in bare["files"]) == expected
    assert sorted(p.name for p in (tmp_path / "bare").iterdir()) == expected


def test_an_interrupted_copy_leaves_nothing(tmp_path: Path) -> None:
    source = ROOT / "tests/data/systems/EI-10000"
    cut_short = 0
    for attempt in range(20):
        command = [LIVND, "export", source, "--out", tmp_path / "copy"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            while not list(tmp_path.iterdir()) and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGINT if attempt % 2 else signal.SIGTERM)
            status = process.wait(60)
        if status == 1:
            cut_short += 1
            assert not list(tmp_path.iterdir())
            if cut_short == 2:
                return
        else:
            assert status in (0, -signal.SIGINT, -signal.SIGTERM)
            shutil.rmtree(tmp_path / "copy", ignore_errors=True)
    pytest.fail("twenty copies were done before they could be interrupted")


# --- errors --------------------------------------------------------------------------------------

REFUSED = [
    ("mea --pitch 0", 2, "--pitch is '0'; accepted: 0.001 .. 1e+07"),
    ("mea --pitch 0.001", 1, "pitch is 0.001; accepted: a length in um"),
    ("mea --pitch 50 --coordinates [[0,1,2]]", 1, "--pitch is beside --coordinates"),
    ("mea --preset mcs60", 1, 'preset is "mcs60"; accepted: mcs_60, max_one, cl1'),
    ("mea --preset max_one", 1, "routed is absent; accepted: one of routed and block"),
    ("mea --preset max_one --block 1,2", 1, "accepted: COLUMN,ROW,COLUMNS,ROWS"),
    ("mea --preset mcs_60 --pitch 3", 1, "pitch_um is an unknown name"),
    ("mea --center 1,2", 1, "--center is 1,2; accepted: nothing without --preset"),
    ("mea --coordinates [[0,1]]", 1, "[0] is an array of 2 elements; accepted: [id, x, y]"),
    ("mea --coordinates [[0,1,2],[0,3,4]]", 1, "accepted: each id once"),
    ("mea --coordinates [[0,1,2]", 1, "--coordinates:1 is "),
    ("mea --device nowhere.yml", 1, "nowhere.yml is No such file"),
    ("mea --output-radius -1", 2, "--output-radius is '-1'; accepted: 0 .. 1e+07"),
    ("mea --pich 50", 2, "unknown flag --pich"),
    ("lightarray --numerical-aperture 2", 2, "accepted: 1e-06 .. 1.36"),
    ("lightarray --coordinates [[0,1,2,nan]]", 1, '[0][3] is "nan"; accepted: a number'),
    ("lightarray --coordinates []", 1, "fiber_coordinates is 0 fibres; accepted: 1 to 65536"),
    ("selection --cells 5", 1, "--name is absent; accepted: what the selection is to be called"),
    ("selection --name 5 --cells 5", 1, "name is 5; accepted: a name that is no number, as e5"),
    ("selection --name a/b --cells 5", 1, "name is a/b; accepted: up to 64 letters"),
    ("selection --name a", 1, "--cells is absent; accepted: which cells, or --bounds"),
    ("selection --name a --cells 101", 1, "--cells is 101; accepted: 0 .. 100 (cells)"),
    ("selection --name a --cells 1.5", 1, "--cells is 1.5; accepted: a fraction > 0 and <= 1"),
    ("selection --name a --cells {EXC:[300]}", 1, "--cells[EXC][0] is 300; accepted: 0 .. 79"),
    ("selection --name a --cells {EX:3}", 1, "--cells[EX] is an unknown name; accepted: EXC, INH"),
    ("selection --name a --cells nothing", 1, "--cells is nothing; accepted: no name"),
    ("selection --name a --cells 5 --method last", 2, "accepted: first, random, patch"),
    ("selection --name a --cells 5 --seed 3", 1, "--seed is 3; accepted: nothing without"),
    ("selection --name a --bounds [[0,0]]", 1, "--bounds is an array of 1 elements"),
    ("selection --name a --bounds [[0,0],[1,1]] --method first", 1, "accepted: patch"),
    ("selection --name a --bounds [[-9,-9],[-8,-8]]", 1, "at least one cell"),
    ("selection --boxes 0", 1, "[0] is 0; accepted: a side"),
    ("selection --boxes 100 --name a", 1, "--name is a; accepted: nothing with --boxes"),
    ("selection --name a --cells 5 --populations E", 1, "--populations[E] is an unknown name"),
    ("export", 1, "--out is absent; accepted: the folder to make"),
]


@pytest.mark.parametrize(("line", "status", "message"), REFUSED)
def test_refuses_and_makes_nothing(line: str, status: int, message: str, plane: Path) -> None:
    before = sorted(p.name for p in plane.rglob("*"))
    command, *flags = [word.replace(":", ": ") for word in line.split()]
    done = livnd(command, plane, *flags)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith(f"livnd {command}: ")
    assert done.stdout == ""
    assert sorted(p.name for p in plane.rglob("*")) == before


@pytest.mark.parametrize("command", ["mea", "lightarray", "selection", "export"])
def test_a_folder_that_is_no_system_is_refused(command: str, tmp_path: Path) -> None:
    flags = {"export": ["--out", tmp_path / "copy"], "selection": ["--boxes", "100"]}
    done = livnd(command, tmp_path, *flags.get(command, []))
    assert done.returncode == 1
    assert "graph.json: No such file" in done.stderr
    assert not list(tmp_path.iterdir())
    assert livnd(command).returncode == 2
    helped = livnd(command, "--help")
    assert helped.returncode == 0
    assert "--json" in helped.stdout


@pytest.mark.parametrize(
    ("command", "file"), [("mea", "mea.json"), ("lightarray", "lightarray.json")]
)
def test_what_is_there_is_kept_until_told(command: str, file: str, plane: Path) -> None:
    made(command, plane)
    before = (plane / file).read_bytes()
    (plane / file).write_bytes(before + b" ")
    done = livnd(command, plane)
    assert done.returncode == 1
    assert f"{file} is there already; accepted: no such file, or --overwrite" in done.stderr
    assert (plane / file).read_bytes() == before + b" "
    made(command, plane, "--overwrite")
    assert (plane / file).read_bytes() == before


# --- the page ------------------------------------------------------------------------------------


def test_the_page_can_be_typed(tmp_path: Path) -> None:
    page = (ROOT / "docs/generating.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", page, flags=re.M | re.S)
    assert len(blocks) == 2
    (tmp_path / "livnd").symlink_to(LIVND.resolve())
    script = "set -e\n" + "".join(blocks)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "my-culture/mea.json: " in done.stdout
