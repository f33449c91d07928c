"""What a client sends does not get into the log as it came."""

from __future__ import annotations

import contextlib
import socket
import struct

import livnd
from serving import Serve

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


def test_lines_of_the_libraries_are_escaped():
    with Serve() as server:
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
            assert line[:2] == b"20" and line[23:24] == b"Z", line
            assert b"all is well" not in line[:60], line
            assert all(32 <= byte < 127 for byte in line), line
