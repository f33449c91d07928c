"""Four clients make, step, snapshot, fork and delete sessions for hours: the server's memory stays.

What the server has asked for and not returned may not grow: a leak would. What the system keeps
for it (RSS) wanders by what the allocator keeps, and may not run away.

What may be lost: nothing that was acknowledged. Every round tells the same story, to the last bit.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
import urllib.request

import livnd
import numpy as np
from livnd import CultureStimulus
from livnd._proto import pb
from prometheus_client.parser import text_string_to_metric_families
from serving import TASK, Serve

# Two hours, unless said otherwise. Not counted is the first tenth of it, nor what comes before the
# server has forgotten sessions: it remembers the last 4096 that have ended, some megabytes.
SOAK_S = float(os.environ.get("LIVND_SOAK_S", "7200"))
NUM_REMEMBERED = 4096
NUM_CLIENTS = 4
NUM_SESSIONS = 6  # of a client in a round, without their forks
NUM_MADE = 16 * NUM_CLIENTS  # in a round, with them
MOST_GROWTH = 0.01  # of what is allocated
MOST_RESIDENT_GROWTH = 0.1
# The server gives memory back every 10 s; between that and the next time it holds what sessions
# that have ended since left, more or less by when one looks. The least of so many seconds stays.
WINDOW_S = 60.0
PATIENCE_S = 120.0


def steps(session: livnd.Session, first: int, last: int) -> list[bytes]:
    """What the steps first .. last - 1 say."""
    told = []
    for number in range(first, last):
        shape = (session.num_envs, *session.spec.actions[0].shape)
        actions = 0.3 * np.sin(number + np.arange(np.prod(shape))).reshape(shape)
        result = session.step(actions.astype(np.float32))
        told += [result.observations[0].tobytes(), result.rewards.tobytes()]
    return told


def task(client: livnd.Client, environment_id: str, num_envs: int) -> list[bytes]:
    """A session from its making to its end, with forks that tell the same as it does."""
    session = client.create_session(environment_id, num_envs, autoreset_mode="same_step")
    told = [session.reset(range(num_envs)).observations[0].tobytes()]
    told += steps(session, 0, 4)
    snapshot = session.snapshot()
    forks = session.fork(2)
    told += steps(session, 4, 8)
    for fork in forks:
        assert steps(fork, 4, 8) == told[-8:]
    forks[0].close()  # the other one goes with the client
    session.restore(snapshot)
    assert steps(session, 4, 8) == told[-8:]
    session.close()
    return told


def culture(client: livnd.Client) -> list[bytes]:
    """The same of a culture."""
    session = client.create_culture("EI-mini", 2)
    session.configure(params={"noise-std_e": 2.0}, plasticity_on=True, spikes=True)
    session.clear([3, 4])
    push = CultureStimulus("current_na", np.full((30, 1), 0.3), 0.5, [(0, 0)], timing="exact")
    told = [session.run(7.5, [push]).spike_ticks.tobytes()]
    [fork] = session.fork(1)
    told.append(session.run(20.0).spike_ticks.tobytes())
    assert fork.run(20.0).spike_ticks.tobytes() == told[-1]
    session.close()
    return told


def one_round(address: str) -> list[list[bytes]]:
    """What one client does; another one each time."""
    with livnd.connect(address, retry_s=PATIENCE_S) as client:
        told = []
        for number in range(NUM_SESSIONS):
            kind = number % 3
            if kind == 0:
                told.append(task(client, TASK, 2))
            elif kind == 1:
                told.append(task(client, "Null-v0", 16))
            else:
                told.append(culture(client))
        return told


def memory_mb(server: Serve) -> tuple[float, float]:
    """What the process has allocated, and what it has in memory (RSS)."""
    with urllib.request.urlopen(server.ready["metrics"], timeout=60) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    told = {family.name: family.samples for family in families}
    names = ("livnd_memory_allocated_bytes", "process_resident_memory_bytes")
    allocated, resident = (told[name][0].value / 2**20 for name in names)
    return allocated, resident


def all_at_once(address: str) -> list[list[list[bytes]]]:
    """A round of all clients."""
    told: list[list[list[bytes]]] = []
    clients = [
        threading.Thread(target=lambda: told.append(one_round(address))) for _ in range(NUM_CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(told) == NUM_CLIENTS
    return told


def until_none_is_left(server: Serve) -> None:
    """Sessions that go with their client are deleted behind its back, if there is time."""
    deadline = time.monotonic() + 5.0
    while server.journals and time.monotonic() < deadline:
        time.sleep(0.05)
    with livnd.connect(server.address) as client:
        for journal in server.journals:
            request = pb.DeleteSessionRequest(session=journal.stem, allow_missing=True)
            client.call("DeleteSession", request)
    assert server.journals == []


def least_by_window(series: list[tuple[float, float]]) -> list[float]:
    """The least memory of each whole WINDOW_S of a series of (seconds, MB), in order."""
    begin_s = series[0][0]
    windows: dict[int, float] = {}
    for at_s, mb in series:
        window = int((at_s - begin_s) // WINDOW_S)
        windows[window] = min(mb, windows.get(window, mb))
    windows.pop(max(windows))  # it is not over
    return list(windows.values())


def medians(series: list[tuple[float, float]]) -> tuple[float, float]:
    """Of the first and last third of a series of (seconds, MB), by the least of each window."""
    windows = least_by_window(series)
    assert len(windows) >= 3, f"{len(series)} rounds: too short a soak"
    third = len(windows) // 3
    return statistics.median(windows[:third]), statistics.median(windows[-third:])


def test_memory_does_not_grow(capsys):
    """From the first third of what is counted to the last, by the least of each minute."""
    looks: list[tuple[float, float, float]] = []  # seconds; MB with no session left: see memory_mb
    told_at = 0.0
    with Serve(
        "--bench-environments", "--threads", "2", "--metrics-listen", "127.0.0.1:0"
    ) as server:
        expected = all_at_once(server.address)[0]
        begun = time.monotonic()
        while (passed_s := time.monotonic() - begun) < SOAK_S:
            for told in all_at_once(server.address):
                assert told == expected
            until_none_is_left(server)
            looks.append((passed_s, *memory_mb(server)))
            if passed_s >= told_at:
                told_at += SOAK_S / 40
                with capsys.disabled():
                    print(
                        f"soak: {passed_s:6.0f} s, {looks[-1][1]:7.3f} MB allocated,"
                        f" {looks[-1][2]:6.2f} MB resident",
                        flush=True,
                    )
        assert server.terminate() == 0
    warm = NUM_REMEMBERED // NUM_MADE + 1
    counted = [look for look in looks[warm:] if look[0] >= SOAK_S / 10]
    assert counted, f"{len(looks)} rounds: too short a soak"
    allocated = medians([(passed_s, mb) for passed_s, mb, _ in counted])
    resident = medians([(passed_s, mb) for passed_s, _, mb in counted])
    with capsys.disabled():
        print(
            f"soak: {len(looks) * NUM_MADE} sessions; {allocated[0]:.3f} MB allocated, then"
            f" {allocated[1]:.3f}; {resident[0]:.2f} MB resident, then {resident[1]:.2f}"
        )
    assert allocated[1] < (1 + MOST_GROWTH) * allocated[0], looks
    assert resident[1] < (1 + MOST_RESIDENT_GROWTH) * resident[0], looks
