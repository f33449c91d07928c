"""What a system's documents come to here is what they come to in livn 2.0.0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVN = Path(__file__).with_name("livn_culture.py")
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
MODEL = "livn.models.rcsd.ReducedCalciumSomaDendrite"
MS = 100.0

# One parameter of every kind, in an order that matters: a later one wins where both match.
PARAMS = {
    "EXC_EXC-dend-AMPA-weight": 90.0,
    "EXC_EXC": 30.0,
    "EXC_EXC-dend-NMDA": 5.0,
    "weight-INH_EXC-soma": 12.0,
    "INH-soma-NMDA-weight": 3.0,
    "EXC_INH-soma-GABA_A-weight": 4.0,
    "EXC-dend-AMPA-tau_decay": 4.5,
    "EXC-dend-AMPA-U": 0.4,
    "EXC-dend-NMDA-mg": 1.2,
    "INH-soma-AMPA-tau_rise": 0.3,
    "weight-EXC-soma-GABA_A-e": -65.0,
    "noise-std_e": 0.0007,
    "noise-g_e0": 0.0006,
    "noise-EXC-g_i0": 0.0009,
    "noise-INH-tau_i": 8.0,
    "noise-E_i": -72.0,
    "cells-soma.g_pas": 1.3e-4,
    "cells-EXC:dend.gmax_CaN": 3.1e-4,
    "cells-EXC:dend.gmax_CaL": [1e-5 * k for k in range(1, 11)],
    "cells-INH:axon.gmax_Kdr": 0.28,
    "cells-soma.cm": [5.0 + 0.25 * k for k in range(10)],
    "cells-soma.d_Na_conc": 0.22,
    "io-volume_conductor-stimulation_gain": 4.5,
    "io-volume_conductor-culture_height_um": 42.0,
    "io-volume_conductor-recording_gain": 41000.0,
    "io-output_radius": 77.0,
}
CASES = {
    "plain": {},
    "params": {"params": PARAMS},
    "model": {
        "model": {
            "refractory_period": 4.5,
            "short_term_depression": False,
            "dendrite_offset": 45.0,
            "dendrite_orientation_seed": -7,
            "size_cv": {"EXC": 0.2, "INH": 0.1},
            "size_seed": 11,
        },
        "params": {"EXC": 20.0, "INH": 5.0, "noise-std_e": 0.0009, "noise-g_e0": 0.0008},
    },
    "aligned": {
        "model": {"dendrite_orientation": "aligned", "dendrite_offset": 90, "size_cv": 0.15},
        # livn cannot rebuild the EXC cell, whatever the template parameter.
        "params": {
            "cells-INH:global_diam": 26.0,
            "cells-INH:axon_gmax_K": 0.25,
            "cells-INH:soma_gmax_Na": 0.15,
            "noise-std_i": 0.0,
        },
    },
    "no document": {"params": None},
    "stored selection": {
        "selection": "part",
        "params": {"EXC_EXC-dend-AMPA-weight": 60.0, "noise-EXC-std_e": 0.0009, "noise-g_i0": 0.0},
    },
    "selection without a document": {"selection": "part", "params": None},
    "selection of one population": {
        "selection": {"EXC": [0, 3, 4, 6]},
        "params": {"EXC_EXC": 40.0, "noise-std_e": 0.0009},
    },
}
# Systems as they are; on EI-alt every option of livn's generator is off its default.
WHOLE = ["systems/EI-100", "tests/data/systems/EI-alt"]
SPECS = [
    '{"cells": 6}',
    '{"cells": 37}',
    '{"cells": 0.25}',
    '{"cells": 0.031}',
    '{"cells": 1.0}',
    '{"cells": {"EXC": 3, "INH": 0.5}}',
    '{"cells": {"INH": 2}}',
    '{"cells": 40, "method": "random"}',
    '{"cells": 0.5, "method": "random", "seed": 7}',
    '{"cells": {"EXC": 0.9, "INH": 7}, "method": "random", "seed": 1099511627781}',
    '{"cells": 31, "method": "patch"}',
    '{"cells": 0.3, "method": "patch"}',
    '{"cells": 1.0, "method": "patch"}',
    '{"method": "patch", "bounds": [[300, 100], [120.5, 400]]}',
]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Done already where everything was built before the tests."""
    if "LIVND_BAZEL_BIN" not in os.environ:
        targets = ["//server:livnd", "//tests/params/..."]
        subprocess.run(["bazel", "build", "--noshow_progress", *targets], cwd=ROOT, check=True)


def run_json(*command: str | Path) -> dict:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def livn(*arguments: str | Path) -> dict:
    return run_json(sys.executable, LIVN, *arguments)


def culture(system: Path, *flags: str) -> dict:
    return run_json(BINARIES / "server/livnd", "inspect", system, "--culture", "--json", *flags)


def write_documents(folder: Path, case: dict) -> None:
    """Gives a copy of EI-mini the documents of a case."""
    shutil.rmtree(folder / "params")
    if "model" in case:
        document = {"cls": MODEL, "kwargs": case["model"]}
        (folder / "model.json").write_text(json.dumps(document))
    (folder / "params").mkdir()
    params = case.get("params", {})
    if params is not None:
        selection = case.get("selection")
        name = selection if isinstance(selection, str) else "default"
        document = {MODEL.rpartition(".")[2]: {"default": {"params": params, "meta": {"by": "x"}}}}
        (folder / f"params/{name}.json").write_text(json.dumps(document))
    graph = json.loads((folder / "graph.json").read_text())["architecture"]["uuid"]
    (folder / "selection").mkdir()
    document = {"gids": {"EXC": [1, 2, 5, 7], "INH": [9]}, "meta": {"graph": graph}}
    (folder / "selection/part.json").write_text(json.dumps(document))


def stimulus(system: Path) -> list[list[float]]:
    """Two biphasic pulses on every electrode, of another strength on each."""
    array = json.loads((system / "mea.json").read_text())["electrode_coordinates"]
    strengths = [3.0 + 4.0 * e / len(array) for e in range(len(array))]
    return [[(-1.0) ** k * ua for ua in strengths] for k in range(4)]


@pytest.fixture(
    scope="module", params=[*CASES, *WHOLE], ids=lambda name: name.replace(" ", "-").split("/")[-1]
)
def both(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[dict, dict]:
    """One case in livn and here: parameters, spikes, voltages."""
    case = CASES.get(request.param, {})
    folder = ROOT / request.param
    if request.param in CASES:
        folder = tmp_path_factory.mktemp("system") / "EI-mini"
        shutil.copytree(ROOT / "systems/EI-mini", folder)
        write_documents(folder, case)
    options = {"ms": MS if request.param in CASES else 30.0, "electrodes_ua": stimulus(folder)}
    flags = []
    if "selection" in case:
        options["selection"] = case["selection"]
        flags = ["--selection", json.dumps(case["selection"])]
    theirs = livn("run", folder, json.dumps(options))
    ours = culture(folder, *flags)
    ours.update(run_json(BINARIES / "tests/params/run_culture", folder, json.dumps(options)))
    return theirs, ours


def test_the_same_cells_are_built(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    assert ours["gids"] == theirs["gids"]


def test_synapses_have_the_same_numbers(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    assert sorted(ours["synapses"]) == sorted(theirs["synapses"])
    for key, numbers in theirs["synapses"].items():
        mine = ours["synapses"][key]
        for name, values in numbers.items():
            # livn has one number a connection; they must all be ours.
            assert values == [pytest.approx(mine[name], rel=1e-15)], f"{key} {name}"


def test_noise_has_the_same_numbers(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    if theirs["noise"] is None:
        assert ours["noise"] is None
        return
    for population, found in theirs["noise"].items():
        for name, values in found.items():
            # Sections that carry the other half of the noise have 0.
            assert set(values) <= {0.0, ours["noise"][population][name]}, f"{population} {name}"
            assert ours["noise"][population][name] in values, f"{population} {name}"


def test_cells_have_the_same_parameters(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    assert sorted(ours["cells"]) == sorted(k for k in theirs["cells"] if "ic_constant" not in k)
    for key, values in ours["cells"].items():
        expected = [None if v != v else v for v in theirs["cells"][key]]
        assert [v is None for v in values] == [v is None for v in expected], key
        for mine, livns in zip(values, expected, strict=True):
            if mine is not None:
                assert mine == pytest.approx(livns, rel=1e-14), key


def test_electrodes_have_the_same_numbers(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    assert ours["electrodes"]["volume_conductor"] == theirs["electrodes"]["volume_conductor"]
    for name in ("input_radius", "output_radius"):
        assert ours["electrodes"][name] == theirs["electrodes"][name]


def test_a_run_is_the_same(both: tuple[dict, dict]) -> None:
    theirs, ours = both
    assert sorted(gid for gid, _ in ours["spikes"]) == sorted(gid for gid, _ in theirs["spikes"])
    for (_, mine), (_, livns) in zip(sorted(ours["spikes"]), sorted(theirs["spikes"]), strict=True):
        assert mine == pytest.approx(livns, abs=1e-6)
    assert sorted(ours["voltages_mv"]) == sorted(theirs["voltages_mv"])
    # livn's second run, which began 1e-12 mV away, tells how much rounding matters by now.
    for gid, voltages in theirs["voltages_mv"].items():
        twins = zip(voltages, theirs["twin_voltages_mv"][gid], strict=True)
        mark = max(1e-2, 100.0 * max(abs(a - b) for a, b in twins))
        assert ours["voltages_mv"][gid] == pytest.approx(voltages, abs=mark), gid


def test_the_cases_differ(tmp_path_factory) -> None:
    """None of them would pass if its documents were overlooked."""
    systems = {}
    for name in ("plain", "params", "model"):
        folder = tmp_path_factory.mktemp("differ") / "EI-mini"
        shutil.copytree(ROOT / "systems/EI-mini", folder)
        write_documents(folder, CASES[name])
        run = BINARIES / "tests/params/run_culture"
        systems[name] = run_json(
            run, folder, json.dumps({"ms": MS, "electrodes_ua": stimulus(folder)})
        )
    assert systems["plain"]["voltages_mv"] != systems["params"]["voltages_mv"]
    assert systems["plain"]["voltages_mv"] != systems["model"]["voltages_mv"]
    assert len(systems["params"]["spikes"]) > 5


def random_key(random: Random, kinds: list[str]) -> tuple[str, float]:
    """A key of synapses in any of its forms, and a value that it takes."""
    pair, section, receptor = random.choice(kinds).split("-")
    post = pair.partition("_")[0]
    if random.random() < 0.4:
        ranges = {"tau_rise": (0.1, 1.0), "tau_decay": (2.0, 90.0), "e": (-90.0, 10.0)}
        if receptor == "AMPA":
            ranges |= {"U": (0.0, 1.0), "tau_rec": (50.0, 900.0)}
        if receptor == "NMDA":
            ranges |= {"mg": (0.1, 2.0), "Kd": (1.0, 5.0), "gamma": (0.03, 0.1), "vshift": (-9, 9)}
        name, bounds = random.choice(sorted(ranges.items()))
        key, value = f"{post}-{section}-{receptor}-{name}", random.uniform(*bounds)
    else:
        parts = [pair if random.random() < 0.7 else post, section, receptor, "weight"]
        key, value = "-".join(parts[: random.randint(1, 4)]), random.uniform(0.0, 50.0)
    return random.choice(["", "weight-"]) + key, value


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("system", ["systems/EI-mini", "tests/data/systems/EI-alt"])
def test_keys_match_what_they_match_in_livn(system: str, seed: int) -> None:
    folder = ROOT / system
    kinds = sorted(culture(folder)["synapses"])
    random = Random(seed)
    params = [random_key(random, kinds) for _ in range(25)]
    theirs = livn("set", folder, json.dumps(params))["synapses"]
    so_far: dict[str, float] = {}
    for (key, value), expected in zip(params, theirs, strict=True):
        so_far.pop(key, None)  # the last of equal keys counts, and comes last
        so_far[key] = value
        mine = culture(folder, "--set", json.dumps(so_far))["synapses"]
        for kind, numbers in expected.items():
            for name, values in numbers.items():
                assert values == [pytest.approx(mine[kind][name], rel=1e-15)], (
                    f"{key}: {kind} {name}"
                )


def test_selections_are_the_same() -> None:
    system = ROOT / "systems/EI-100"
    theirs = livn("select", system, json.dumps([json.loads(spec) for spec in SPECS]))
    for spec, expected in zip(SPECS, theirs["selections"], strict=True):
        mine = culture(system, "--selection", spec, "--group", "none")["gids"]
        assert mine == expected, spec
    assert len({json.dumps(s) for s in theirs["selections"]}) == len(SPECS) - 1


@pytest.mark.parametrize("seed", [0, 5, 123, 2**32, 2**64 - 1])
@pytest.mark.parametrize(
    ("population", "size"),
    # Above 10,000 NumPy shuffles the tail of the population instead if enough are drawn.
    [
        (1, 1),
        (7, 7),
        (1000, 1),
        (1000, 799),
        (10000, 5000),
        (10001, 200),
        (10001, 201),
        (30000, 9000),
    ],
)
def test_random_choices_are_numpys(population: int, size: int, seed: int) -> None:
    command = [BINARIES / "tests/params/numpy_choice", str(seed), str(population), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rng = np.random.default_rng(seed)
    for line in done.stdout.splitlines():
        assert json.loads(line) == rng.choice(population, size=size, replace=False).tolist()
