"""The same commands over servers of every kind of launch: what `./test fleet` runs in .venv-fleet.

By mpirun (MPICH), by SLURM (one node, in a folder of its own), by Ray (a cluster of this machine's
own): a program with a vector environment, `livnd sample` and `livnd tune`. The same results as of
one server, also where a worker is killed half way.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from livnd import local_server
from slurm_cluster import SlurmCluster

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("rollout.py")
KINDS = ["local", "mpi", "slurm", "ray", "allocation"]


@pytest.fixture(scope="session")
def slurm():
    with SlurmCluster() as cluster:
        yield cluster


@pytest.fixture
def environment(request, monkeypatch):
    """Of a launch of the test's kind."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "clients/python"),
        "LIVND_SYSTEMS": str(ROOT / "tests/data/served"),
    }
    if request.node.callspec.params["kind"] in ("slurm", "allocation"):
        variables |= request.getfixturevalue("slurm").environment
    return variables


@pytest.fixture(scope="session")
def digest(tmp_path_factory):
    """What the program writes where its copies are on one server of its own."""
    folder = tmp_path_factory.mktemp("one")
    variables = {"PYTHONPATH": str(ROOT / "clients/python")}
    variables["LIVND_SYSTEMS"] = str(ROOT / "tests/data/served")
    subprocess.run([sys.executable, PROGRAM, folder, "0"], env=os.environ | variables, check=True)
    return (folder / "digest").read_text()


def sample(out):
    """Makes a data set there, in small parts, which take some seconds in all."""
    flags = ["--count", "240", "--part", "4", "--batch", "4", "--params", "default"]
    system = ROOT / "tests/data/served/EI-mini"
    return [str(local_server.find_binary()), "sample", str(system), "--out", str(out), *flags]


def data_of(out):
    """What a data set consists of, as a digest by the file's name."""
    files = [out / "run.json", *(out / "parts").iterdir()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """What `livnd sample` writes without servers."""
    out = tmp_path_factory.mktemp("data") / "set"
    subprocess.run(sample(out), check=True, capture_output=True)
    return data_of(out)


TARGET = """
warmup_ms: 50
duration_ms: 3000
min_spikes: 20
space: {reference: [0.5, 20, log10], noise: {g_e0: [0.0002, 0.02, log10]}}
objectives: {mfr: {target: 5, cost: log_square}, active_fraction: {target: 1.0}}
"""


def tune(out):
    """A search there, which takes some seconds in all."""
    out.with_suffix(".yml").write_text(TARGET)
    system = ROOT / "tests/data/served/EI-mini"
    flags = ["--target", str(out.with_suffix(".yml")), "--out", str(out), "--evaluations", "160"]
    return [str(local_server.find_binary()), "tune", str(system), *flags]


def evaluations_of(out):
    """The lines of its log; none before it has one."""
    log = out / "evaluations.jsonl"
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="session")
def evaluations(tmp_path_factory):
    """What `livnd tune` finds without servers."""
    out = tmp_path_factory.mktemp("search") / "search"
    subprocess.run(tune(out), check=True, capture_output=True)
    return evaluations_of(out)


def launch(kind, folder, environment, command):
    """A launch of two servers, as a process."""
    launcher = [sys.executable, "-m", "livnd.launch", "slurm" if kind == "allocation" else kind]
    launcher += ["--workers", "2", "--folder", folder / "launch", "--", *command]
    if kind == "allocation":
        launcher = ["salloc", "--quiet", "--nodes=1", *launcher]
    with open(folder / "log", "wb") as log:
        return subprocess.Popen(
            launcher, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def finish(process, folder):
    assert process.wait(240) == 0, (folder / "log").read_text()


def program(folder, pause_s):
    return [sys.executable, PROGRAM, folder, str(pause_s)]


def command_line(process_id):
    """Of a process; "" where there is none."""
    try:
        line = Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace")


def processes(text):
    """Ids, by their command line, the oldest first."""
    ids = sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [process_id for process_id in ids if text in command_line(process_id)]


def server(folder, worker):
    """The process id of a worker's server; None if there is none."""
    return next(iter(processes(f"--state-dir {folder}/launch/worker-{worker}/state")), None)


def parent(process_id):
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[1])


def kill(what, folder):
    """Worker 1's server, or worker 1."""
    process_id = server(folder, 1)
    os.kill(process_id if what == "server" else parent(process_id), signal.SIGKILL)


def wait_until(holds, process, folder):
    deadline_s = time.monotonic() + 120
    while not holds():
        assert process.poll() is None and time.monotonic() < deadline_s, (
            folder / "log"
        ).read_text()
        time.sleep(0.05)


def nothing_is_left(folder):
    deadline_s = time.monotonic() + 30
    while any(server(folder, i) for i in range(2)):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_results_are_those_of_one_server(kind, environment, digest, tmp_path):
    finish(launch(kind, tmp_path, environment, program(tmp_path, 0)), tmp_path)
    assert (tmp_path / "digest").read_text() == digest
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("lost", ["server", "worker"])
@pytest.mark.parametrize("kind", KINDS)
def test_so_they_are_where_a_worker_is_killed(kind, lost, environment, digest, tmp_path):
    if (kind, lost) == ("local", "worker"):
        lost = "server"  # the launch itself has it
    launched = launch(kind, tmp_path, environment, program(tmp_path, 0.2))
    step = tmp_path / "step"
    wait_until(lambda: step.exists() and (step.read_text() or "0") >= "5", launched, tmp_path)
    kill(lost, tmp_path)
    finish(launched, tmp_path)
    assert (tmp_path / "digest").read_text() == digest
    assert "worker 1 serves again" in (tmp_path / "log").read_text()
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_data_set_has_the_bytes_of_one_machine(kind, environment, data, tmp_path):
    out = tmp_path / "set"
    launched = launch(kind, tmp_path, environment, sample(out))
    wait_until(lambda: len(list(out.glob("parts/part-*"))) > 5, launched, tmp_path)
    kill("server" if kind == "local" else "worker", tmp_path)
    finish(launched, tmp_path)
    assert data_of(out) == data
    assert "worker 1 is lost" in (tmp_path / "log").read_text()
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_finds_what_one_machine_finds(kind, environment, evaluations, tmp_path):
    out = tmp_path / "search"
    launched = launch(kind, tmp_path, environment, tune(out))
    wait_until(lambda: len(evaluations_of(out)) > 20, launched, tmp_path)
    kill("server" if kind == "local" else "worker", tmp_path)
    finish(launched, tmp_path)
    assert evaluations_of(out) == evaluations
    assert "worker 1 is lost" in (tmp_path / "log").read_text()
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_end_where_the_command_fails(kind, environment, tmp_path):
    assert launch(kind, tmp_path, environment, ["sh", "-c", "exit 7"]).wait(120) == 7
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_end_where_the_launch_is_told_to(kind, environment, tmp_path):
    launched = launch(kind, tmp_path, environment, program(tmp_path, 60))
    wait_until((tmp_path / "step").exists, launched, tmp_path)
    # salloc hands a signal on to nobody.
    (told,) = [i for i in processes("-m livnd.launch ") if str(tmp_path) in command_line(i)][-1:]
    os.kill(told, signal.SIGTERM)
    assert launched.wait(120) != 0
    assert nothing_is_left(tmp_path)


def test_slurm_is_there():
    """A machine that has it runs all of this; ./test fleet installs it."""
    assert shutil.which("sbatch") and shutil.which("mpirun")
