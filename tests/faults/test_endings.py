"""A server that is told to end does so within its time, in the middle of a long run too."""

from __future__ import annotations

import signal
import threading

import livnd
import numpy as np
import pytest
from livnd import errors
from serving import TASK, Serve

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

    def join(self) -> Exception | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error


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
def test_long_work_is_given_up_when_the_grace_has_passed(work, number):
    with (
        Serve("--shutdown-grace", "0") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        call = Call(work(client))
        server.until_it_works_hard()
        server.process.send_signal(number)
        assert server.process.wait(60) == 0, server.log()
        error = call.join()
        assert isinstance(error, errors.ServerUnavailableError) and error.reason == "SHUTTING_DOWN"
        log = server.log()
        assert "given up" in log and "unfinished" not in log


def test_long_work_is_given_up_at_once_when_the_owner_has_gone():
    with (
        Serve("--exit-with-stdin", "--shutdown-grace", "never") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        call = Call(run_culture(client))
        server.until_it_works_hard()
        server.process.stdin.close()
        assert server.process.wait(60) == 0, server.log()
        assert call.join().reason == "SHUTTING_DOWN"
        assert "unfinished" not in server.log()


def test_a_run_that_ends_within_the_grace_is_answered():
    with (
        Serve("--shutdown-grace", "never") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        session = client.create_culture("EI-mini", 64)
        session.clear()
        call = Call(lambda: session.run(2000.0))
        server.until_it_works_hard()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0, server.log()
        assert call.join() is None
