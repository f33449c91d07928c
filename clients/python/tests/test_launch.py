"""python -m livnd.launch: servers for as long as a command runs, whatever happens to them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import livnd
import pytest
from conftest import ENVIRONMENT, processes_naming, wait_until
from livnd.gym.vector import RemoteVectorEnv
from livnd.launch.__main__ import main
from livnd.launch.folder import LaunchFolder, Silence
from livnd.local_server import find_binary, find_systems

# Writes a digest of all that it saw into a file, and how far it is into another.
PROGRAM = f"""if True:
    import hashlib, signal, sys, time
    import livnd
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
    digest = hashlib.sha256()
    envs = livnd.make_vec("{ENVIRONMENT}", 3, autoreset_mode="SameStep", max_episode_steps=4)
    envs.action_space.seed(1)
    digest.update(envs.reset(seed=1)[0].tobytes())
    for step in range(10):
        open("step", "w").write(str(step))
        for seen in envs.step(envs.action_space.sample())[:4]:
            digest.update(seen.tobytes())
        time.sleep(float(sys.argv[1]))
    open("digest", "w").write(digest.hexdigest())
    envs.close()
"""

# As mpirun -n N COMMAND..., of one machine.
MPIRUN = 'shift; n=$1; shift; for i in $(seq 0 $((n - 1))); do PMI_RANK=$i "$@" & done; wait'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder for the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(livnd.__file__).parent.parent))
    return tmp_path


@pytest.fixture(scope="module")
def digest(address):
    """What the program writes, of one server."""
    envs = RemoteVectorEnv(3, ENVIRONMENT, address, autoreset_mode="SameStep", max_episode_steps=4)
    envs.action_space.seed(1)
    digest = hashlib.sha256(envs.reset(seed=1)[0].tobytes())
    for _ in range(10):
        for seen in envs.step(envs.action_space.sample())[:4]:
            digest.update(seen.tobytes())
    envs.close()
    return digest.hexdigest()


def program(pause_s=0.0):
    return [sys.executable, "-c", PROGRAM, str(pause_s)]


def when(condition, do):
    """Does it in another thread, as soon as that holds."""

    def work():
        wait_until(condition, "what it waits for")
        do()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def has_stepped():
    return Path("step").exists() and Path("step").read_text() >= "1"


def servers_of(folder):
    """Process ids of its servers, by the worker's number."""
    found = [processes_naming(f"--state-dir {folder}/worker-{i}/state") for i in range(2)]
    return [ids[0] if ids else None for ids in found]


def test_a_server_that_is_killed_is_started_again_and_no_bit_changes(here, digest, capsys):
    folder = here / "launch"
    seen = []

    def kill():
        os.kill(servers_of(folder)[1], signal.SIGKILL)
        wait_until(lambda: "\n#unix:" in seen_now(), "the file says that it is away")

    def seen_now():
        seen.append((folder / "addresses").read_text())
        return seen[-1]

    thread = when(has_stepped, kill)
    assert main(["local", "--workers", "2", "--folder", str(folder), "--", *program(0.15)]) == 0
    thread.join()
    assert Path("digest").read_text() == digest
    told = capsys.readouterr().err
    assert "worker 1 is lost" in told and "worker 1 serves again, at unix:" in told
    assert servers_of(folder) == [None, None]
    assert not (folder / "addresses").exists()


TARGET = """
name: short
warmup_ms: 50
duration_ms: 1500
min_spikes: 20
space: {reference: [0.5, 20, log10], noise: {g_e0: [0.0002, 0.02, log10]}}
objectives: {mfr: {target: 5, cost: log_square}, active_fraction: {target: 1.0}}
"""


def test_a_search_finds_the_same_where_a_server_is_killed(here, capsys):
    folder = here / "launch"
    Path("target.yml").write_text(TARGET)
    tune = [str(find_binary()), "tune", str(find_systems() / "EI-mini"), "--target", "target.yml"]
    tune += ["--population", "16", "--evaluations", "96", "--out"]
    subprocess.run([*tune, "alone"], check=True, capture_output=True)

    def has_begun():
        log = Path("launched/evaluations.jsonl")
        return log.exists() and log.read_text().count("\n") > 10

    thread = when(has_begun, lambda: os.kill(servers_of(folder)[1], signal.SIGKILL))
    command = ["local", "--workers", "2", "--folder", str(folder), "--", *tune, "launched"]
    assert main(command) == 0
    thread.join()
    assert "worker 1 is lost" in capsys.readouterr().err
    for name in ("evaluations.jsonl", "front.json"):
        found = Path("launched", name).read_text().replace("launched/", "alone/")
        assert found == Path("alone", name).read_text()


def test_ranks_of_mpi_serve_with_a_token(here, digest):
    mpirun = here / "mpirun"
    mpirun.write_text(f"#!/bin/sh\n{MPIRUN}\n")
    mpirun.chmod(0o755)
    shown = 'echo "$LIVND_ADDRESSES" > addresses; cat "$LIVND_ADDRESSES_FILE" > file; '
    shown += 'stat -c %a "$LIVND_TOKEN_FILE" > mode; exec "$@"'
    command = ["sh", "-c", shown, "sh", *program()]
    assert main(["mpi", "--workers", "2", "--mpirun", str(mpirun), "--quiet", "--", *command]) == 0
    assert Path("digest").read_text() == digest
    assert Path("mode").read_text() == "600\n"
    addresses = Path("file").read_text().split()
    assert len(addresses) == 2 and ",".join(addresses) == Path("addresses").read_text().strip()
    assert not list(here.glob("livnd-launch-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_then_the_servers(here, number):
    folder = here / "launch"
    thread = when(has_stepped, lambda: os.kill(os.getpid(), number))
    arguments = ["local", "--folder", str(folder), "--workers", "2", "--", *program(1)]
    assert main(arguments) == 128 + number
    thread.join()
    assert servers_of(folder) == [None, None]


def test_servers_end_with_a_launch_that_is_killed(here, run_python):
    folder = here / "launch"
    code = "import sys; from livnd.launch.__main__ import main; sys.exit(main(sys.argv[1:]))"
    launch = run_python(code, "local", "--folder", str(folder), "--", "sh", "-c", "sleep 2")
    wait_until(lambda: (folder / "addresses").exists(), "it serves")
    launch.kill()
    launch.communicate()
    wait_until(lambda: servers_of(folder) == [None, None], "its server has ended")


def test_the_exit_status_is_the_commands(here, capsys):
    assert main(["local", "--quiet", "--", "sh", "-c", "exit 7"]) == 7
    assert capsys.readouterr().err == ""
    assert main(["local", "--quiet", "--", "sh", "-c", "kill -9 $$"]) == 128 + 9


@pytest.mark.parametrize(
    "arguments, status, told",
    [
        (["local"], 2, "there is no COMMAND: it stands behind --"),
        (["local", "--"], 2, "there is no COMMAND"),
        (["cloud", "--", "true"], 2, "invalid choice: 'cloud'"),
        (["local", "--workers", "0", "--", "true"], 2, "--workers: 0 is no whole number from 1"),
        (["local", "--threads", "x", "--", "true"], 2, "--threads: x is no whole number from 1"),
        (["local", "--start-timeout", "0", "--", "true"], 2, "0 is no number of seconds above 0"),
        (["local", "--mpirun", "x", "--", "true"], 2, "unrecognized arguments: --mpirun"),
        (["local", "--config", "/no/file", "--", "true"], 1, "/no/file is No such file"),
        (["local", "--systems", "/no/folder", "--", "true"], 1, "/no/folder"),
        (["local", "--folder", "/proc/none", "--", "true"], 1, "/proc/none"),
        (["mpi", "--mpirun", "/no/mpirun", "--", "true"], 1, "/no/mpirun: No such file"),
        (["mpi", "--mpirun", "false", "--", "true"], 1, "false ended with exit code 1"),
        (["mpi", "--host", "300.0.0.1", "--mpirun", "sh -c 'exec \"$@\"' -- env PMI_RANK=0 sh -c "
          "'shift 2; exec \"$@\"' --", "--", "true"], 1, "worker 0: there is no network to 300.0"),
        (["slurm", "--", "true"], 1, "sbatch: No such file"),
        (["local", "--", "/no/command"], 127, "/no/command: No such file"),
        (["local", "--", "/"], 126, "/: Permission denied"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(here, monkeypatch, capsys, arguments, status, told):
    if arguments[0] == "slurm":
        monkeypatch.setenv("PATH", "/no/folder")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    try:
        got = main(arguments)
    except SystemExit as error:
        got = error.code
    assert told in capsys.readouterr().err
    assert got == status
    assert not list(here.glob("livnd-launch-*"))


def test_ray_is_an_extra(here, capsys):
    if "ray" not in sys.modules:
        sys.modules["ray"] = None
        try:
            assert main(["ray", "--", "true"]) == 1
        finally:
            del sys.modules["ray"]
        assert "pip install 'livnd[ray]'" in capsys.readouterr().err


def test_a_folder_has_one_launch_at_a_time(here, capsys):
    folder = LaunchFolder(here / "launch")
    folder.open()
    assert main(["local", "--folder", str(here / "launch"), "--", "true"]) == 1
    assert "in use by another launch" in capsys.readouterr().err


def test_a_worker_notices_that_its_launch_is_over(here, monkeypatch):
    folder = LaunchFolder(here)
    now_s = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    folder.live()
    silence = Silence(folder)
    assert not silence.is_over()
    now_s += 59
    assert not silence.is_over()
    folder.live()
    assert not silence.is_over()
    now_s += 59
    assert not silence.is_over()
    now_s += 2
    assert silence.is_over()
    assert not Silence(folder).is_over()
    folder.stop()
    assert Silence(folder).is_over()
