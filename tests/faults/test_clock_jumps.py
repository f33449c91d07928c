"""The clock of the wall is put right by years, to and fro: nobody's time is over for that.

What may be lost: nothing that was acknowledged. No session leaves the memory, ends or is deleted
for it, no operation is given up, and every trace is that of an undisturbed server.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import livnd
import numpy as np
import pytest
from serving import TASK, Serve
from wall_clock import DAY_S, HOUR_S, YEAR_S, WallClock

# The last of them is where it began.
JUMPS_S = [3 * HOUR_S, -3 * HOUR_S, YEAR_S, -20 * YEAR_S, 10 * YEAR_S, 0]
PATIENCE_S = 60.0


@pytest.fixture
def clock(tmp_path) -> WallClock:
    return WallClock(tmp_path)


def step(session: livnd.Session, number: int) -> bytes:
    actions = np.full((session.num_envs, *session.spec.actions[0].shape), 0.01 * number, np.float32)
    told = session.step(actions)
    return told.observations[0].tobytes() + told.rewards.tobytes()


def look_around() -> None:
    """Long enough for a server to look for sessions that nobody calls, several times."""
    time.sleep(0.5)


def until_on_disk(server: Serve) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with livnd.connect(server.address) as client:
        while True:
            try:  # there is room for one session in memory
                client.create_session("Null-v0").close()
                return
            except livnd.errors.CapacityError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


def begin_to_drain(server: Serve) -> None:
    server.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while "ending on SIGTERM" not in server.log():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)


def test_the_clock_of_these_tests_jumps(clock):
    command = [sys.executable, "-c", "import time; print(time.time(), time.monotonic())"]
    told = []
    for jump_s in (0, -DAY_S):
        clock.jump(jump_s)
        done = subprocess.run(command, env=clock.environment, capture_output=True, check=True)
        told.append([float(word) for word in done.stdout.split()])
    (wall, steady), (wall_later, steady_later) = told
    assert wall_later < wall - DAY_S / 2
    assert steady <= steady_later < steady + DAY_S / 2


def test_no_jump_ends_a_lease_or_a_retention(clock):
    flags = ("--lease", "1s", "--session-retention", "2h", "--bench-environments")
    with Serve(*flags, "--max-sessions", "1", env=clock.environment) as server:
        with livnd.connect(server.address, retry_s=PATIENCE_S) as client:
            session = client.create_session(TASK, 2)
            told = [session.reset([1, 2]).observations[0].tobytes()]
            name = session.detach()  # or the client would keep it in memory
            until_on_disk(server)
            for number, jump_s in enumerate(JUMPS_S):
                clock.jump(jump_s)
                look_around()
                if number % 2 == 0:
                    session = client.attach_session(name)
                told.append(step(session, number))  # of one that was on the disk
                if number % 2:
                    session.detach()
                    until_on_disk(server)
            clock.jump(YEAR_S)
            look_around()
            assert len(server.journals) == 1
        clock.jump(0)
    with Serve("--bench-environments") as server, livnd.connect(server.address) as client:
        session = client.create_session(TASK, 2)
        expected = [session.reset([1, 2]).observations[0].tobytes()]
        assert told == expected + [step(session, number) for number in range(len(JUMPS_S))]


def test_a_jump_parks_nobody(clock):
    with (
        Serve("--lease", "30s", "--bench-environments", env=clock.environment) as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session("Null-v0")
        session.reset([1])
        [journal] = server.journals
        begun = journal.stat().st_ino  # another one, where it begins anew
        for jump_s in JUMPS_S:
            clock.jump(jump_s)
            time.sleep(1.2)  # a server with a lease of 30 s looks every second
            assert journal.stat().st_ino == begun, jump_s


@pytest.mark.parametrize("jump_s", [30 * DAY_S, -30 * DAY_S])
def test_a_server_that_comes_back_by_another_clock_deletes_nothing(clock, jump_s):
    """The files' times are the machine's: to the next server they are old, or yet to come."""
    flags = ("--lease", "200ms", "--session-retention", "2h", "--bench-environments")
    with (
        Serve(*flags, "--max-sessions", "1", env=clock.environment) as server,
        livnd.connect(server.address, retry_s=PATIENCE_S) as client,
    ):
        session = client.create_session(TASK, 2)
        session.reset([1, 2])
        name = session.detach()
        until_on_disk(server)
        server.kill()
        clock.jump(jump_s)
        server.start()
        look_around()
        told = step(client.attach_session(name), 3)
    with Serve() as server, livnd.connect(server.address) as client:
        session = client.create_session(TASK, 2)
        session.reset([1, 2])
        assert step(session, 3) == told


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_a_run_and_its_client_take_their_time(clock, jump_s):
    with (
        Serve("--threads", "1", env=clock.environment) as server,
        livnd.connect(server.address, run_timeout_s=600.0) as client,
    ):
        culture = client.create_culture("EI-mini")
        culture.configure(spikes=True)
        culture.clear([1])
        told: list[object] = []
        running = threading.Thread(target=lambda: told.append(culture.run(10_000.0)))
        running.start()
        server.until_it_works_hard()
        clock.jump(jump_s)
        running.join(PATIENCE_S)
        [recording] = told
        assert recording.num_ticks == 400_000


def test_operations_that_drain_have_the_time_that_was_said(clock):
    with (
        Serve("--threads", "1", "--drain-timeout", "10m", env=clock.environment) as server,
        livnd.connect(server.address, retry_s=0.0) as client,
    ):
        culture = client.create_culture("EI-mini")
        culture.clear([1])
        told: list[object] = []
        running = threading.Thread(target=lambda: told.append(culture.run(40_000.0)))
        running.start()
        server.until_it_works_hard()
        begin_to_drain(server)
        clock.jump(DAY_S)
        running.join(PATIENCE_S)
        assert told, server.log()
        assert server.process.wait(PATIENCE_S) == 0


def test_draining_ends_though_the_clock_goes_back(clock):
    with (
        Serve("--threads", "1", "--drain-timeout", "2s", env=clock.environment) as server,
        livnd.connect(server.address, retry_s=0.0) as client,
    ):
        culture = client.create_culture("EI-mini", 64)
        culture.clear(range(64))
        told: list[str] = []

        def run() -> None:
            try:
                culture.run(90_000.0)  # many minutes of work
            except livnd.LivndError as error:
                told.append(error.reason)

        running = threading.Thread(target=run)
        running.start()
        server.until_it_works_hard()
        begin_to_drain(server)
        clock.jump(-DAY_S)
        assert server.process.wait(PATIENCE_S) == 0
        running.join(PATIENCE_S)
        assert told == ["SHUTTING_DOWN"]


def test_the_watchdog_hears_of_it_on(clock, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes:
        notes.bind(str(tmp_path / "notify"))
        notes.settimeout(PATIENCE_S)
        told = f"export NOTIFY_SOCKET='{notes.getsockname()}' WATCHDOG_USEC=200000"
        with Serve(before=told, env=clock.environment):
            assert b"READY=1" in notes.recv(4096)
            for jump_s in JUMPS_S:
                clock.jump(jump_s)
                for _ in range(3):
                    assert notes.recv(4096) == b"WATCHDOG=1"


def test_a_client_whose_own_clock_jumps_goes_on(clock, tmp_path):
    story = tmp_path / "story.py"
    story.write_text(
        "import sys, livnd\n"
        "with livnd.connect(sys.argv[1], timeout_s=60.0) as client:\n"
        "    session = client.create_session('Null-v0')\n"
        "    session.reset([1])\n"
        "    for line in sys.stdin:\n"
        "        session.step([[float(line)] * session.spec.actions[0].shape[0]])\n"
        "        print(session.next_op_index, flush=True)\n"
    )
    with Serve("--bench-environments") as server:
        client = subprocess.Popen(
            [sys.executable, story, server.address],
            env={**clock.environment, "PYTHONPATH": str(Path(livnd.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with client:
            for number, jump_s in enumerate([0, *JUMPS_S]):
                clock.jump(jump_s)
                client.stdin.write(f"{0.1 * number}\n")
                client.stdin.flush()
                assert client.stdout.readline() == f"{number + 3}\n"
            client.stdin.close()
            assert client.wait(PATIENCE_S) == 0
