"""Leases are renewed as long as somebody holds a session, by one thread of each client."""

from __future__ import annotations

import gc
import os
import threading

import livnd
import pytest
from conftest import ENVIRONMENT, short_folder, wait_until


def renewing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "livnd-renewals"]


@pytest.fixture
def renewed(monkeypatch):
    """Names of the sessions whose lease was renewed, in order."""
    names: list[str] = []
    attempt = livnd.line.Line.attempt

    def noted(line, method, payload, timeout_s, **options):
        if method == "RenewLease":
            names.append(livnd._proto.pb.RenewLeaseRequest.FromString(payload).session)
        return attempt(line, method, payload, timeout_s, **options)

    monkeypatch.setattr(livnd.line.Line, "attempt", noted)
    return names


@pytest.fixture
def hasty(start_server, tmp_path):
    """A server whose leases are short."""
    return start_server(f"unix:{short_folder(tmp_path)}/lease.sock", "--lease", "300ms")


def test_a_client_without_sessions_has_no_thread(hasty, renewed):
    before = len(renewing_threads())
    with livnd.connect(hasty.address) as client:
        client.server_info()
        assert len(renewing_threads()) == before
        sessions = [client.create_session(ENVIRONMENT) for _ in range(3)]
        assert len(renewing_threads()) == before + 1
        wait_until(lambda: {s.name for s in sessions} <= set(renewed), "all are renewed")
    wait_until(lambda: len(renewing_threads()) == before, "the thread ends with the client")


def test_what_nobody_holds_any_more_is_not_renewed(hasty, renewed):
    with livnd.connect(hasty.address) as client:
        closed, left, dropped, held = (client.create_session(ENVIRONMENT) for _ in range(4))
        names = {session.name for session in (closed, left, dropped)}
        closed.close()
        left.detach()
        del dropped
        gc.collect()
        wait_until(lambda: set(client._line._sessions) == {held.name}, "the dropped one goes")
        before = len(renewed)
        wait_until(lambda: renewed[before:].count(held.name) > 4, "the held one is renewed")
        assert not names.intersection(renewed[before + 3 :])


def test_a_collected_client_ends_its_thread(hasty):
    before = len(renewing_threads())
    client = livnd.connect(hasty.address)
    session = client.create_session(ENVIRONMENT)
    assert len(renewing_threads()) == before + 1
    del client, session
    gc.collect()
    wait_until(lambda: len(renewing_threads()) == before, "the thread ends")


def test_a_session_that_is_gone_is_left_alone(hasty, renewed):
    with livnd.connect(hasty.address) as client, livnd.connect(hasty.address) as other:
        session, held = client.create_session(ENVIRONMENT), client.create_session(ENVIRONMENT)
        other.call("DeleteSession", livnd._proto.pb.DeleteSessionRequest(session=session.name))
        wait_until(lambda: session.name not in client._line._sessions, "its end is noticed")
        before = len(renewed)
        wait_until(lambda: renewed[before:].count(held.name) > 2, "the other one is renewed")
        assert session.name not in renewed[before:]


def test_a_lease_that_never_lapses_is_not_renewed(start_server, tmp_path):
    server = start_server(f"unix:{short_folder(tmp_path)}/ever.sock", "--lease", "never")
    before = len(renewing_threads())
    with livnd.connect(server.address) as client:
        client.create_session(ENVIRONMENT)
        assert client.server_info().session_lease_s == 0
        assert len(renewing_threads()) == before


def test_a_fork_renews_nothing_of_its_parents(hasty, renewed):
    with livnd.connect(hasty.address) as client:
        session = client.create_session(ENVIRONMENT)
        wait_until(lambda: session.name in renewed, "it is renewed")
        pid = os.fork()
        if pid == 0:
            os._exit(len(renewing_threads()))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        before = len(renewed)
        wait_until(lambda: len(renewed) > before, "the parent goes on")
        session.reset([1])
