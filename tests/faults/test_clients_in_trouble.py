"""Clients that are killed, stopped or slow: their sessions stand where they were, and nobody waits.

What may be lost: nothing that was acknowledged. What a client was doing when it was killed is done
once or not at all. (Clients that fork, and those with a server of their own, have their tests in
clients/python/tests.)
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import livnd
import numpy as np
import pytest
from serving import TASK, Serve
from slow_line import SlowLine

NUM_KILLED = 4
PATIENCE_S = 60.0
STORY = """
import sys, livnd, numpy as np
client = livnd.connect(sys.argv[1])
session = client.create_session(sys.argv[2], 2)
session.reset([1, 2])
print(session.name, flush=True)
shape = (2, *session.spec.actions[0].shape)
for number in range(10**9):
    result = session.step(np.full(shape, 0.01 * number, np.float32))
    print(result.rewards.tobytes().hex(), flush=True)
"""


def step(session: livnd.Session, number: int) -> livnd.StepResult:
    shape = (session.num_envs, *session.spec.actions[0].shape)
    return session.step(np.full(shape, 0.01 * number, np.float32))


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


@pytest.fixture
def client(server) -> Iterator[livnd.Client]:
    with livnd.connect(server.address) as client:
        yield client


class Program:
    """A client in a process of its own that steps one session, and what it was told.

    Attributes:
        session: the name.
        told: rewards, a line a step.
        process: it.
    """

    def __init__(self, address: str, environment_id: str) -> None:
        self.told: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", STORY, address, environment_id],
            env={**os.environ, "PYTHONPATH": str(Path(livnd.__file__).parents[1])},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.session = self.process.stdout.readline().strip()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if line.endswith("\n"):  # the last one may be cut
                self.told.append(line.strip())

    def until_told(self, more: int) -> None:
        enough, deadline = len(self.told) + more, time.monotonic() + PATIENCE_S
        while len(self.told) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


def trace(client: livnd.Client, environment_id: str, num_steps: int) -> list[str]:
    """Of a client that nothing happens to."""
    session = client.create_session(environment_id, 2)
    session.reset([1, 2])
    return [step(session, number).rewards.tobytes().hex() for number in range(num_steps)]


@pytest.mark.parametrize("environment_id", [TASK, "Null-v0"])
def test_a_killed_clients_session_stands_where_it_was(server, client, environment_id):
    random_ = random.Random(1)
    for _ in range(NUM_KILLED):
        program = Program(server.address, environment_id)
        program.until_told(random_.randint(1, 20))
        time.sleep(random_.uniform(0.0, 0.02))
        program.kill()
        session = client.attach_session(program.session)
        done = session.next_op_index - 2  # after the reset
        told = len(program.told)
        # One that it had under way, or had not yet printed.
        assert told <= done <= told + 1
        rest = [step(session, number).rewards.tobytes().hex() for number in range(done, done + 3)]
        expected = trace(client, environment_id, done + 3)
        assert program.told == expected[:told]
        assert rest == expected[done:]
        session.close()


def test_nobody_waits_for_a_client_that_is_stopped(server, client):
    program = Program(server.address, TASK)
    program.until_told(3)
    program.process.send_signal(signal.SIGSTOP)
    try:
        neighbour = client.create_session(TASK, 2)
        neighbour.reset([1, 2])
        told = [step(neighbour, number).rewards.tobytes().hex() for number in range(20)]
    finally:
        program.process.send_signal(signal.SIGCONT)
    program.until_told(3)
    program.kill()
    expected = trace(client, TASK, max(len(program.told), 20))
    assert program.told == expected[: len(program.told)]
    assert told == expected[:20]


def test_a_slow_line_slows_nobody_else_down(server, client):
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        line = SlowLine(f"{folder}/s", server.address, chunk=256, pause_s=0.002)
        told: list[bytes] = []

        def slowly() -> None:
            with livnd.connect(line.address, timeout_s=PATIENCE_S) as far:
                session = far.create_session("Null-v0", 64)
                session.reset(range(64))
                told.extend(step(session, number).observations[0].tobytes() for number in range(8))

        slow = threading.Thread(target=slowly)
        slow.start()
        neighbour = client.create_session("Null-v0", 64)
        neighbour.reset(range(64))
        expected = [step(neighbour, number).observations[0].tobytes() for number in range(8)]
        # All of it, before the slow one has read its answers.
        assert len(told) < len(expected)
        slow.join(PATIENCE_S)
        line.close()
        assert told == expected
