"""The server that the package starts by itself: one a process, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import gymnasium
import livnd
import pytest
from conftest import GYM_ID, processes_naming, wait_until
from livnd import errors, local_server

OPEN_ENV = f"""
import sys, time, gymnasium, livnd
env = gymnasium.make({GYM_ID!r})
env.reset(seed=1)
print(env.unwrapped._client.address.removeprefix("unix:").rpartition("/")[0], flush=True)
"""


def gone(folder: str) -> bool:
    return not Path(folder).exists() and not processes_naming(folder)


def test_environments_of_a_process_share_a_server_that_ends_with_the_last():
    first = livnd.connect()
    second = livnd.connect()
    assert first.address is None, "nothing is started before the first call"
    first.systems()
    second.systems()
    assert first.address == second.address
    folder = first.address.removeprefix("unix:").rpartition("/")[0]
    others = next(s for s in local_server._servers if s.address == first.address).references - 2
    first.close()
    assert second.systems() and processes_naming(folder)
    second.close()
    assert others or gone(folder)


def test_a_client_says_how_many_threads_its_own_server_has(monkeypatch):
    monkeypatch.setenv("LIVND_THREADS", "3")
    with livnd.connect() as three, livnd.connect(threads=1) as one, livnd.connect(threads=3) as too:
        assert three.server_info().num_workers == 3
        assert one.server_info().num_workers == 1
        assert too.server_info().num_workers == 3
        assert too.address == three.address != one.address
    env = gymnasium.make(GYM_ID, threads=2)
    envs = gymnasium.make_vec(GYM_ID, 2, threads=2)
    assert env.unwrapped._client.server_info().num_workers == 2
    assert envs.unwrapped._client.address == env.unwrapped._client.address
    envs.close()
    env.close()


def test_an_own_server_keeps_to_the_cores_of_its_client(run_python):
    process = run_python(
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        + OPEN_ENV
        + "print(env.unwrapped._client.server_info().num_workers)"
    )
    assert process.communicate(timeout=60)[0].split()[1] == "1"


@pytest.mark.parametrize("threads", ["0", "-1", "two", "1025", "1.5"])
def test_a_bad_number_of_threads_is_a_clear_error(monkeypatch, threads):
    monkeypatch.setenv("LIVND_THREADS", threads)
    with pytest.raises(errors.ServerStartError, match=r"LIVND_THREADS.*1 \.\. 1024"):
        livnd.connect().systems()


@pytest.mark.parametrize("threads", [0, 1025, 1.5, "2", True])
def test_a_bad_threads_argument_is_a_clear_error(threads):
    with pytest.raises(errors.InvalidFieldError, match=r"threads.*1 \.\. 1024"):
        livnd.connect(threads=threads)


def test_the_threads_of_a_running_server_are_not_its_clients_to_choose(address):
    with pytest.raises(errors.InvalidFieldError, match="threads"):
        livnd.connect(address, threads=2)


def test_nothing_is_left_after_close(run_python):
    process = run_python(OPEN_ENV + "env.close()\nprint('closed', flush=True)\ntime.sleep(600)")
    folder = process.stdout.readline().strip()
    assert process.stdout.readline() == "closed\n"
    assert gone(folder)
    process.kill()
    process.wait()


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "raise RuntimeError", "del env"])
def test_nothing_is_left_when_a_program_ends_without_close(run_python, ending):
    process = run_python("import sys; sys.stderr = open('/dev/null', 'w')\n" + OPEN_ENV + ending)
    folder = process.communicate(timeout=60)[0].strip()
    assert process.returncode == {"raise SystemExit(3)": 3, "raise RuntimeError": 1}.get(ending, 0)
    assert gone(folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_client_is_killed(run_python, number):
    process = run_python(
        "import sys; sys.stderr = open('/dev/null', 'w')\n" + OPEN_ENV + "time.sleep(600)"
    )
    folder = process.stdout.readline().strip()
    assert Path(folder).exists() and processes_naming(folder)
    process.send_signal(number)
    process.wait()
    wait_until(lambda: gone(folder), f"server and folder {folder} gone")


def test_nothing_is_left_when_the_client_is_killed_in_the_middle_of_steps(run_python):
    process = run_python(
        OPEN_ENV + "while True:\n  if env.step(env.action_space.sample())[3]: env.reset()"
    )
    folder = process.stdout.readline().strip()
    process.kill()
    process.wait()
    wait_until(lambda: gone(folder), f"server and folder {folder} gone")


LONG_RUN = """
import os, sys, threading, time, livnd
from livnd import connection, local_server
sys.stderr = open("/dev/null", "w")
client = livnd.connect()
session = client.create_culture("EI-mini", 64)
session.clear()
folder = client.address.removeprefix("unix:").rpartition("/")[0]
def server():  # what the shell, the server's parent, has started
    shell = local_server._servers[0]._process.pid
    return open(f"/proc/{shell}/task/{shell}/children").read().split()[0]
def cpu_ticks():
    return sum(map(int, open(f"/proc/{server()}/stat").read().rpartition(")")[2].split()[11:13]))
def tell():
    start = cpu_ticks()
    while cpu_ticks() < start + 30:
        time.sleep(0.01)
    print(folder, flush=True)
threading.Thread(target=tell, daemon=True).start()
# What a client falls back to when its server does not end by itself, or is busy.
os.killpg = lambda *args: print("killed", flush=True)
connection.Connection.delete_session = lambda *args: print("asked", flush=True)
"""
RUN_FOR_MINUTES = "session.run(90_000.0)"


@pytest.mark.parametrize("close", ["", "finally: client.close()"])
def test_control_c_in_a_long_run_leaves_at_once(run_python, close):
    program = f"try: {RUN_FOR_MINUTES}\n{close}" if close else RUN_FOR_MINUTES
    process = run_python(LONG_RUN + program)
    folder = process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "", "its server ended without being forced"
    assert process.returncode == -signal.SIGINT
    assert gone(folder)


def test_a_killed_clients_server_does_not_finish_its_long_run(run_python):
    process = run_python(LONG_RUN + RUN_FOR_MINUTES)
    folder = process.stdout.readline().strip()
    process.kill()
    process.wait()
    wait_until(lambda: gone(folder), f"server and folder {folder} gone")


def test_a_living_fork_does_not_keep_a_killed_clients_server(run_python):
    process = run_python(
        "import os\n"
        + OPEN_ENV
        + """
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(600)
"""
    )
    folder = process.stdout.readline().strip()
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        wait_until(lambda: gone(folder), f"server and folder {folder} gone")
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_fork_starts_a_server_of_its_own(run_python):
    process = run_python(
        "import os\n"
        + OPEN_ENV
        + f"""
pid = os.fork()
if pid == 0:
    other = gymnasium.make({GYM_ID!r})
    other.reset(seed=1)
    print(other.unwrapped._client.address, flush=True)
    other.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
env.step(env.action_space.sample())
env.close()
"""
    )
    out = process.communicate(timeout=60)[0].split()
    assert process.returncode == 0
    assert len(out) == 2 and not out[1].startswith(f"unix:{out[0]}/")
    assert gone(out[0])


def test_a_crashed_server_is_named_and_the_next_environment_gets_a_new_one(run_python):
    process = run_python(
        OPEN_ENV
        + f"""
import os, signal, pathlib
socket = env.unwrapped._client.address.encode()
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit():
        command = (entry / "cmdline").read_bytes().split(b"\\0")
        if socket in command and command[0] != b"/bin/sh":
            os.kill(int(entry.name), signal.SIGKILL)
try:
    for _ in range(3):
        env.step(env.action_space.sample())
except livnd.errors.ServerUnavailableError as error:
    print(error)
other = gymnasium.make({GYM_ID!r})
other.reset(seed=1)
other.close()
env.close()
"""
    )
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    folder, _, message = out.partition("\n")
    assert "own server ended with exit code 137" in message
    assert gone(folder)


def test_a_missing_binary_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setenv("LIVND_BINARY", str(tmp_path / "nothing"))
    with pytest.raises(errors.ServerStartError, match=r"nothing.*no executable file.*address="):
        local_server.LocalServer()


def test_a_missing_systems_folder_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setenv("LIVND_SYSTEMS", str(tmp_path / "nothing"))
    with pytest.raises(errors.ServerStartError, match="LIVND_SYSTEMS"):
        local_server.LocalServer()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("echo hello; cat > /dev/null", "no livnd server: it printed 'hello'"),
        ("echo something is wrong >&2; exit 3", "exit code 3.*\n.*something is wrong"),
        ("exit 0", "exit code 0"),
    ],
)
def test_a_server_that_does_not_start_is_a_clear_error(monkeypatch, tmp_path, program, message):
    binary = tmp_path / "livnd"
    binary.write_text(f"#!/bin/sh\n{program}\n")
    binary.chmod(0o755)
    monkeypatch.setenv("LIVND_BINARY", str(binary))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(errors.ServerStartError, match=message):
        local_server.LocalServer()
    assert not processes_naming(str(binary))
    assert [path.name for path in tmp_path.iterdir()] == ["livnd"]


def test_importing_starts_and_connects_nothing():
    code = (
        "import livnd, threading, sys; "
        "from livnd import connection, local_server; "
        "assert not local_server._servers and not connection._connections; "
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(livnd.__file__).parent.parent)


def test_gymnasiums_async_vector_environment_works(run_python):
    """Its worker processes are forks of a process that has used gRPC."""
    process = run_python(
        f"""
import gymnasium, livnd
if __name__ == "__main__":
    envs = gymnasium.make_vec({GYM_ID!r}, num_envs=2, vectorization_mode="async")
    envs.reset(seed=3)
    for _ in range(5):
        envs.step(envs.action_space.sample())
    envs.close()
    print("done")
"""
    )
    assert process.communicate(timeout=120)[0] == "done\n"


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "a%41", "a b"])
def test_the_temporary_folders_name_may_hold_any_characters(run_python, tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("t") / name
    folder.mkdir()
    process = run_python(
        f"import os; os.environ['TMPDIR'] = {str(folder)!r}\n" + OPEN_ENV + "env.close()"
    )
    # Its socket is where it was asked to be, and not where a URI's rules would put it.
    assert Path(process.communicate(timeout=60)[0].strip()).parent == folder
    assert list(folder.iterdir()) == []


def test_a_temporary_folder_in_which_no_socket_can_be_called_is_passed_over(
    run_python, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("t") / "a,b"
    folder.mkdir()
    process = run_python(
        f"import os; os.environ['TMPDIR'] = {str(folder)!r}\n" + OPEN_ENV + "env.close()"
    )
    assert Path(process.communicate(timeout=60)[0].strip()).parent == Path("/tmp")
    assert list(folder.iterdir()) == []


def test_an_own_server_outlives_many_environments():
    keep = gymnasium.make(GYM_ID)
    address = keep.unwrapped._client.address
    for _ in range(20):
        env = gymnasium.make(GYM_ID)
        assert env.unwrapped._client.address == address
        env.close()
    keep.close()
