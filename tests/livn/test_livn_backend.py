"""LIVN_BACKEND=livnd.livn: livn 2.0.0 finds its Env in livnd, and its programs run on a server."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import livnd
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "tests/data/served/EI-mini"
PACKAGE = Path(livnd.__file__).parent.parent

# A program of livn's, which nothing in it ties to a backend.
PROGRAM = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from livn.env import Env

env = Env(sys.argv[1]).init().apply_default_params()
env.record_spikes()
env.record_voltage(sections="soma")
env.record_membrane_current()
channels = np.random.RandomState(0).randn(20, len(env.io.electrode_coordinates)) * 5
runs = [env.run(100), env.run(50, env.cell_stimulus(channels)), env.run(0.05), env.run(0.3)]
env.clear()
runs.append(env.run(50))
arrays = {f"{i} {j}": a for i, run in enumerate(runs) for j, a in enumerate(run) if a is not None}
times = np.array([(run.t0, run.duration) for run in runs])
print(type(env).__module__)
np.savez(sys.argv[2], times=times, **arrays)
"""


def run_program(code: str, backend: str, *args: str, **environment: str) -> str:
    """What a program prints, in a process of its own."""
    path = os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "LIVN_BACKEND": backend, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_of_livns_gives_what_it_gives_on_the_native_backend(tmp_path: Path):
    native, ours = tmp_path / "native.npz", tmp_path / "livnd.npz"
    assert "native" in run_program(PROGRAM, "native", str(SYSTEM), str(native))
    assert "livnd.livn.backend" in run_program(PROGRAM, "livnd.livn", str(SYSTEM), str(ours))
    a, b = np.load(native), np.load(ours)
    assert sorted(a.files) == sorted(b.files)
    assert len(a["1 0"]) > 5  # it fires
    for name in a.files:
        assert a[name].dtype == b[name].dtype
        assert a[name].shape == b[name].shape
        np.testing.assert_allclose(b[name], a[name], rtol=0, atol=2e-5, err_msg=name)


def test_it_runs_on_a_server_elsewhere(tmp_path: Path, server: str):
    ours, theirs = tmp_path / "own.npz", tmp_path / "other.npz"
    run_program(PROGRAM, "livnd.livn", str(SYSTEM), str(ours))
    run_program(PROGRAM, "livnd.livn", str(SYSTEM), str(theirs), LIVND_ADDRESS=server)
    a, b = np.load(ours), np.load(theirs)
    for name in a.files:
        np.testing.assert_array_equal(a[name], b[name])


def test_of_many_servers_each_rank_takes_its_own(server: str, monkeypatch: pytest.MonkeyPatch):
    from livn.system import resolve
    from livnd.livn.backend import systems

    monkeypatch.setenv("LIVND_ADDRESSES", f"unix:/tmp/nobody,{server}")
    monkeypatch.setenv("PMI_RANK", "3")
    client, name = systems.connect(resolve(str(SYSTEM)))
    with client:
        assert (client.address, name) == (server, "EI-mini")


def test_another_system_of_that_name_is_refused(tmp_path: Path, server: str):
    (tmp_path / "EI-mini").symlink_to(ROOT / "tests/data/served/EI-100", target_is_directory=True)
    code = """if True:
        import sys
        from livn.env import Env
        try:
            Env(sys.argv[1]).init()
        except ValueError as error:
            print(error)
    """
    told = run_program(code, "livnd.livn", str(tmp_path / "EI-mini"), LIVND_ADDRESS=server)
    assert "system is" in told
    assert "the cells of the server's system of that name" in told


def test_livnd_itself_stays_as_it_is_and_does_not_load_livn():
    code = """if True:
        import sys, livnd, livnd.livn
        print(livnd.Env.__module__, "livn" in sys.modules, livnd.make.__module__)
    """
    assert run_program(code, "livnd.livn") == "livnd.livn.env False livnd.livn.env\n"


def test_the_backend_hands_livn_no_more_than_an_env():
    code = """if True:
        import livnd.livn, livn.backend
        print(dir(livnd.livn), livn.backend.backend())
    """
    assert run_program(code, "livnd.livn") == "['Env'] livnd.livn\n"
    assert "Run" in run_program("import livnd.livn; print(dir(livnd.livn))", "native")


@pytest.fixture
def env(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from livnd.livn.backend import Env

    monkeypatch.setenv("LIVND_ADDRESS", server)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        env = Env(str(SYSTEM)).init()
    yield env
    env.close()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda e: e.set_noise({"std_x": 1.0}), TypeError),
        (lambda e: e.set_noise({"FOO-std_e": 1.0}), KeyError),
        (lambda e: e.set_weights({"FOO_EXC-dend-AMPA-weight": 1.0}), KeyError),
        (lambda e: e.set_weights({"EXC-dend-AMPA-nothing": 1.0}), KeyError),
        (lambda e: e.set_weights({"EXC-dend-NMDA-w_max": 1.0}), ValueError),
        (lambda e: e.cells.set_params({"dend.g_pas": 1e-4}), KeyError),
        (lambda e: e.cells[0].set_params({"soma.ic_constant": 1e-4}), KeyError),
        (lambda e: e.run(-1), ValueError),
        (lambda e: e.record_voltage(dt=0.0), ValueError),
        (lambda e: e.record_weights(dt=0.0), ValueError),
        (lambda e: e.apply_stimulus_from_h5("no/such/file.h5", "Input"), FileNotFoundError),
    ],
)
def test_what_is_refused_changes_nothing(env: Any, call: Any, error: type[Exception]):
    before = env.cells.get_params()
    with pytest.raises(error):
        call(env)
    np.testing.assert_equal(env.cells.get_params(), before)
    env.set_noise({"std_e": 1e-4}).run(1)


def test_a_long_stimulus_goes_in_windows_of_one_request(env: Any, monkeypatch: pytest.MonkeyPatch):
    from livn.stimulus import Stimulus
    from livnd.livn.backend import runs, stimuli

    array = np.random.RandomState(1).randn(200, 10) * 0.1
    env.record_voltage(sections="soma")

    def answer() -> np.ndarray:
        env.clear(reseed=False)
        return env.run(30, Stimulus(array, dt=0.1, gids=range(10), input_mode="current")).voltage

    whole = answer()
    monkeypatch.setattr(stimuli, "MAX_BYTES", 2000)
    monkeypatch.setattr(runs, "_MAX_BYTES", 1000)
    np.testing.assert_array_equal(answer(), whole)


@pytest.fixture
def server() -> str:
    """Where a server of the small systems listens."""
    with livnd.connect(systems=SYSTEM.parent) as client:
        client.systems()
        yield client.address
