"""A server has as many threads as it was told, whatever the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import livnd
import pytest
from serving import Serve


def num_threads(server: Serve) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


ON_ONE_CORE = f"taskset -cp {min(os.sched_getaffinity(0))} $$ >/dev/null"


def test_by_default_one_simulates_for_each_core_that_it_may_use():
    with Serve() as server, livnd.connect(server.address) as client:
        assert client.server_info().num_workers == len(os.sched_getaffinity(0))
    with Serve(before=ON_ONE_CORE) as server, livnd.connect(server.address) as client:
        assert client.server_info().num_workers == 1
        # gRPC's pools too, which have one thread or two more at times.
        assert num_threads(server) < 20


@pytest.mark.parametrize("threads", [1, 5])
def test_the_flag_decides(threads):
    with (
        Serve("--threads", str(threads), before=ON_ONE_CORE) as server,
        livnd.connect(server.address) as client,
    ):
        assert client.server_info().num_workers == threads


@pytest.mark.parametrize("threads", ["0", "1025", "-3", "many"])
def test_a_bad_number_is_refused(threads):
    with Serve("--threads", threads) as server:
        assert server.process.wait(60) == 2
        assert "1 .. 1024" in server.log()
