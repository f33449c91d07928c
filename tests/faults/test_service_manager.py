"""A server that systemd starts tells it how it is, and listens where systemd listens already."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import livnd
import pytest
from livnd import errors
from serving import LIVND, SYSTEMS, TASK, Serve

# As systemd passes the first socket, which is the standard input of the shell.
PASS = "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=livnd.socket"


@pytest.fixture
def notes(tmp_path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(60)
        yield bound


def hear(notes: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in notes.recv(4096).decode().splitlines())


@pytest.mark.parametrize("name", ["path", "abstract"])
def test_it_tells_when_it_serves_and_when_it_drains(name, tmp_path):
    address = str(tmp_path / "notify") if name == "path" else f"@{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes:
        notes.bind(address.replace("@", "\0"))
        notes.settimeout(60)
        told = f"NOTIFY_SOCKET='{address}'; export NOTIFY_SOCKET"
        with Serve("--drain-timeout", "90s", before=told) as server:
            ready = hear(notes)
            assert ready["READY"] == "1" and server.address in ready["STATUS"]
            assert health(server.address) == 0
            assert server.terminate() == 0
            stopping = hear(notes)
            assert stopping["STOPPING"] == "1" and "90s" in stopping["STATUS"].replace(
                "1m30s", "90s"
            )
            # systemd shall wait for as long.
            assert 90e6 < int(stopping["EXTEND_TIMEOUT_USEC"]) < 110e6


def test_a_watchdog_hears_of_it_again_and_again(notes):
    told = f"export NOTIFY_SOCKET='{notes.getsockname()}' WATCHDOG_USEC=100000"
    with Serve(before=told) as server:
        assert hear(notes)["READY"] == "1"
        for _ in range(5):
            assert hear(notes) == {"WATCHDOG": "1"}
        # Not while the process does not get on.
        server.process.send_signal(signal.SIGSTOP)
        notes.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while True:
                hear(notes)
        server.process.send_signal(signal.SIGCONT)


def test_a_watchdog_of_another_process_does_not_matter(notes):
    told = f"export NOTIFY_SOCKET='{notes.getsockname()}' WATCHDOG_USEC=100000 WATCHDOG_PID=1"
    with Serve(before=told):
        assert hear(notes)["READY"] == "1"
        notes.settimeout(0.5)
        with pytest.raises(TimeoutError):
            hear(notes)


def test_nobody_who_listens_is_no_obstacle(tmp_path):
    for address in (tmp_path / "absent", "x" * 300, "@" + "y" * 107):
        with Serve(before=f"NOTIFY_SOCKET='{address}'; export NOTIFY_SOCKET") as server:
            assert server.ready and server.terminate() == 0


def health(address: str) -> int:
    return subprocess.run([str(LIVND), "health", address], capture_output=True).returncode


@contextlib.contextmanager
def listening(family: socket.AddressFamily, address: object) -> Iterator[socket.socket]:
    with socket.socket(family) as made:
        made.bind(address)
        made.listen()
        yield made


@pytest.mark.parametrize("family", ["unix", "IPv4", "IPv6"])
def test_a_socket_that_is_passed_is_listened_to(family, tmp_path):
    path = str(tmp_path / "s")
    families = {
        "unix": (socket.AF_UNIX, path),
        "IPv4": (socket.AF_INET, ("127.0.0.1", 0)),
        "IPv6": (socket.AF_INET6, ("::1", 0)),
    }
    try:
        passed = listening(*families[family])
        made = passed.__enter__()
    except OSError as error:
        pytest.skip(f"this machine has no {family}: {error}")
    with contextlib.ExitStack() as stack:
        stack.push(passed)
        port = None if family == "unix" else made.getsockname()[1]
        address = {"unix": f"unix:{path}", "IPv4": f"127.0.0.1:{port}", "IPv6": f"[::1]:{port}"}
        for _ in range(2):  # it is still there for the next server
            with Serve(listen=False, before=PASS, stdin=made) as server:
                assert server.address == address[family]
                with livnd.connect(server.address) as client:
                    client.create_session(TASK).reset()
                assert server.terminate() == 0
        assert family != "unix" or Path(path).is_socket()


def test_clients_wait_while_a_server_is_exchanged(tmp_path):
    path = str(tmp_path / "s")
    with listening(socket.AF_UNIX, path) as made, socket.socket(socket.AF_UNIX) as early:
        early.connect(path)  # nobody serves yet, and nobody is refused
        with (
            Serve(listen=False, before=PASS, stdin=made),
            livnd.connect(f"unix:{path}") as client,
        ):
            assert client.environments()


def test_sockets_for_another_process_are_not_taken(tmp_path):
    with listening(socket.AF_UNIX, str(tmp_path / "s")) as made:
        before = PASS.replace("$$", "1")
        with Serve(before=before, stdin=made) as server:
            assert server.address == f"unix:{server.folder}/s"


@pytest.mark.parametrize("kind", ["datagrams", "no socket", "abstract", "with --listen", "remote"])
def test_what_cannot_be_listened_to_is_refused(kind, tmp_path):
    with contextlib.ExitStack() as stack:
        if kind == "datagrams":
            made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            words = "LISTEN_FDS: descriptor 3"
        elif kind == "no socket":
            made = stack.enter_context(open(tmp_path / "file", "wb"))
            words = "LISTEN_FDS: descriptor 3"
        elif kind == "abstract":
            made = stack.enter_context(listening(socket.AF_UNIX, f"\0{tmp_path}"))
            words = "at no path and no port"
        elif kind == "remote":
            made = stack.enter_context(listening(socket.AF_INET, ("0.0.0.0", 0)))
            words = "0.0.0.0"
        else:
            made = stack.enter_context(listening(socket.AF_UNIX, str(tmp_path / "s")))
            words = "LISTEN_FDS"
        listen = kind == "with --listen"
        with Serve(listen=listen, before=PASS, stdin=made) as server:
            assert server.ready is None and server.process.wait(60) == 1
            assert words in server.log()


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is missing"
)
def test_systemds_own_tool_starts_it_at_the_first_call(tmp_path):
    path, other = tmp_path / "s", tmp_path / "other"
    command = [LIVND, "serve", "--systems", SYSTEMS, "--state-dir", tmp_path / "state"]
    with subprocess.Popen(
        ["systemd-socket-activate", "-l", path, "-l", other, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while not other.is_socket():
                assert server.poll() is None
            with livnd.connect(f"unix:{path}") as client:
                client.create_session(TASK).reset()
            assert health(f"unix:{other}") == 0
            assert json.loads(server.stdout.readline())["address"] == f"unix:{path}"
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
            with (
                livnd.connect(f"unix:{path}", retry_s=0, connect_timeout_s=1) as late,
                pytest.raises(errors.ServerUnavailableError),
            ):
                late.systems()
        finally:
            server.kill()
