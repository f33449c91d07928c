"""The log has fields for programs, no names of sessions, and nothing as a client sent it."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import subprocess
import threading

import livnd
import pytest
from livnd import errors
from serving import LIVND, TASK, Serve

FORGED = b"\n2026-01-01T00:00:00.000Z info  all is well\x1b[2J\x9b2J"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name: bytes, value: bytes) -> bytes:
    """A literal header, never indexed and without Huffman codes (RFC 7541, 6.2.3)."""
    assert len(name) < 127 and len(value) < 127
    return bytes([0x10, len(name)]) + name + bytes([len(value)]) + value


def call(path: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path)]
    headers += [(b":authority", b"x"), (b"te", b"trailers"), (b"content-type", b"application/grpc")]
    block = b"".join(header(name, value) for name, value in [*headers, *extra])
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
    return preface + frame(1, 0x5, 1, block)


def hear_out(connection: socket.socket) -> None:
    """Returns once the server has dealt with all that was sent: it echoes a ping, or hangs up."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(frame(6, 0, 0, b"12345678"))
        while len(head := connection.recv(9, socket.MSG_WAITALL)) == 9:
            connection.recv(int.from_bytes(head[:3], "big"), socket.MSG_WAITALL)
            if head[3] == 6:
                return


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_of_the_libraries_are_escaped(form):
    with Serve("--log-format", form) as server:
        for sent in [
            call(b"/livnd.v1.ServerService/GetServerInfo", (b"grpc-timeout", FORGED)),
            call(b"/livnd.v1.ServerService/GetServerInfo", (b"te", FORGED)),
            call(b"/livnd.v1.ServerService/GetServerInfo", (b"grpc-encoding", FORGED)),
            call(b"/livnd.v1.ServerService/GetServerInfo", (b"content-type", FORGED)),
            call(b"/livnd.v1.ServerService/GetServerInfo", (b"x" + FORGED, FORGED)),
            call(FORGED, (b"grpc-status", FORGED)),
            FORGED * 10,
        ]:
            with server.knock() as connection:
                connection.settimeout(20)
                connection.sendall(sent)
                hear_out(connection)
        with livnd.connect(server.address) as client:
            client.systems()
        server.terminate()
        raw = (server.folder / "log").read_bytes()
        assert b"all is well" in raw, "gRPC told of none of them"
        for line in raw.split(b"\n")[:-1]:
            if form == "json":
                assert set(json.loads(line)) >= {"time", "level", "message"}, line
            else:
                assert line[:2] == b"20" and line[23:24] == b"Z", line
            assert b"all is well" not in line[:60], line
            assert all(32 <= byte < 127 for byte in line), line


def lines(server: Serve) -> list[dict]:
    found = [json.loads(line) for line in server.log().splitlines()]
    assert all(list(line)[:3] == ["time", "level", "message"] for line in found)
    assert all(line["level"] in ("debug", "info", "warning", "error") for line in found)
    return found


def test_lines_tell_of_sessions_and_operations():
    with Serve("--log-format", "json", "--log-level", "debug") as server:
        with livnd.connect(server.address) as client:
            session = client.create_session(TASK, 3)
            session.reset()
            with pytest.raises(errors.InvalidFieldError):
                session.reset(mask=[True])
            client.call("Observe", livnd.session.pb.ObserveRequest(session=session.name))
            session.close()
        server.terminate()
        found = lines(server)
        about = [line for line in found if line.get("session") == session.name[:8]]
        assert all(line["environment_id"] == TASK for line in about)
        created, *calls, deleted = about
        assert (created["message"], created["level"]) == ("session created", "info")
        assert created["num_envs"] == 3
        assert (deleted["message"], deleted["level"]) == ("session deleted", "info")
        assert {line["level"] for line in calls} == {"debug"}
        assert [
            (c["message"], c["operation"], c.get("op_index"), c.get("reason")) for c in calls
        ] == [
            ("answered", "Reset", 1, None),
            ("refused", "Reset", 2, "INVALID_FIELD"),
            ("answered", "Observe", None, None),
        ]
        assert all(c["duration_ms"] > 0 and c["queued_ms"] >= 0 for c in calls)
        # Whoever reads the log drives no session.
        assert session.name[8:] not in server.log()
        built = next(line for line in found if line["message"] == "built")
        assert built["environment_id"] == TASK and built["duration_ms"] > 0


def test_an_operation_that_is_given_up_is_told_of_at_any_time():
    with (
        Serve("--log-format", "json", "--log-level", "warning", "--drain-timeout", "0") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        session = client.create_culture("EI-mini", 64)
        session.clear()

        def run():
            with contextlib.suppress(livnd.LivndError):
                session.run(90_000.0)

        thread = threading.Thread(target=run)
        thread.start()
        server.until_it_works_hard()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
        thread.join()
        still, given_up = lines(server)
        assert still["drain_timeout_ms"] == 0 and still["level"] == "warning"
        assert given_up["message"] == "given up" and given_up["level"] == "warning"
        assert given_up["session"] == session.name[:8]
        assert (given_up["operation"], given_up["op_index"]) == ("Run", 2)
        assert given_up["reason"] == "SHUTTING_DOWN" and given_up["duration_ms"] > 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_for_the_journal_begin_with_their_priority(form):
    here = "JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2); export JOURNAL_STREAM"
    with Serve("--log-format", form, before=here) as server:
        assert server.ready
        assert all(line.startswith("<6>") for line in server.log().splitlines())
    elsewhere = "JOURNAL_STREAM=1:2; export JOURNAL_STREAM"
    with Serve("--log-format", form, before=elsewhere) as server:
        assert server.ready
        assert not any(line.startswith("<") for line in server.log().splitlines())


def test_an_error_at_the_start_is_a_line_too(tmp_path):
    done = subprocess.run(
        [
            str(LIVND),
            "serve",
            "--systems",
            str(tmp_path),
            "--state-dir",
            str(tmp_path / "state"),
            "--log-format=json",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1 and not done.stdout
    (line,) = map(json.loads, done.stderr.splitlines())
    assert line["level"] == "error" and str(tmp_path) in line["message"]
