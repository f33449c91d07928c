"""`livnd health ADDRESS` says by its exit status whether a server serves, in one line why not."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent import futures

import grpc
import livnd
import pytest
from serving import LIVND, Serve


def health(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LIVND), "health", *arguments], capture_output=True, text=True, timeout=120
    )


def says(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """One clear line, on standard error unless all is well."""
    line, empty = (done.stdout, done.stderr) if status == 0 else (done.stderr, done.stdout)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert not empty
    assert line.endswith("\n") and line.count("\n") == 1
    for word in words:
        assert word in line


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, socket.socket]]:
    """A TCP address at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}", server


@pytest.mark.parametrize("listen", [True, "127.0.0.1:0", "localhost:0"])
def test_a_server_that_serves(listen):
    with Serve(listen=listen) as server:
        says(health(server.address), 0, server.address, "SERVING")
        told = json.loads(health(server.address, "--json").stdout)
        assert told == {"address": server.address, "serving": True, "status": "SERVING"}


def test_the_path_of_a_socket_is_taken_as_it_is_written():
    with Serve() as server:
        for name in ("s#1", "s?x=1", "s%20", "a b", "sé"):
            with Serve(listen=f"unix:{server.folder}/{name}") as odd:
                says(health(odd.address), 0, "SERVING")
                odd.terminate()
                says(health(odd.address), 1, name, "no livnd server answers")
        relative = subprocess.run(
            [str(LIVND), "health", "unix:s"], cwd=server.folder, capture_output=True, timeout=120
        )
        assert relative.returncode == 0


def test_a_server_that_drains():
    with (
        Serve("--drain-timeout", "never") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        session = client.create_culture("EI-mini", 64)
        session.clear()
        says(health(server.address), 0, "SERVING")

        def run_for_minutes():
            with contextlib.suppress(livnd.LivndError):
                session.run(90_000.0)

        running = threading.Thread(target=run_for_minutes)
        running.start()
        server.until_it_works_hard()
        server.process.send_signal(signal.SIGTERM)
        while (done := health(server.address)).returncode == 0:
            pass
        says(done, 1, "is ending")
        told = json.loads(health(server.address, "--json").stdout)
        assert not told["serving"] and told["status"] == "NOT_SERVING" and told["error"]
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        running.join(60)
        says(health(server.address), 1, "no livnd server answers")


def test_nothing_that_listens(tmp_path):
    with listening() as (address, _):
        pass
    says(health(address), 1, address, "no livnd server answers", "refused")
    says(health(f"unix:{tmp_path}/absent"), 1, "No such file")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"{tmp_path}/left")
    says(health(f"unix:{tmp_path}/left"), 1, "refused")
    told = json.loads(health(address, "--json").stdout)
    assert not told["serving"] and told["status"] == "UNREACHABLE" and told["address"] == address


def test_somebody_who_says_nothing():
    with listening() as (address, _):
        says(health(address, "--timeout", "300ms"), 1, "no answer within 300ms")


def test_somebody_who_speaks_another_language():
    with listening() as (address, server):

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\x1b[2J")
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        done = health(address, "--timeout", "2s")
        says(done, 1, address)
        assert "\x1b" not in done.stderr
        server.shutdown(socket.SHUT_RDWR)


def test_a_server_of_something_else():
    other = grpc.server(futures.ThreadPoolExecutor(1))
    port = other.add_insecure_port("127.0.0.1:0")
    other.start()
    says(health(f"127.0.0.1:{port}"), 1, "no livnd server", "grpc.health.v1")
    other.stop(None).wait()


def test_no_proxy_is_asked(monkeypatch):
    with listening() as (proxy, _), Serve(listen="127.0.0.1:0") as server:
        for name in ("grpc_proxy", "https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"http://{proxy}")
        says(health(server.address, "--timeout", "60s"), 0, "SERVING")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["one address", "--help"]),
        (["127.0.0.1:1", "127.0.0.1:2"], ["one address"]),
        (["localhost"], ["there is no port", "HOST:PORT"]),
        (["127.0.0.1:65536"], ["port is not"]),
        (["127.0.0.1:0"], ["port 0", "1 .. 65535"]),
        (["unix:"], ["path is empty"]),
        (["http://127.0.0.1:1"], ["no host"]),
        (["unix:/" + "x" * 200], ["a socket's at most"]),
        (["unix:/a,b"], ["comma"]),
        ([""], ["empty"]),
        (["127.0.0.1:1", "--timeout", "soon"], ["--timeout", "soon", "90s"]),
        (["127.0.0.1:1", "--service", "x"], ["--service", "--timeout"]),
    ],
)
def test_a_bad_command_line(arguments, words):
    says(health(*arguments), 2, "livnd health: ", *words)


def test_help_tells_of_it():
    assert "health" in subprocess.run([str(LIVND), "--help"], capture_output=True, text=True).stdout
    help_text = health("--help")
    assert help_text.returncode == 0
    assert all(word in help_text.stdout for word in ("ADDRESS", "--timeout", "--json"))
