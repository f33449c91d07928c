"""A server whose standard input, output or error is closed at its start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import livnd
import pytest
from serving import Serve


def until(condition: Callable[[], bool], server: Serve) -> None:
    while not condition():
        assert server.process.poll() is None, server.log()
        time.sleep(0.01)


def without(*descriptors: int) -> str:
    return "exec " + " ".join(f"{descriptor}>&-" for descriptor in descriptors)


@pytest.mark.parametrize("descriptors", [(0,), (1,), (2,), (0, 1, 2)])
def test_nothing_is_written_where_a_closed_descriptor_was(descriptors):
    with Serve(before=without(*descriptors)) as server:
        endpoint = server.folder / "state/endpoint.json"
        until(endpoint.exists, server)
        address = json.loads(endpoint.read_text())["address"]
        with livnd.connect(address) as client:
            assert client.systems()
            client.create_culture("EI-mini")  # is logged
        assert (server.folder / "state/lock").read_text() == f"{server.process.pid}\n"
        assert server.terminate() == 0
        if 2 not in descriptors:
            assert "serving" in server.log()


@pytest.mark.parametrize("descriptors", [(0,), (0, 1, 2)])
def test_a_server_without_standard_input_has_nobody_to_wait_for(descriptors):
    with Serve("--exit-with-stdin", before=without(*descriptors)) as server:
        assert server.process.wait(60) == 0
        if 2 not in descriptors:
            assert "the end of standard input" in server.log()
