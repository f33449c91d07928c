"""What a client holds stays in memory however idle it is; what nobody holds any more does not."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from serving import LIVND, SYSTEMS, Serve

from conformance.drivers import Refused

NULL = "Null-v0"
LEASE_S = 1.0


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_parked(server: Serve, name: str) -> bool:
    """Whether the session is on the disk: its journal begins with where it stands."""
    (journal,) = (path for path in server.journals if path.stem == name)
    command = [LIVND, "replay", journal, "--systems", SYSTEMS, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 and json.loads(done.stdout)["operations"] == 0


def test_an_idle_clients_session_stays_and_a_killed_clients_goes(driver, connect):
    with Serve("--lease", f"{LEASE_S}s", "--bench-environments") as server:
        client = connect(server.address)
        held, left = client.session(NULL), client.session(NULL)
        for session in (held, left):
            session.reset([1])
        killed = driver.make_and_die(server.address, NULL)
        assert left.detach() == left.name
        until(lambda: is_parked(server, killed) and is_parked(server, left.name))
        for _ in range(3):
            time.sleep(LEASE_S)
            assert not is_parked(server, held.name)
        # Renewed in vain while the server is away, it is renewed again when that is back.
        server.kill()
        time.sleep(LEASE_S)
        server.start()
        held.observe()
        time.sleep(3 * LEASE_S)
        assert held.next_op_index == 2
        held.step(held.actions(0))
        time.sleep(3 * LEASE_S)
        assert not is_parked(server, held.name)


def test_who_was_superseded_keeps_no_session_in_memory(connect):
    with Serve("--lease", "500ms", "--bench-environments") as server:
        first, second = connect(server.address), connect(server.address)
        session = first.session(NULL)
        session.reset([1])
        taken = second.attach(session.name)
        taken.step(taken.actions(0))
        with pytest.raises(Refused) as told:
            session.step(session.actions(0))
        assert told.value.reason == "SUPERSEDED"
        taken.detach()
        until(lambda: is_parked(server, session.name))
