"""A server that runs short of file descriptors goes on serving once there are some again.

What may be lost: connections, and nothing that was acknowledged.
"""

from __future__ import annotations

import contextlib
import subprocess
import time

import livnd
import pytest
from serving import LIVND, Serve, after


def limit_descriptors(soft: int, hard: int) -> str:
    return f"ulimit -Sn {soft} && ulimit -Hn {hard}"


@pytest.mark.parametrize("listen", [True, "127.0.0.1:0"])
def test_a_server_serves_again_after_it_ran_out_of_descriptors(listen):
    with Serve(listen=listen, before=limit_descriptors(64, 64)) as server:
        with contextlib.ExitStack() as silent:
            for _ in range(200):
                silent.enter_context(server.knock())
        with livnd.connect(server.address) as client:
            assert client.systems()


def test_who_is_connected_is_served_while_others_take_every_descriptor():
    with Serve(before=limit_descriptors(64, 64)) as server, livnd.connect(server.address) as client:
        assert client.systems()
        with contextlib.ExitStack() as silent:
            for _ in range(200):
                silent.enter_context(server.knock())
            while "refuses connections" not in server.log():  # what is refused is told
                time.sleep(0.01)
            # What the server opens in the middle of its work still finds a descriptor.
            assert client.create_culture("EI-mini").clear().size


def test_a_server_takes_as_many_descriptors_as_it_may():
    with (
        Serve(before=limit_descriptors(64, 1024)) as server,
        contextlib.ExitStack() as silent,
    ):
        for _ in range(300):
            silent.enter_context(server.knock())
        with livnd.connect(server.address) as client:
            assert client.systems()


# From what the libraries of the program need to be loaded.
@pytest.mark.parametrize("limit", [*range(6, 17), 24, 32, 48])
def test_a_server_with_too_few_descriptors_ends_with_a_clear_error(limit):
    """Or it serves: nothing lies between."""
    with Serve(before=limit_descriptors(limit, limit)) as server:
        if server.ready is None:
            assert server.process.wait(60) == 1
            (line,) = server.log().splitlines()
            for words in ("cannot serve", f"limit of {limit}", "file descriptors", "ulimit -n"):
                assert words in line
        else:
            with livnd.connect(server.address) as client:
                assert client.create_culture("EI-mini").clear().size
        assert (server.ready is None) == (limit < 40)


@pytest.mark.parametrize("limit", [6, 8, 9, 12])
def test_a_question_after_health_with_too_few_descriptors_ends_with_a_clear_error(limit):
    with Serve() as server:
        command = after([str(LIVND), "health", server.address], limit_descriptors(limit, limit))
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for words in ("livnd health", f"limit of {limit}", "file descriptors", "ulimit -n"):
        assert words in done.stderr
