"""Every test drives a real server process; build //server:livnd first (or set LIVND_BINARY)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import livnd
import pytest
from beside_livn import SYSTEM
from livnd import local_server

ENVIRONMENT = "TargetRate-EI-mini-v0"
GYM_ID = f"livnd/{ENVIRONMENT}"

# An own server reads and builds all systems that it has before it serves: here the small ones.
os.environ.setdefault("LIVND_SYSTEMS", str(Path(__file__).parents[3] / "tests/data/served"))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where a server that all tests share listens."""
    server = local_server.acquire()
    yield server.address
    local_server.release(server)


@pytest.fixture
def client(address: str) -> Iterator[livnd.Client]:
    with livnd.connect(address) as client:
        yield client


@pytest.fixture
def session(client: livnd.Client) -> livnd.Session:
    """Two copies, never reset."""
    return client.create_session(ENVIRONMENT, 2)


@pytest.fixture
def env(address: str) -> Iterator[livnd.Env]:
    """Its stimuli act when livn's do."""
    with livnd.make(SYSTEM, address=address, timing="livn") as env:
        yield env


@pytest.fixture
def livn_env() -> Any:
    """The same system in livn's own native engine."""
    from livn.env import Env

    with warnings.catch_warnings():
        # livn says that the graph is of an older version, and holds weights to be unknown whose
        # keys begin with "weight-".
        warnings.simplefilter("ignore", UserWarning)
        env = Env(str(local_server.find_systems() / SYSTEM)).init().apply_default_params()
    yield env
    env.close()


class Server:
    """A server at an address of the test's choice; it can be killed and started again."""

    def __init__(self, listen: str, folder: Path, *flags: str) -> None:
        self.address = listen
        self._folder = folder
        self._flags = flags
        self.start()

    def start(self) -> None:
        command = [local_server.find_binary(), "serve", "--listen", self.address]
        command += ["--systems", local_server.find_systems(), "--state-dir", self._folder / "state"]
        self._process = subprocess.Popen(
            [*command, "--exit-with-stdin", *self._flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(self._folder / "server.log", "ab"),  # noqa: SIM115
            text=True,
        )
        self.address = json.loads(self._process.stdout.readline())["address"]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def forget(self) -> None:
        """Takes away what it has written down of its sessions."""
        shutil.rmtree(self._folder / "state/sessions")


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers = []

    def start(listen: str, *flags: str) -> Server:
        servers.append(Server(listen, tmp_path, *flags))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


# A program started in the background of a shell would ignore it. (Not by preexec_fn: code in a
# process forked from one that uses gRPC races with the threads that gRPC starts in it.)
_TAKES_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.Popen]:
    """Starts a Python program with the package on its path; its temporary files go to tmp_path."""

    def start(code: str, *args: str) -> subprocess.Popen:
        root = str(Path(livnd.__file__).parent.parent)
        path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return subprocess.Popen(
            [sys.executable, "-c", _TAKES_CTRL_C + code, *args],
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": short_folder(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def short_folder(tmp_path: Path) -> str:
    """A folder whose name is short enough for a Unix socket below it."""
    return str(tmp_path) if len(str(tmp_path)) < 70 else "/tmp"


def processes_naming(text: str) -> list[int]:
    """Ids of the processes whose command line holds `text`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)
