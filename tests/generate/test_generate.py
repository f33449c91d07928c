"""livnd generate: what a shell sees of it, and that livn 2.0.0 takes what it makes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))

SMALL = """
area_kwargs: {x_range: [0, 800], y_range: [0, 800]}
total_cells: 120
connectivity: {sigma: 300, mean_degree: {EXC->EXC: 8, EXC->INH: 4, INH->EXC: 6}}
"""
# Minutes of pairs, one by one.
LARGE = """
populations: {EXC: {count: 400000}}
area_kwargs: {x_range: [0, 40000], y_range: [0, 40000]}
connectivity: {mean_degree: 20}
rng: livn
"""


def generate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(LIVND), "generate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "culture.yml"
    path.write_text(SMALL)
    return path


def test_numpy_still_draws_what_the_tests_compare_with() -> None:
    script = ROOT / "lab/generate/testing/draw_with_numpy.py"
    spec = importlib.util.spec_from_file_location("draw_with_numpy", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(module.FILE.read_text()) == json.loads(json.dumps(module.draws()))


def test_tells_what_it_made_and_makes_it_again(config: Path, tmp_path: Path) -> None:
    done = generate(config, "--out", tmp_path / "a", "--seed", 5, "--threads", 3, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["cells"] == 120
    assert told["seed"] == 5
    assert told["populations"] == {"EXC": 96, "INH": 24}
    assert told["edges"] == sum(p["edges"] for p in told["projections"].values())
    again = generate(tmp_path / "a/provenance.json", "--out", tmp_path / "b", "--threads", 1)
    assert again.returncode == 0, again.stderr
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == ["cells.h5", "connections.h5", "graph.json", "provenance.json"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_refuses_by_file_and_key(config: Path, tmp_path: Path) -> None:
    config.write_text(SMALL.replace("sigma", "sigmo"))
    done = generate(config, "--out", tmp_path / "a")
    assert done.returncode == 1
    assert f"{config}: connectivity.sigmo is an unknown name" in done.stderr
    assert "sigma (the nearest)" in done.stderr
    config.write_text(SMALL)
    assert "--out is absent" in generate(config).stderr
    assert "--seed is -1" in generate(config, "--out", tmp_path / "a", "--seed", "-1").stderr
    (tmp_path / "a").mkdir()
    assert "a name that is not taken" in generate(config, "--out", tmp_path / "a").stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "culture.yml"]


def test_leaves_nothing_when_interrupted(config: Path, tmp_path: Path) -> None:
    config.write_text(LARGE)
    command = [LIVND, "generate", config, "--out", tmp_path / "a"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()  # how far it is, and how much longer
        assert "EXC->EXC kernel:" in line and "s left" in line
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(20) == 1
        assert time.monotonic() - begun < 10
    assert [p.name for p in tmp_path.iterdir()] == ["culture.yml"]


def test_livn_takes_it(config: Path, tmp_path: Path) -> None:
    livn_system = pytest.importorskip("livn.system")
    assert generate(config, "--out", tmp_path / "a").returncode == 0
    system = livn_system.System(str(tmp_path / "a"))
    assert system.num_neurons == 120
    assert list(system.populations) == ["EXC", "INH"]
    told = json.loads(generate(config, "--out", tmp_path / "b", "--json").stdout)
    assert system.summary()["num_projections"] == told["edges"]
    places = np.asarray(system.neuron_coordinates)[:, 1:3]
    assert places.min() >= 0 and places.max() <= 800
