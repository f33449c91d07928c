"""A server that is told to end does so in order and in time, in the middle of a long run too.

What may be lost: nothing that was acknowledged. What is given up was never answered.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time

import livnd
import numpy as np
import pytest
from livnd import errors
from serving import LIVND, TASK, Serve

HOURS_MS = 90_000.0  # of 64 copies: many minutes of work


class Call:
    """A call in a thread of its own."""

    def __init__(self, call) -> None:
        self.error: Exception | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._call()
        except Exception as error:
            self.error = error

    def is_waiting(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> Exception | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error


def was_told(error: Exception | None) -> bool:
    """That the server ends and the operation was not done."""
    return (
        isinstance(error, errors.ServerUnavailableError)
        and error.reason == "SHUTTING_DOWN"
        and not error.in_doubt
    )


def health(server: Serve) -> str:
    asked = [str(LIVND), "health", server.address, "--json"]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60).stdout


@contextlib.contextmanager
def draining(*flags: str):
    """A server that will drain for ever, a client, the session of a long run and the run's call."""
    with (
        Serve("--drain-timeout", "never", *flags) as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        session = client.create_culture("EI-mini", 64)
        session.clear()
        running = Call(lambda: session.run(HOURS_MS))
        server.until_it_works_hard()
        yield server, client, session, running
        server.process.kill()
        running.join()


def run_culture(client: livnd.Client):
    session = client.create_culture("EI-mini", 64)
    session.clear()
    return lambda: session.run(HOURS_MS)


def step_task(client: livnd.Client):
    session = client.create_session(TASK, 1024)
    session.reset()
    actions = np.zeros((1024, *session.spec.actions[0].shape), np.float32)

    def step_for_ever():
        while True:
            session.step(actions)

    return step_for_ever


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("work", [run_culture, step_task])
@pytest.mark.parametrize("timeout", ["0", "300ms"])
def test_long_work_is_given_up_when_its_time_has_passed(timeout, work, number):
    with (
        Serve("--drain-timeout", timeout) as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        call = Call(work(client))
        server.until_it_works_hard()
        server.process.send_signal(number)
        assert server.process.wait(60) == 0, server.log()
        error = call.join()
        assert was_told(error)
        log = server.log()
        assert "given up" in log and "unfinished" not in log


def test_long_work_is_given_up_at_once_when_the_owner_has_gone():
    with (
        Serve("--exit-with-stdin", "--drain-timeout", "never") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        call = Call(run_culture(client))
        server.until_it_works_hard()
        server.process.stdin.close()
        assert server.process.wait(60) == 0, server.log()
        assert call.join().reason == "SHUTTING_DOWN"
        assert "unfinished" not in server.log()


def test_a_run_that_ends_within_the_time_is_answered():
    with (
        Serve("--drain-timeout", "never") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        session = client.create_culture("EI-mini", 64)
        session.clear()
        call = Call(lambda: session.run(2000.0))
        server.until_it_works_hard()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0, server.log()
        assert call.join() is None


@pytest.mark.parametrize("threads", ["1", "2"])
def test_what_has_not_begun_is_told_at_once(threads):
    with draining("--threads", threads) as (server, client, session, running):
        pb = livnd.culture.pb
        # Behind the run, in the order of its session: the next operation, a question, a repeat.
        following = [
            ("Run", pb.RunRequest(op_index=session.next_op_index + 1, duration_ms=1.0)),
            ("GetCulture", pb.GetCultureRequest()),
            ("Snapshot", pb.SnapshotRequest()),
            ("Fork", pb.ForkRequest(request_id="fork", num_sessions=2)),
            ("Run", pb.RunRequest(op_index=session.next_op_index, duration_ms=HOURS_MS)),
        ]
        for _, request in following:
            request.session = session.name
        waiting = [Call(lambda made=made: client.call(*made)) for made in following]
        time.sleep(0.3)  # until the server has got them; whoever is late is told the same
        assert all(call.is_waiting() for call in waiting)
        # An environment that takes a while to build.
        creation = Call(lambda: client.create_session("TargetRate-EI-100-v0"))
        while "EI-100" not in server.log():
            time.sleep(0.005)
        server.process.send_signal(signal.SIGTERM)
        assert [was_told(call.join()) for call in waiting] == [True] * len(waiting)
        assert was_told(creation.join())
        with pytest.raises(errors.ServerUnavailableError) as refused:
            client.create_session(TASK)
        assert was_told(refused.value)
        # The run goes on, and the server says why it is still there.
        assert running.is_waiting() and server.process.poll() is None
        assert "NOT_SERVING" in health(server)
        assert client.server_info().num_workers == int(threads)


def test_readiness_goes_before_the_first_refusal():
    """Whoever is refused finds that the server says so of itself."""
    with draining() as (server, client, _, _):
        session = client.create_session(TASK)
        refused = Call(lambda: [session.reset() for _ in iter(int, 1)])
        assert '"SERVING"' in health(server)
        server.process.send_signal(signal.SIGTERM)
        assert was_told(refused.join())
        assert "NOT_SERVING" in health(server)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(second):
    with draining() as (server, _, _, running):
        server.process.send_signal(signal.SIGTERM)
        while "NOT_SERVING" not in health(server):
            pass
        assert running.is_waiting()
        server.process.send_signal(second)
        assert server.process.wait(60) == 1
        error = running.join()
        assert isinstance(error, errors.ServerUnavailableError)
        assert error.in_doubt and not error.reason
        # A server that follows takes its place.
        with Serve("--state-dir", f"{server.folder}/state", listen=server.address) as follower:
            assert '"SERVING"' in health(follower)
