"""The server listens where it was told, whatever characters a path has."""

from __future__ import annotations

import json
import os
import socket

import pytest
from serving import Serve


def speaks_http2(connection: socket.socket) -> bool:
    """Whether somebody greets back as an HTTP/2 server does: with a SETTINGS frame."""
    connection.settimeout(20)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    header = connection.recv(9, socket.MSG_WAITALL)
    return len(header) == 9 and header[3] == 4


@pytest.mark.parametrize("name", ["s#1", "s?x=1", "s%20", "s%", "a b", "sé"])
def test_a_sockets_path_is_taken_as_it_is_written(name):
    with Serve() as plain:
        folder = plain.folder
        with Serve(listen=f"unix:{folder}/{name}") as server:
            assert server.address == f"unix:{folder}/{name}"
            endpoint = json.loads((server.folder / "state/endpoint.json").read_text())
            assert endpoint == server.ready
            with server.knock() as connection:
                assert speaks_http2(connection)
            assert server.terminate() == 0
            assert sorted(os.listdir(folder)) == ["log", "s", "s.lock", "state"]
        with plain.knock() as connection:
            assert speaks_http2(connection)


@pytest.mark.parametrize("flags", [["--listen", "unix:a,b"], ["--state-dir", "a,b"]])
def test_no_server_listens_where_no_client_could_reach_it(flags):
    with Serve(*flags, listen=False) as server:
        assert server.ready is None
        assert server.process.wait(60) == 1
        (line,) = server.log().splitlines()
        assert f"{server.folder}/a,b" in line and "comma" in line
        assert os.listdir(server.folder) == ["log"]


@pytest.mark.parametrize("flags", [["--listen", "unix:here.sock"], ["--state-dir", "state"]])
def test_the_endpoint_is_found_from_anywhere(flags):
    with Serve(*flags, listen=False) as server:
        endpoint = json.loads((server.folder / "state/endpoint.json").read_text())
        assert endpoint == server.ready
        with server.knock() as connection:
            assert speaks_http2(connection)
